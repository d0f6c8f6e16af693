"""A path that Flux cannot build.

What it finds:
    A Kustomization whose path does not exist, is a file, or leads out of the repository; an entry of a kustomization.yaml
    that names nothing, or belongs into another list; two entries on one line; a patch, generator or image that is no mapping; another apiVersion or kind than kustomize's; kustomizations that include each other; a file that is not YAML or not a
    Kubernetes object; one object that two entries bring; and whatever else kustomize rejects. A field that a file of `configurations` cannot
    have is a warning where the repository does not show that its Flux is 2.3 or later: an earlier one leaves it out.

Why it cannot work:
    Flux builds the whole path before it applies anything: one missing entry, and nothing of that Kustomization is applied,
    nor of those that depend on it.

Example:
    `- a.yaml b.yaml` under resources: kustomize looks for one file of that name.

Instead:
    Correct the entry, or commit the file. Flux packs the repository without symbolic links and without submodules that its
    GitRepository does not ask for.
"""

from collections.abc import Iterator

from rebirth.proof.graph import Graph
from rebirth.proof.rules.finding import Finding, Severity
from rebirth.proof.things import Remark

_INSTEAD = {
    "missing-file": "Correct the entry, or commit what it names.",
    "bad-entry": "Write one path per entry.",
    "wrong-list": "List a folder with a Component below `components`, any other below `resources`, and never its kustomization.yaml.",
    "missing-path": "Correct spec.path: it is relative to the top of the repository.",
    "path-outside": "Correct spec.path: it is relative to the top of the repository.",
    "kustomize-cycle": "Move what both need into a folder of its own.",
    "not-an-object": "Keep values and other files out of folders whose manifests Flux collects, or list manifests in a kustomization.yaml.",
    "not-a-kustomization": "Write a kustomization.yaml: a mapping with a list of resources.",
    "ill-formed": "Write it as kustomize has it: `kubectl kustomize` on the folder reports the same.",
    "unreadable": "Correct the YAML: look at indentation, colons and quotes, of this line and of the one above.",
    "added-twice": "List the file once, or give one of the objects another name or namespace.",
    "build-error": "Fix what kustomize reports; `kubectl kustomize` on the folder reports the same.",
}

_OF_GENERATOR = 3  # steps to its list of files


def r40_build(graph: Graph) -> Iterator[Finding]:
    for remark in graph.marked(*_INSTEAD):
        yield Finding(
            "R40",
            Severity.ERROR,
            _message(remark),
            remark.place,
            why="Flux builds the whole path before it applies anything of it.",
            instead=_INSTEAD[remark.slug],
            cause=_cause(remark),
        )
    yield from _settings(graph)
    for remark in graph.marked("unread"):
        yield Finding(
            "R40",
            Severity.INFO,
            f"{_name(remark)} {remark.words}, and is not read",
            remark.place,
            instead="Split it; a build may also need a machine that is less busy.",
        )


def _settings(graph: Graph) -> Iterator[Finding]:
    """What kustomize rejects only since Flux 2.3; before, it left such a field out."""
    flux = next(iter(graph.marked("flux-version")), None)
    for remark in graph.marked("unknown-setting"):
        rejects = flux is not None and flux["strict"] == "True"
        if rejects and flux:
            why = f"kustomize rejects it since Flux 2.3, and nothing of the path is applied. {flux.words} is used here."
        else:
            why = f"{flux.words if flux else 'Flux before 2.3'} ignores it; from 2.3 on nothing of the path is applied."
        yield Finding(
            "R40",
            Severity.ERROR if rejects else Severity.WARNING,
            remark.words,
            remark.place,
            why=why,
            instead="Remove the field, or correct its name.",
            cause=remark["field"],
        )


def _cause(remark: Remark) -> str:
    """Files that are no manifests are in one folder for one reason; so are missing ones that one generator names."""
    if remark.slug == "missing-file" and len(remark.place.path) > _OF_GENERATOR:
        return " ".join(map(str, (remark.place.file, remark.place.line, *remark.place.path[:_OF_GENERATOR])))
    return remark.place.file.rpartition("/")[0] if remark.slug == "not-an-object" else ""


def _message(remark: Remark) -> str:
    if remark.slug in {"missing-path", "path-outside"} and remark.about:
        return f"{remark.about.label}: path {remark.words}"
    if remark.slug == "build-error":
        return f"kustomize cannot build {remark.about.label if remark.about else _name(remark)}: {remark.words}"
    if remark.slug in {"unreadable", "not-an-object", "not-a-kustomization"}:
        return f"{_name(remark)} {remark.words}"
    return remark.words


def _name(remark: Remark) -> str:
    return "/".join(remark.place.file.rsplit("/", 2)[-2:])
