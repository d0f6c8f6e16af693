"""What an unknown may make: whether something that files do not show may meet a need.

An unknown hides narrowly. A chart makes no objects of Flux, and none in the namespaces of others; a file that cannot be read
holds what is written in it; and nobody keeps, in another repository, what Flux decrypts or substitutes with. Within these bounds an
unknown is taken for the maker of what it is called like, of what is written in it, and of what comes after it. Of anything else it could
be the maker, but nothing speaks for it.
"""

import re
from collections.abc import Iterable, Sequence
from enum import IntEnum
from functools import cached_property

from rebirth.proof.graph import Graph
from rebirth.proof.rules.order import UNITS, Order, UnitName
from rebirth.proof.things import Edge, Extent, Milestone, Need, Thing, Unknown
from rebirth.proof.words import alike, initials, pieces

FLUX = frozenset({
    "Kustomization", "HelmRelease", "GitRepository", "OCIRepository", "HelmRepository", "HelmChart", "Bucket", "ExternalArtifact",
})  # fmt: skip
# What people place by hand: no file of another repository, and no chart, holds it.
_BY_HAND = frozenset({Need.DECRYPTION, Need.VARIABLES})


_HELD = frozenset({"Secret", "ConfigMap", "PersistentVolumeClaim"})
_STORES = frozenset({"SecretStore", "ClusterSecretStore"})
_CRDS = re.compile(r"(^|[^a-z])crds?(\.ya?ml)?/?$")  # what is called so holds nothing else


class Chance(IntEnum):
    """Whether an unknown makes something."""

    NONE = 0  # it cannot
    SLIM = 1  # it could, and nothing speaks for it
    FAIR = 2  # its name, its text or the order speaks for it


class Unknowns:
    """Questions about what the unknowns of one graph may make."""

    def __init__(self, graph: Graph) -> None:
        self.graph = graph

    @cached_property
    def _order(self) -> Order:
        return self.graph.about(Order)

    @cached_property
    def _waited(self) -> dict[Thing, set[Thing]]:
        return {}

    def chance(self, thing: Thing, uses: Iterable[Edge] = ()) -> Chance:
        """The best chance that all who need it get it; without `uses`: that anybody does."""
        uses = [*uses]
        if not uses:
            return self._best(thing, None)
        return min(self._best(thing, use) for use in uses)

    def _best(self, thing: Thing, use: Edge | None) -> Chance:
        return max((self.of(unknown, thing, use) for unknown in self.graph.unknowns), default=Chance.NONE)

    def of(self, unknown: Unknown, thing: Thing, use: Edge | None) -> Chance:
        """The chance that one unknown makes a thing in time for who needs it."""
        if not _can(unknown, thing) or (use is not None and self._too_late(unknown, use)):
            return Chance.NONE
        if thing.kind == "Namespace" and unknown.extent in {Extent.CHART, Extent.BASE}:
            # Those that they make are called like them; values name namespaces for many reasons, unless they hold whole objects.
            written = "Namespace" in unknown.names and thing.name in unknown.names
            return Chance.FAIR if written or _is_its_space(unknown, thing) else Chance.NONE
        if unknown.extent is Extent.FILE or _called(thing) & unknown.names or _alike(unknown, thing):
            return Chance.FAIR
        return Chance.FAIR if use is not None and self._follows(unknown, thing, use) else Chance.SLIM

    def kept_apart(self, cycle: Sequence[Edge]) -> bool:
        """Whether a CRD in a cycle likely comes out of another repository, and in time: many keep those of a chart apart from its
        release, in a Kustomization of their own that is called like it.
        """
        return any(
            self._apart(unknown, edge, maker.needs)
            for edge, maker in zip(cycle, (*cycle[1:], *cycle[:1]), strict=True)
            if edge.need in {Need.CRD, Need.LIKELY}
            for unknown in self.graph.unknowns
            if unknown.extent in {Extent.UNIT, Extent.BASE}
        )

    def _apart(self, unknown: Unknown, use: Edge, maker: Thing) -> bool:
        if not _can(unknown, use.needs) or self._too_late(unknown, use):
            return False
        return _alike(unknown, use.needs) or alike(pieces(maker.name), unknown.words)

    def _too_late(self, unknown: Unknown, use: Edge) -> bool:
        """Whether it is made only after what needs it, or is none of the things that are made so."""
        if use.need in _BY_HAND and (unknown.extent is Extent.CHART or not _called(use.needs) & unknown.names):
            return True
        if unknown.by is None:
            return False
        if unknown.extent is Extent.CHART and use.by.label == unknown.by.label:
            return True
        if unknown.extent is Extent.BASE and use.by.label == unknown.by.label:
            return False  # it is built into the same Kustomization
        begun = unknown.by._replace(milestone=Milestone.STARTED)
        if begun not in self._waited:
            self._waited[begun] = self.graph.before(begun) | {begun}
        return use.by in self._waited[begun]

    def _follows(self, unknown: Unknown, thing: Thing, use: Edge) -> bool:
        """Whether what needs it is declared to come after the unknown, or waits for the health of what is applied with it."""
        if unknown.by is None or (unknown.extent is Extent.CHART and thing in self.graph.recognised):
            return False  # of an operator that is known the charts are known, too
        if unknown.partly and thing.kind in _HELD:
            return False  # what others need of it is known
        if unknown.extent is Extent.BASE and thing.kind == "Secret":
            return False  # another owner's repository holds those of its own programs, which are called like it
        unit = UnitName(*unknown.by[:3])
        if unit.kind == "Helm release":
            return True  # before Flux
        users = self._order.units(use.by)
        beside = use.need is Need.HEALTH and set(users) & {unit, *self._order.applied_by(unknown.by)}
        return bool(beside) or any(unit in self._order.before(user) for user in users)


def _can(unknown: Unknown, thing: Thing) -> bool:
    """Whether such an unknown may make such a thing at all."""
    if unknown.extent is Extent.NOTHING or thing.kind in UNITS - FLUX:
        return False
    if thing.kind != "CRD" and unknown.extent is Extent.BASE and _CRDS.search(unknown.what.partition("?")[0]):
        return False
    if thing.kind in _STORES and (unknown.extent is Extent.CHART or unknown.foreign):
        return thing.name in unknown.names  # whoever reads Secrets says where they lie
    if unknown.partly and thing.kind.endswith("Class"):
        return False  # of a chart that is known in part its classes are known
    if unknown.extent is Extent.FILE:
        return bool(_called(thing) & unknown.names)
    if unknown.extent is Extent.COMMAND:  # kinds and classes; of anything else only what it names
        if thing.kind in FLUX and thing.namespace not in unknown.names:
            return False
        return thing.kind == "CRD" or thing.kind.endswith("Class") or bool(_called(thing) & unknown.names)
    named = any("flux" in word for word in unknown.words)
    if thing.kind in FLUX and (unknown.foreign or (unknown.extent is not Extent.UNIT and not named)):
        return False
    if (
        thing.kind in FLUX
        and unknown.extent is Extent.UNIT
        and unknown.names
        and not {thing.kind, "Kustomization"} & unknown.names
    ):
        return False  # the templates of a ResourceSet say which kinds it makes
    return not thing.namespace or unknown.namespace in {"", thing.namespace}


def _is_its_space(unknown: Unknown, thing: Thing) -> bool:
    """Whether a namespace is called like what may make it: like a chart or its release, but for a word at the end."""
    if unknown.extent is not Extent.CHART or unknown.by is None:
        return _alike(unknown, thing)
    own = {unknown.by.name, unknown.what.rpartition("(chart ")[2].rstrip(")")} - {""}
    alike = (
        f"{one}-".startswith(f"{other}-") for name in own for one, other in ((name, thing.name), (thing.name, name))
    )
    return any(alike)


def _called(thing: Thing) -> set[str]:
    """Names by which it is written: of a CRD its group, in which all its kinds stand together."""
    return {thing.name.partition("/")[0]} if thing.kind == "CRD" else {thing.name}


def _alike(unknown: Unknown, thing: Thing) -> bool:
    # Of a group all but its end, which says as little as that of a host.
    name = thing.name.partition("/")[0].rpartition(".")[0] if thing.kind == "CRD" else thing.name
    found = pieces(name)
    shortened = thing.kind == "CRD" and initials(unknown.what.rpartition("(chart ")[2].rstrip(")")) in found
    return shortened or alike(found, unknown.words)
