"""What releases of a helmfile wait for: helmfile itself ends before it installs anything where one needs a release that the file does not
have (helmfile, pkg/state: UndefinedDependencyError).
"""

from collections.abc import Iterator, Mapping
from pathlib import Path

from rebirth.proof.graph import Graph
from rebirth.proof.reading.manifest import Model
from rebirth.proof.reading.mentioned import as_list
from rebirth.proof.reading.start.helmfiles import documents
from rebirth.proof.reading.yaml_files import UnreadableError, text_of
from rebirth.proof.things import Place

_ELSEWHERE = ("bases", "helmfiles", "templates")  # by which releases come from other files, or needs from templates


def read(model: Model, graph: Graph) -> None:
    for file in model.helmfiles:
        for place, words in _lost(file):
            graph.remark("helmfile-needs", place, words)


def _lost(file: Path) -> Iterator[tuple[Place, str]]:
    parts = [(one.line, one.data) for one in documents(file) if isinstance(one.data, Mapping)]
    try:
        templated = "{{" in text_of(file)
    except UnreadableError:
        return
    if templated or any(data.get(field) for _, data in parts for field in _ELSEWHERE):
        return
    releases = [
        (Place(str(file), line, ("releases", number)), entry)
        for line, data in parts
        for number, entry in enumerate(as_list(data.get("releases")))
        if isinstance(entry, Mapping)
    ]
    there = {(str(entry.get("namespace") or ""), str(entry.get("name"))) for _, entry in releases}
    for place, entry in releases:
        for index, need in enumerate(as_list(entry.get("needs"))):
            *before, name = str(need).split("/")
            space = before[-1] if before else None
            if not any(name == other and space in {None, inside} for inside, other in there):
                like = next((f"{inside}/{other}" for inside, other in sorted(there) if other == name), "")
                words = f"release {entry.get('name')} needs {need}, and the helmfile has no such release"
                words += f"; there is {like}" if like else ""
                yield place._replace(path=(*place.path, "needs", index)), words
