"""What a repository keeps for whoever sets the cluster up before Flux runs: objects in a folder `bootstrap` that no Kustomization
leads to, and what its scripts and documents apply with kubectl. They are there from the start; the values of their Secrets are
filled in by hand or by a program.
"""

import re
from collections.abc import Iterator
from pathlib import Path

from rebirth.proof.charts.knowledge import crd, operators
from rebirth.proof.graph import Graph
from rebirth.proof.reading import scopes
from rebirth.proof.reading.manifest import Model, thing
from rebirth.proof.reading.start.folders import is_for_bootstrap
from rebirth.proof.things import Milestone

_OF_CRDS = re.compile(r"crd[^/]*$|crds?/(?:[^/]+/)?[^/]+$")
_DATA = {"Secret", "ConfigMap"}


def read(model: Model, graph: Graph) -> None:
    for member in model.seeded:
        why, place = "it is kept in a bootstrap folder, and applied before Flux runs", member.place()
        graph.given(member.thing(), why, place)
        if member.kind in _DATA:
            holder = member.thing(Milestone.MATERIALISED)
            graph.given(holder, why, place)
            graph.holds(holder, {*member.mapping("data"), *member.mapping("stringData")} or None, place)
        if member.kind == "CustomResourceDefinition":
            group, kind = member.at("spec", "group", default=""), member.at("spec", "names", "kind", default="")
            graph.given(crd(str(group), str(kind)), why, place)
        if member.namespace and member.kind not in scopes.BUILT_IN | scopes.CUSTOM:
            graph.given(thing("Namespace", "", member.namespace), why, place)
    for address, place in model.fetched:
        why = f"it is applied by hand before Flux, says {Path(place.file).relative_to(model.root)}"
        if is_for_bootstrap(Path(place.file), model.root):
            why = "it is kept in a bootstrap folder, and applied before Flux runs"
        for group, kind in _kinds(address):
            graph.assumed(crd(group, kind), why, place)
    _applied(model, graph)


def _applied(model: Model, graph: Graph) -> None:
    for one in model.applied:
        if one.led_to and model.find(one.led_to.kind, one.led_to.namespace, one.led_to.name):
            continue  # it comes when Flux applies it, and is looked at there
        said = f"{Path(one.place.file).relative_to(model.root)}:{one.place.line}"
        why = f"it is applied by hand before Flux, says {said}"
        if one.led_to:
            why = f"it lies in the path of a Kustomization that is applied by hand, says {said}"
        for there in (one.thing, one.thing._replace(milestone=Milestone.EXISTS)):
            graph.assumed(there, why, one.place)
        if one.thing.kind in _DATA:
            graph.holds(one.thing, one.keys, one.place)


def _kinds(address: str) -> Iterator[tuple[str, str]]:
    """The kinds in a file of the web that is called, or lies in a folder that is called, after the CRDs of an operator that is known."""
    path = address.rpartition("/")[0]
    for known in operators() if _OF_CRDS.search(address) else ():
        if any(f"/{piece}/" in f"{path}/" for piece in (known.name, *known.images)):
            yield from ((crds.group, kind) for crds in known.crds for kind in crds.kinds)
