"""What is fed with spoiled input. A target raises Unsound where the product does not end in words, in time, without a secret."""

import asyncio
import contextlib
import io
import random
import re
import signal
import traceback
from collections.abc import Callable, Iterator
from pathlib import Path

import httpx2 as httpx

from faults import scenes
from faults.stage import Stage, Standing
from fuzz.good import CANARY, COREFILE, EVENTS, FLUX, JOURNAL, KUSTOMIZATION, OBJECTS, TALOS
from fuzz.mutations import spoiled, spoiled_json
from rebirth.castle import load
from rebirth.errors import Rebirth
from rebirth.lab.spec import load_lab
from rebirth.proof.prove import prove
from rebirth.proof.reading.kept import Kept
from rebirth.proof.sources.outside.corefile.plugins import read as read_corefile
from rebirth.proof.sources.outside.corefile.syntax import CorefileError
from rebirth.report import timeline
from rebirth.run.journal import Journal

EXAMPLE = Path(__file__).parents[2] / "examples" / "castle"
LONGEST = 20  # seconds of the clock on the wall for one input
_TRACE = re.compile(r"unexpected \w+(Error|Exception)|internal error|Traceback|This is a bug")

Target = Callable[[random.Random, Path], None]


class Unsound(AssertionError):  # noqa: N818 - what the product is
    pass


@contextlib.contextmanager
def in_words(what: str) -> Iterator[None]:
    """What is raised has to be the product's own, and show nothing."""

    def late(*_: object) -> None:
        raise Unsound(f"{what}: no end within {LONGEST} s")

    before = signal.signal(signal.SIGALRM, late)
    signal.alarm(LONGEST)
    try:
        yield
    except (Rebirth, CorefileError) as error:
        _look_at(what, f"{error} {getattr(error, 'hint', '')}")
    except Unsound:
        raise
    except Exception as error:  # noqa: BLE001 - that is what is looked for
        raise Unsound(f"{what}: {type(error).__name__}\n{''.join(traceback.format_exception(error)[-6:])}") from None
    finally:
        signal.alarm(0)
        signal.signal(signal.SIGALRM, before)


def _look_at(what: str, words: str) -> None:
    if CANARY in words:
        raise Unsound(f"{what} shows a secret: {words[:400]}")
    if _TRACE.search(words):
        raise Unsound(f"{what} is taken for a bug: {words[:400]}")


def _written(file: Path, text: str) -> None:
    file.parent.mkdir(parents=True, exist_ok=True)
    file.write_bytes(text.encode("utf-8", "surrogatepass"))


def _castle_yaml(rng: random.Random, folder: Path) -> None:
    """castle.yaml, in which somebody has put a secret where it does not belong."""
    text = (EXAMPLE / "castle.yaml").read_text()
    if rng.random() < 0.5:
        text = re.sub(r"\{secret: [\w./-]+\}", CANARY, text, count=1)
    _written(folder / "castle.yaml", spoiled(rng, text))
    with in_words("castle.yaml"):
        load(folder)


def _lab_yaml(rng: random.Random, folder: Path) -> None:
    _written(folder / "lab.yaml", spoiled(rng, (EXAMPLE / "lab.yaml").read_text()))
    with in_words("lab.yaml"):
        load_lab(folder)


def _corefile(rng: random.Random, folder: Path) -> None:
    text = spoiled(rng, COREFILE)
    with in_words("Corefile"):
        read_corefile(text, version=(1, 14, 7), official=rng.random() < 0.5, beside={"other": COREFILE})


def _repository(rng: random.Random, folder: Path) -> None:
    """A repository of Flux beside a machine configuration; one of its files is spoiled."""
    files = {
        "clusters/x/apps.yaml": FLUX,
        "apps/objects.yaml": OBJECTS,
        "apps/kustomization.yaml": KUSTOMIZATION,
        "infra/objects.yaml": OBJECTS.replace("default", "kube-system"),
        "talos/controlplane.yaml": TALOS,
    }
    which = rng.choice([*files])
    files[which] = spoiled(rng, files[which])
    for name, text in files.items():
        _written(folder / name, text)
    out = io.StringIO()
    with in_words(f"the proof of {which}"), contextlib.redirect_stderr(out), contextlib.redirect_stdout(out):
        proof = asyncio.run(prove(folder, kept=Kept()))
        _look_at("the proof", " ".join(f"{found.message}" for found in _findings(proof)))


def _findings(proof: object) -> Iterator[object]:
    for found in proof.findings:  # type: ignore[attr-defined]
        if hasattr(found, "message"):
            yield found


def _journal(rng: random.Random, folder: Path) -> None:
    from rebirth.run.facts import MachinesCreated

    _written(folder / "journal.jsonl", spoiled(rng, JOURNAL + "\n"))
    for options in ({}, {"writes": False}, {"lenient": True}):
        with in_words("the journal"), Journal(folder, **options) as journal:  # type: ignore[arg-type]
            journal.recall("create_machines", MachinesCreated, "0123")
            journal.marks("device"), journal.progress("bootstrap etcd")
            journal.mark("device", "another")
    with in_words("the journal"):
        Journal(folder).glimpse().marks("device")


def _events(rng: random.Random, folder: Path) -> None:
    _written(folder / "events.jsonl", spoiled(rng, EVENTS + "\n"))
    with in_words("a run's record"):
        ran = timeline.read(folder)
        timeline.as_data(ran, {})


# -- answers


class _Spoiling(httpx.AsyncBaseTransport):
    def __init__(self, rng: random.Random, share: float, inner: httpx.AsyncBaseTransport) -> None:
        self._rng, self._share, self._inner = rng, share, inner

    async def handle_async_request(self, request: httpx.Request) -> httpx.Response:
        answer = await self._inner.handle_async_request(request)
        if "watch" in request.url.params or self._rng.random() > self._share:
            return answer
        content = spoiled_json(self._rng, await answer.aread())
        await answer.aclose()
        headers = {"content-type": answer.headers.get("content-type", "application/json")}
        return httpx.Response(answer.status_code, headers=headers, content=content, request=request)


class _Answers(Stage):
    """A stage all of whose systems answer nonsense now and then."""

    rng: random.Random
    share: float

    def _clients(self):
        from rebirth.providers.cluster import Cluster
        from rebirth.providers.factory import ImageFactory
        from rebirth.providers.proxmox import ProxmoxApi
        from rebirth.providers.tailnet import TailnetApi
        from rebirth.providers.vault import VaultApi

        clients = super()._clients()
        for adapter in (clients[ProxmoxApi]._session.adapters, clients[VaultApi]._client.adapter.session.adapters):
            for one in adapter.values():
                if hasattr(one, "answers"):
                    one.answers = lambda content: (
                        spoiled_json(self.rng, content) if self.rng.random() < self.share else content
                    )
        wrap = lambda inner: _Spoiling(self.rng, self.share, inner)  # noqa: E731
        clients[ImageFactory]._transport = wrap(clients[ImageFactory]._transport)
        clients[TailnetApi]._client._transport = wrap(clients[TailnetApi]._client._transport)
        cluster = clients[Cluster]
        for client in (cluster._api._client._client, cluster._kinds._http):
            client._transport = wrap(client._transport)
        return clients


_SCENES = (
    *(
        scenes.reaching,
        scenes.minting,
        scenes.freeing,
        scenes.uploading,
        scenes.creating,
        scenes.naming,
        scenes.placing,
    ),
    *(scenes.installing, scenes.bringing_flux, scenes.converging, scenes.handing_over),
)


def _answers(rng: random.Random, folder: Path) -> None:
    """A phase, while the systems that it asks answer nonsense now and then."""
    scene, share = rng.choice(_SCENES), rng.choice((0.05, 0.3, 1.0))

    async def run() -> None:
        stage = scene(folder)
        stage.__class__ = _Answers
        stage.rng, stage.share = rng, share
        ending = await stage.run()
        for failure in ending.outcome.failures.values():
            _look_at(scene.__name__, f"{failure} {failure.hint}")
        shown = stage.shown().decode(errors="replace")
        for name, value in stage.secrets.values.items():
            if value.reveal() in shown:
                raise Unsound(f"{scene.__name__} shows {name}")

    with in_words(f"answers while {scene.__name__}"), asyncio.Runner(loop_factory=Standing) as runner:
        runner.run(run())


TARGETS: dict[str, Target] = {
    "castle.yaml": _castle_yaml,
    "lab.yaml": _lab_yaml,
    "Corefile": _corefile,
    "repository": _repository,
    "journal": _journal,
    "events": _events,
    "answers": _answers,
}
