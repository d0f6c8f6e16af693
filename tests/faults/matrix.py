"""Every cell: which systems, what is wrong with them, and in which phases."""

from collections.abc import Iterator

from faults import here, inside, late, scenes, states, words
from faults.cell import Arrange, Cell
from faults.scenes import Scene
from faults.wrongs import Break, Wrong

WHILE = 8.0  # seconds for which something passing lasts
HTML = b"<html><h1>Sign in</h1></html>"

PASSING = (
    Wrong("slow (6 s an answer)", seconds=6),
    Wrong("silent", breaks=Break.SILENT),
    Wrong("HTTP 429", status=429),
    Wrong("HTTP 500", status=500),
    Wrong("HTTP 503", status=503),
    Wrong("nobody listens", breaks=Break.REFUSED),
    Wrong("hangs up", breaks=Break.HUNG_UP),
    Wrong("its name does not resolve", breaks=Break.NO_NAME),
    Wrong("answers are lost", lost=True),
    Wrong("a sign-in page instead", status=200, body=HTML, kind="text/html"),
    Wrong("other JSON instead", status=200, body=b'{"message": "fine"}'),
    Wrong("a list instead", status=200, body=b"[1]"),
)
LASTING = (
    Wrong("HTTP 401", status=401),
    Wrong("HTTP 403", status=403),
    Wrong("HTTP 404", status=404),
    Wrong("a redirect to itself", status=302, location="/"),
    Wrong("certificate expired", breaks=Break.EXPIRED),
    Wrong("certificate not valid yet", breaks=Break.EARLY),
    Wrong("certificate of a stranger", breaks=Break.STRANGER),
)
_HTTP: dict[str, tuple[Scene, ...]] = {
    "Proxmox": (scenes.reaching, scenes.uploading, scenes.creating, scenes.booting, scenes.destroying),
    "image factory": (scenes.uploading,),
    "Tailscale": (scenes.reaching, scenes.minting, scenes.freeing, scenes.destroying),
    "Vault": (scenes.reaching, scenes.handing_over),
    "Kubernetes": (scenes.bootstrapping, scenes.naming, scenes.installing, scenes.bringing_flux, scenes.converging),
    "site": (scenes.visiting,),
}


# What the message calls it, where not by the system's name.
_NAMES = {
    ("site", "", scenes.visiting): "https://",
}


def _cut(system: str, wrong: Wrong, **options: object) -> Arrange:
    return lambda stage: stage.lines[system].cut(wrong, **options)


def _name(system: str, wrong: Wrong, scene: Scene) -> str:
    return _NAMES.get((system, wrong.words, scene), _NAMES.get((system, "", scene), ""))


def _http() -> Iterator[Cell]:
    for system, places in _HTTP.items():
        for scene in places:
            for wrong in PASSING:
                yield Cell(system, f"{wrong.words}, for {WHILE:g} s", scene, _cut(system, wrong, seconds=WHILE))
                yield Cell(system, wrong.words, scene, _cut(system, wrong), _name(system, wrong, scene))
            for wrong in LASTING:
                yield Cell(system, wrong.words, scene, _cut(system, wrong), _name(system, wrong, scene))


def _programs() -> Iterator[Cell]:
    for system, program, scene, passing, lasting in (
        ("Git", "git", scenes.reading, words.GIT_PASSING, words.GIT_LASTING),
        ("chart repository", "helm", scenes.installing, words.HELM_PASSING, words.HELM_LASTING),
        ("registry", "helm", scenes.installing, words.REGISTRY_PASSING, words.REGISTRY_LASTING),
        ("Kubernetes", "helm", scenes.installing, (), words.API_OF_HELM),
        ("Talos", "talosctl", scenes.configuring, words.TALOS_PASSING, words.TALOS_LASTING),
    ):
        path = "upgrade" if program == "helm" else "apply-config|get links" if program == "talosctl" else ""
        for wrong in passing:
            yield Cell(
                system,
                f"{wrong.words}, for {WHILE:g} s",
                scene,
                _cut(program, wrong, path=path, seconds=WHILE),
                program,
            )
            yield Cell(system, wrong.words, scene, _cut(program, wrong, path=path), program)
        for wrong in lasting:
            times = 1 if wrong.lost else None
            names = "Kubernetes" if wrong.instead is not None and program == "helm" else program
            yield Cell(system, wrong.words, scene, _cut(program, wrong, path=path, times=times), names)


def cells() -> list[Cell]:
    return [*_http(), *_programs(), *states.cells(), *inside.cells(), *late.cells(), *here.cells()]
