"""What a repository keeps for whoever sets the cluster up before Flux runs: objects in a folder `bootstrap` that no Kustomization
leads to. They are there from the start; the values of their Secrets are filled in by hand or by a program.
"""

from collections.abc import Collection, Iterator
from pathlib import Path

from rebirth.proof.graph import Graph, Milestone
from rebirth.proof.reading import clusters, kustomization, scopes
from rebirth.proof.reading.manifest import Manifest, Model, thing
from rebirth.proof.reading.repository_files import Files
from rebirth.sources.knowledge import crd

_FOLDER = "bootstrap"
_DATA = {"Secret", "ConfigMap"}


def find(files: Files, listed: Collection[Path]) -> Iterator[Manifest]:
    """The objects of such folders, with the namespaces that their kustomizations give them."""
    apart = [f for f in files.yaml_files() if _FOLDER in f.relative_to(files.root).parts[:-1] and f not in listed]
    built = [kustomization.folder(files, f.parent) for f in apart if f.name in kustomization.NAMES]
    inner = {file.parent for folder in built for file in folder.kustomizations if file.parent != folder.path}
    taken: set[Path] = set()
    for folder in built:
        taken |= folder.files
        if folder.path not in inner:
            yield from folder.manifests
    for file in apart:
        if file not in taken and file.name not in kustomization.NAMES:
            yield from clusters.manifests_of(files, file)


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
