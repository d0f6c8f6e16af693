"""Where the root of a failure is written: the object in the repository, and the field that the API server named."""

import re
from collections.abc import Iterator

from rebirth.diagnosis.root_cause import Cause
from rebirth.diagnosis.wanted import Key
from rebirth.proof.graph import Graph
from rebirth.proof.reading.manifest import Manifest, Model
from rebirth.proof.things import NOWHERE, Place

# What kustomize-controller says of an object that the API server refuses: Kind/namespace/name dry-run failed ...
_REFUSED = re.compile(
    r"(?P<kind>[A-Z]\w+)/(?:(?P<namespace>[\w.-]+)/)?(?P<name>[\w.:-]+) (?:dry-run|apply|not found|namespace)"
)
# What the API server says of a field: spec.replicas: Invalid value ..., or .spec.replicas: expected ..., "spec.foo"
_FIELD = re.compile(r"(?<![\w.])\.?((?:[a-z]\w*)(?:\.\w+|\[\d+\]|\[\"?[\w./-]+\"?\])+)")
_PART = re.compile(r"\.?(\w+)|\[(\d+)\]|\[\"?([\w./-]+)\"?\]")
_UNKNOWN_FIELD = re.compile(r"field not declared in schema")


def place_of(cause: Cause, held: list[Key], model: Model, graph: Graph) -> Place:
    """The most exact place that is known; NOWHERE where nothing in the repository says it."""
    for named in (*_refused(cause.message), cause.key):
        if found := _found(named, model):
            return _field_of(found, cause.message)
    if used := _user(cause.key, graph):
        return used
    for node in held:
        if found := _found(node, model):
            return found.place("metadata", "name")
    return NOWHERE


def _refused(message: str) -> Iterator[Key]:
    for match in _REFUSED.finditer(message):
        yield match["kind"], match["namespace"] or "", match["name"]


def _found(key: Key, model: Model) -> Manifest | None:
    kind, namespace, name = key
    for space in dict.fromkeys((namespace, "")):
        if found := model.find(kind, space, name):
            return found[0][0]
    return None


def _field_of(manifest: Manifest, message: str) -> Place:
    """The line of the field that the message names, else of the object."""
    for match in _FIELD.finditer(message):
        path = tuple(int(number) if number else word or key for word, number, key in _PART.findall(match[1]))
        for end in range(len(path), 0, -1):
            if manifest.at(*path[:end]) is not None:
                return manifest.place(*path[:end])
    return manifest.place("metadata", "name")


def _user(key: Key, graph: Graph) -> Place | None:
    """Where somebody names what does not exist."""
    kind, namespace, name = key
    for thing, edges in graph.needed_by().items():
        if (thing.kind, thing.namespace, thing.name) == (kind, namespace, name):
            for edge in edges:
                if edge.place.file:
                    return edge.place
    return None
