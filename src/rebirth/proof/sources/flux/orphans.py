"""Files that no kustomization lists, and that would make what somebody needs. Read last: only what is needed is reported."""

import re
from collections import defaultdict
from pathlib import Path

from rebirth.proof.graph import Graph
from rebirth.proof.reading import flux
from rebirth.proof.reading.kustomization import NAMES
from rebirth.proof.reading.manifest import Manifest, Model, thing
from rebirth.proof.sources import external_secrets
from rebirth.proof.things import Milestone, Thing

# What a file is called that somebody fills in, and applies by hand or under another name.
_PATTERN = frozenset({"template", "templates", "example", "sample", "tmpl", "tpl", "dist"})
_BOTH = (Milestone.EXISTS, Milestone.MATERIALISED)


def read(model: Model, graph: Graph) -> None:
    wanted: dict[tuple[str, str], list[Thing]] = defaultdict(list)
    for one in graph.edges:
        if one not in graph.starts and not graph.edges[one]:
            wanted[one.kind, one.name].append(one)
    spaces = _namespaces(model) if wanted and model.orphans else {}
    for orphan in model.orphans if wanted else ():
        beside = spaces.get(str(Path(orphan.file).parent), set())
        for kind, namespace, name in external_secrets.makes(orphan):
            for one in wanted.get((kind, name), ()):
                # What is in no namespace stands among objects of one.
                if not one.namespace or one.namespace in ({namespace} if namespace else beside or {one.namespace}):
                    _tell(model, orphan, one, graph)


def _namespaces(model: Model) -> dict[str, set[str]]:
    """Folder -> the namespaces of the objects in its listed files."""
    found: dict[str, set[str]] = defaultdict(set)
    for member, _ in model.objects():
        if member.file and member.namespace:
            found[member.file.rpartition("/")[0]].add(member.namespace)
    return found


def _tell(model: Model, orphan: Manifest, one: Thing, graph: Graph) -> None:
    listing = _kustomization(Path(orphan.file), model)
    if listing is None or not _PATTERN.isdisjoint(re.split(r"[._-]", Path(orphan.file).name.lower())):
        return
    entry = Path(orphan.file).relative_to(listing.parent).as_posix()
    words = f"{entry} would make {one.label}, and {listing.name} beside it does not list it"
    graph.remark(
        "orphan", orphan.place("metadata", "name"), words, thing(one.kind, one.namespace, one.name),
        file=orphan.file, kustomization=str(listing), line=str(_list_in(listing)), entry=entry,
        sealed="yes" if "sops" in orphan.data and not _unsealed(model, listing, Path(orphan.file)) else "", unit=_unit_of(model, listing),
    )  # fmt: skip


def _unsealed(model: Model, listing: Path, orphan: Path) -> bool:
    """Whether Flux is to decrypt it: another file with the keys of SOPS is listed there, or one of its very name beside another
    kustomization. Any other may be applied by hand.
    """
    listed = {Path(member.file) for member, _ in model.objects("Secret") if "sops" in member.data}
    beside = orphan.parent == listing.parent
    return any(file.parent == listing.parent or (beside and file.name == orphan.name) for file in listed)


def _unit_of(model: Model, listing: Path) -> str:
    """The Kustomization that would apply it: namespace/name; "" where it is none with a path of its own."""
    for unit in model.units:
        if (
            unit.own is not None
            and flux.is_kustomization(unit.own)
            and flux.folder_of(unit.own, model.root) == listing.parent
        ):
            return f"{unit.own.namespace}/{unit.own.name}"
    return ""


def _list_in(listing: Path) -> int:
    """The line of a kustomization's `resources`."""
    lines = listing.read_text(encoding="utf-8", errors="replace").splitlines()
    return next((number for number, line in enumerate(lines, 1) if line.startswith("resources:")), 1)


def _kustomization(file: Path, model: Model) -> Path | None:
    """The kustomization that would have to list the file: of those that are read the one in its folder, or the nearest above."""
    for folder in file.parents:
        for name in NAMES:
            if folder / name in model.listed:
                return folder / name
        if folder == model.root:
            return None
    return None
