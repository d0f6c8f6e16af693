"""Files that no kustomization lists, and that would make what somebody needs. Read last: only what is needed is reported."""

from collections import defaultdict
from collections.abc import Iterator
from pathlib import Path

from rebirth.proof.charts import knowledge
from rebirth.proof.graph import Graph
from rebirth.proof.reading.kustomization import NAMES
from rebirth.proof.reading.manifest import Manifest, Model, thing
from rebirth.proof.sources import external_secrets
from rebirth.proof.things import Milestone, Thing

_BOTH = (Milestone.EXISTS, Milestone.MATERIALISED)


def read(model: Model, graph: Graph) -> None:
    wanted: dict[tuple[str, str], list[Thing]] = defaultdict(list)
    for one in graph.edges:
        if one not in graph.starts and not graph.edges[one]:
            wanted[one.kind, one.name].append(one)
    spaces = _namespaces(model) if wanted and model.orphans else {}
    for orphan in model.orphans if wanted else ():
        beside = spaces.get(str(Path(orphan.file).parent), set())
        for kind, namespace, name in _makes(orphan):
            for one in wanted.get((kind, name), ()):
                # What is in no namespace stands among objects of one.
                if not one.namespace or one.namespace in ({namespace} if namespace else beside or {one.namespace}):
                    _tell(model, orphan, one, graph)


def _makes(orphan: Manifest) -> Iterator[tuple[str, str, str]]:
    """Kind, namespace and name of all that the object is or makes."""
    yield orphan.kind, orphan.namespace, orphan.name
    if orphan.group == external_secrets.GROUP and orphan.kind == "ExternalSecret":
        yield "Secret", orphan.namespace, external_secrets.target(orphan.mapping("spec"), orphan.name)
    elif orphan.kind == "SealedSecret":
        yield "Secret", orphan.namespace, orphan.name
    for made in knowledge.made_by(orphan.group, orphan.data):
        yield made.kind, made.namespace, made.name


def _namespaces(model: Model) -> dict[str, set[str]]:
    """Folder -> the namespaces of the objects in its listed files."""
    found: dict[str, set[str]] = defaultdict(set)
    for member, _ in model.objects():
        if member.file and member.namespace:
            found[member.file.rpartition("/")[0]].add(member.namespace)
    return found


def _tell(model: Model, orphan: Manifest, one: Thing, graph: Graph) -> None:
    listing = _kustomization(Path(orphan.file), model.root)
    if listing is None:
        return
    entry = Path(orphan.file).relative_to(listing.parent).as_posix()
    words = f"{entry} would make {one.label}, and {listing.name} beside it does not list it"
    graph.remark(
        "orphan", orphan.place("metadata", "name"), words, thing(one.kind, one.namespace, one.name),
        file=orphan.file, kustomization=str(listing), line=str(_list_in(listing)), entry=entry,
        sealed="yes" if "sops" in orphan.data else "",
    )  # fmt: skip


def _list_in(listing: Path) -> int:
    """The line of a kustomization's `resources`."""
    lines = listing.read_text(encoding="utf-8", errors="replace").splitlines()
    return next((number for number, line in enumerate(lines, 1) if line.startswith("resources:")), 1)


def _kustomization(file: Path, root: Path) -> Path | None:
    """The kustomization that would have to list the file: in its folder, or the nearest above."""
    for folder in file.parents:
        for name in NAMES:
            if (folder / name).is_file():
                return folder / name
        if folder == root:
            return None
    return None
