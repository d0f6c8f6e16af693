"""The schemas that come with Rebirth: which kinds there are, in which versions, and what their fields are.

`generate` makes the archive out of what `sources.yaml` names. Nothing is read before it is asked for, and then a file a kind.
"""

import json
import zipfile
from collections.abc import Mapping
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from typing import Any

from rebirth.proof.schemas.shape import Schema, Shape, of_kind

FILE = Path(__file__).parent / "bundle.zip"
INDEX, NATIVE = "index.json", "kubernetes.json"


def entry(group: str, kind: str) -> str:
    """Where the schemas of a custom kind stand in the archive."""
    return f"{group}/{kind}.json"


@dataclass(frozen=True, slots=True)
class Group:
    """An API group as its product serves it."""

    name: str
    product: str
    product_versions: tuple[str, ...]  # whose schemas are here
    kinds: Mapping[str, Mapping[str, Any]]
    charts: Mapping[str, tuple[str, str]]  # by name the oldest and the newest whose kinds these schemas know whole
    settled: bool  # whether that is so, too, of a version that nobody says
    strict: bool  # whether it is the operator that rejects unknown fields of the spec, and not the API server

    @property
    def is_native(self) -> bool:
        return self.product == "Kubernetes"

    def versions(self, kind: str) -> tuple[str, ...]:
        """The versions of that kind; none where the group does not have it."""
        return tuple(self.kinds[kind]["versions"]) if kind in self.kinds else ()

    def is_namespaced(self, kind: str) -> bool:
        return bool(self.kinds[kind]["scope"] == "Namespaced")


def kubernetes() -> str:
    """The version of Kubernetes whose kinds these are."""
    return str(_index()["kubernetes"])


def gone(group: str, version: str) -> str:
    """The version of Kubernetes that no longer serves that version of a group; "" where none is known."""
    return str(_index()["gone"].get(f"{group}/{version}" if group else version, ""))


@cache
def group(name: str) -> Group | None:
    found = _index()["groups"].get(name)
    if found is None:
        return None
    charts = {chart: (since, until) for chart, (since, until) in found.get("charts", {}).items()}
    return Group(
        name,
        found["product"],
        tuple(found["versions"]),
        found["kinds"],
        charts,
        bool(found.get("settled")),
        bool(found.get("strict")),
    )


@cache
def homes(kind: str) -> tuple[str, ...]:
    """The groups of Kubernetes itself that have a kind of that name, as apiVersions, the newest first."""
    return tuple(
        f"{name}/{version}" if name else version
        for name, found in _index()["groups"].items()
        if found["product"] == "Kubernetes" and kind in found["kinds"]
        for version in sorted(
            found["kinds"][kind]["versions"], key=lambda version: ("alpha" in version, "beta" in version, version)
        )
    )


@cache
def shape(name: str, version: str, kind: str) -> Shape | None:
    """The schema of a kind; None where it is not here."""
    found = group(name)
    if found is None or version not in found.versions(kind):
        return None
    if found.is_native:
        return of_kind(_definitions()[found.kinds[kind]["versions"][version]], _native)
    return of_kind(_read(entry(name, kind))[version])


@cache
def _native(name: str) -> Shape:
    return Shape(_definitions()[name], _native)


@cache
def _definitions() -> Mapping[str, Schema]:
    return _read(NATIVE)


@cache
def _index() -> Mapping[str, Any]:
    return _read(INDEX)


def _read(name: str) -> Mapping[str, Any]:
    with zipfile.ZipFile(FILE) as archive:
        found: Mapping[str, Any] = json.loads(archive.read(name))
        return found
