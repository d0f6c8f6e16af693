"""What a repository's own task files, scripts and documents apply with kubectl: objects of the files that they name, and what
`kubectl create` makes. What Flux applies again later is there before it, then. What lies in the path of a Kustomization that is
applied so comes by Flux, though no other object of the repository says so.
"""

import os
import re
from collections.abc import Iterator, Sequence
from itertools import groupby
from pathlib import Path

from rebirth.proof.reading import flux, kustomization
from rebirth.proof.reading.manifest import Applied, Manifest, manifests
from rebirth.proof.reading.repository_files import Files
from rebirth.proof.reading.scopes import BUILT_IN, CUSTOM, in_namespace
from rebirth.proof.reading.start import clusters
from rebirth.proof.reading.start.scripts import Line, text_of
from rebirth.proof.reading.yaml_files import UnreadableError, parse
from rebirth.proof.things import NOWHERE, Milestone, Place, Thing

_APPLIES = re.compile(r"(?:\bkubectl\b|\$[({]?(?:KC|KUBECTL|kubectl)[)}]?)[^|;&]*?\s(?:apply|create|replace)\s")
_CREATES = re.compile(
    r"\bkubectl\b[^|;&]*?\screate\s+(?:secret\s+(?:generic|tls|docker-registry)|(?:configmap|cm))\s+"
    r"(?:(?:-n|--namespace)[\s=]+[\"']?[\w.-]+[\"']?\s+)*[\"']?([\w.-]+)"
)
_DRY = re.compile(r"\s--dry-run(?!=none)")
_BEGINNING = re.compile(r"readme|install|bootstrap|setup|start|deploy", re.IGNORECASE)  # documents of how it all begins
_NAMESPACE = re.compile(r"\s(?:-n|--namespace)[\s=]+[\"']?([\w.-]+)")
_CONTEXT = re.compile(r"\s--context[\s=]+[\"']?([\w.-]+)")
_KEY = re.compile(r"--from-(?:file|literal)[\s=]+[\"']?([\w.-]+)=")
_ADDRESS = re.compile(r"https?://[^\s\"'|;]+")
_LISTED = re.compile(
    r"[\s\"'\[(,-]*(https?://[^\s\"',]+\.ya?ml)[\s\"'\]),\\]*"
)  # an address that has its line for itself
_ALONE = re.compile(r"[\s\"'\[(,-]*([^\s\"',]+\.ya?ml)[\s\"'\]),\\]*")  # a path that has its line for itself: of a list
_FILLED_IN = re.compile(r"\.ya?ml\.(?:te?m?pl|tmplt?|templ|template|in|j2|gotmpl|envsubst)$")
_LOOPS = re.compile(r"\$|\{\}|\{\{")  # what is named elsewhere
_VARIABLE = re.compile(r"(?:\{\{[^}]*\}\}|\$\{[^}]*\}|\$\w+|\$\([^)]*\))/+")
_ANY = re.compile(r"\{\{[^}]*\}\}|\$\{[^}]*\}|\$\w+|<[\w-]+>")
_WORD = re.compile(r"(?:\{\{[^}]*\}\}|\$\([^)]*\)|<[\w-]+>|[^\s\"'`;|<>&()=])+")
_FOLDER = re.compile(
    r"(?:\s-k|--kustomize|\s-f|--filename|\bbuild|\bkubectl\s+kustomize)[\s=]+(?:--\S+\s+)*[\"']?$"
)  # before a folder
_INNER = re.compile(r"\$\(([^()]*)\)")  # a command whose output is a word
_QUOTED = re.compile(
    r"""(["'])(\$\w+|\$\{[^}]*\})\1(?=/)"""
)  # a variable in quotes of its own, before the rest of a path
_BELOW = re.compile(
    r"(?:\}\}|\}|\$\w+)/(?:\{\{[^}]*\}\}|\$\{[^}]*\}|\$\w+)(?=[\s\"']|$)"
)  # a folder of one variable, a path of another
_ANYWHERE = "${FOLDER}/"
_TELLING = 3  # parts of a path that are no variables, and so are no other's by chance
_DATA = {"Secret", "ConfigMap"}
_RUNNING = {
    "Pod",
    "Deployment",
    "StatefulSet",
    "DaemonSet",
    "ReplicaSet",
    "Job",
    "CronJob",
}  # what they do is not looked at


def find(files: Files, said: Sequence[Line]) -> Iterator[Applied]:
    """What is there by hand, each with the line that says so."""
    for file, own in groupby(said, lambda line: line.place.file):
        applying = [line for line in own if _does(line.text)]
        if file.endswith(".md") and not is_of_the_beginning(files, file):
            continue
        looped = inside = False
        for line in applying:
            if (made := _created(line)) is not None:
                yield made
                continue
            named = [*_named(files, line)]
            looped = looped or (not named and bool(_LOOPS.search(line.text)))
            inside = inside or bool(_BELOW.search(line.text))
            for target in named:
                yield from _objects(files, target, line)
        if looped and not file.endswith(".md"):
            spaces = {space for line in applying if (space := namespace_in(line.text)) and not _LOOPS.search(space)}
            space = spaces.pop() if len(spaces) == 1 else ""
            for target, place in _alone(files, Path(file), inside=inside):
                yield from _objects(files, target, Line(f" -n {space}" if space else "", place))


def addresses(files: Files, said: Sequence[Line]) -> Iterator[tuple[str, Place]]:
    """Manifests of the web that are applied by hand, each with the line that says so."""
    for file, own in groupby(said, lambda line: line.place.file):
        if file.endswith(".md") and not is_of_the_beginning(files, file):
            continue
        applying = [line for line in own if _does(line.text)]
        for line in applying:
            yield from ((found, line.place) for found in _ADDRESS.findall(line.text))
            for target in _named(files, line):
                if target.is_dir() and kustomization.kustomization_of(files, target):
                    yield from ((entry, line.place) for entry, _ in kustomization.folder(files, target).remote)
        if any(_LOOPS.search(line.text) for line in applying):
            for number, text in enumerate(text_of(Path(file)).splitlines(), 1):
                if listed := _LISTED.fullmatch(text):
                    yield listed[1], Place(file, number)


def charts(files: Files, said: Sequence[Line]) -> Iterator[tuple[Path, Place]]:
    """Kustomizations that inflate charts and are applied, each with the line that says so."""
    inflating: list[Path] | None = None
    for line in said:
        if not _does(line.text) or not (
            words := [w[0] for w in _WORD.finditer(line.text) if _FOLDER.search(line.text[: w.start()])]
        ):
            continue
        if inflating is None:
            inflating = [file for file in files.mentioning(b"helmCharts:") if file.name in kustomization.NAMES]
        folders = {file.parent for file in inflating}
        for word in words:
            named = folders & {*_targets(files, word, Path(line.place.file))} or _ending_in(word, inflating)
            yield from ((file, line.place) for file in inflating if file.parent in named)


def _ending_in(word: str, inflating: Sequence[Path]) -> set[Path]:
    """The only one of these folders that ends so: a script may stand anywhere when it names it."""
    parts = Path(word.removeprefix("./")).parts
    found = {file.parent for file in inflating if parts and file.parent.parts[-len(parts) :] == parts}
    return found if len(found) == 1 else set()


def is_of_the_beginning(files: Files, document: str) -> bool:
    """Whether a document is about how the cluster is set up, by its name."""
    return bool(_BEGINNING.search(files.shown(Path(document))))


def _does(text: str) -> bool:
    """Whether it changes the cluster: of what is piped on, the last command says so."""
    return bool(_APPLIES.search(text)) and not _DRY.search(text.rpartition("|")[2])


def namespace_in(text: str) -> str:
    """The namespace that a command names; "" where it names none."""
    found = _NAMESPACE.search(text)
    return found[1] if found else ""


def _created(line: Line) -> Applied | None:
    """What `kubectl create secret` makes; nothing where it does not say in which namespace."""
    found = _CREATES.search(line.text)
    if found is None or not (namespace := namespace_in(line.text)):
        return None
    kind = "Secret" if re.search(r"\screate\s+secret\s", line.text) else "ConfigMap"
    keys = frozenset(_KEY.findall(line.text)) if "--from-env-file" not in line.text else frozenset[str]()
    there = Thing(kind, namespace, found[1], Milestone.MATERIALISED)
    return Applied(there, keys or None, line.place, line.place.file, context(line.text))


def context(text: str) -> str:
    """The context that a command of kubectl names; "" where it names none."""
    found = _CONTEXT.search(text)
    return found[1] if found else ""


def _named(files: Files, line: Line) -> Iterator[Path]:
    """The files, and after -k, -f or `build` the folders, that a command names."""
    whole = _QUOTED.sub(r"\2", line.text)
    for text in (whole, *_INNER.findall(whole)):
        for word in _WORD.finditer(text):
            for target in _targets(files, word[0], Path(line.place.file)):
                if target.is_file() or _FOLDER.search(text[: word.start()]):
                    yield target


def _alone(files: Files, script: Path, *, inside: bool) -> Iterator[tuple[Path, Place]]:
    """Files that have a line for themselves; `inside`: the command puts a folder before each, which only a variable names."""
    for number, text in enumerate(text_of(script).splitlines(), 1):
        word = _ALONE.fullmatch(text)
        for target in _targets(files, f"{_ANYWHERE}{word[1]}" if inside else word[1], script) if word else ():
            yield target, Place(str(script), number)


def _targets(files: Files, word: str, script: Path) -> list[Path]:
    """The files or folders of the repository that a word of a script names, seen from the script, a folder above it, or the
    top. What a leading variable stands for is one of these, too, or a folder at the top; another one is any one name.
    """
    path = _VARIABLE.sub("", word, count=1) if _VARIABLE.match(word) else word
    path = _ANY.sub("*", path.removeprefix("./").rstrip("/"))
    if not path.strip("*/") or _LOOPS.search(path) or path.startswith(("/", "-", "..")):
        return []
    for folder in script.parents:
        if not files.is_inside(folder):
            break
        found = sorted(folder.glob(path)) if "*" in path else [Path(os.path.normpath(folder / path))]
        there = [one for one in found if files.is_inside(one) and one != files.root and _is_there(one)]
        if there:
            return there
    telling = sum("*" not in part for part in path.split("/"))
    if telling < _TELLING - 1 or (path == word and not word.startswith("./")):
        return []
    deeper = (one for depth in ("*", "*/*") for one in sorted(files.root.glob(f"{depth}/{path}")))
    found = [one for one in deeper if files.is_inside(one) and _is_there(one)]
    return found if (path != word and telling >= _TELLING) or len(found) == 1 else []


def _is_there(target: Path) -> bool:
    return target.is_dir() or (target.is_file() and (target.suffix in {".yaml", ".yml"} or _is_template(target)))


def _is_template(target: Path) -> bool:
    return bool(_FILLED_IN.search(target.name))


def _manifests_of(files: Files, target: Path) -> list[Manifest]:
    """The objects of a file; of one that is filled in before, with any text where something is to be put in."""
    if not _is_template(target):
        return clusters.manifests_of(files, target)
    try:
        documents = parse(_ANY.sub("filled-in", text_of(target)))
    except UnreadableError:
        return []
    return [m for document in documents for m in manifests(document, target, NOWHERE)]


def _objects(files: Files, target: Path, line: Line) -> Iterator[Applied]:
    if target.is_dir():
        listing = kustomization.kustomization_of(files, target)
        found = (
            kustomization.folder(files, target).manifests
            if listing
            else [m for file in sorted(target.iterdir()) for m in clusters.manifests_of(files, file) if _is_there(file)]
        )
    else:
        found = _manifests_of(files, target)
    for manifest in found:
        yield from _by(manifest, namespace_in(line.text), line, manifest.file)
        seen = {files.root}
        for inner in _led_to(files, manifest, seen):
            yield from (one._replace(led_to=inner.thing()) for one in _by(inner, "", line, manifest.file))


def _by(manifest: Manifest, namespace: str, line: Line, file: str) -> Iterator[Applied]:
    for there, keys in _there(manifest, namespace):
        yield Applied(there, keys, line.place, file, context(line.text))


def _led_to(files: Files, own: Manifest, seen: set[Path]) -> Iterator[Manifest]:
    """What lies in the path of a Kustomization, and in those of the Kustomizations there."""
    if not flux.is_kustomization(own) or flux.is_suspended(own) or flux.is_elsewhere(own):
        return
    folder = flux.folder_of(own, files.root, files.resolved)
    if folder in seen or not files.is_inside(folder) or not folder.is_dir():
        return
    seen.add(folder)
    space = str(own.at("spec", "targetNamespace", default="") or "")
    for inner in kustomization.folder(files, folder).manifests:
        yield in_namespace(inner, space) if space else inner
        yield from _led_to(files, inner, seen)


def _there(manifest: Manifest, namespace: str) -> Iterator[tuple[Thing, frozenset[str] | None]]:
    """What others may wait for: data, namespaces, kinds, what Flux and operators are told to do."""
    space = "" if manifest.kind in BUILT_IN | CUSTOM else manifest.namespace or namespace or "default"
    there = Thing(manifest.kind, space, manifest.name, Milestone.EXISTS)
    if manifest.kind in _DATA:
        keys = frozenset(map(str, {*manifest.mapping("data"), *manifest.mapping("stringData")}))
        yield there._replace(milestone=Milestone.MATERIALISED), keys or None
    elif manifest.kind == "CustomResourceDefinition":
        group, kind = manifest.at("spec", "group", default=""), manifest.at("spec", "names", "kind", default="")
        yield there, None
        yield Thing("CRD", "", f"{group}/{kind}", Milestone.ESTABLISHED), None
    elif manifest.kind not in _RUNNING:
        yield there, None
