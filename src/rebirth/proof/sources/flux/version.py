"""What depends on the version of Flux that the repository brings: from 2.9 on a variable without a value fails its Kustomization.

kustomize-controller 1.9 (CHANGELOG): StrictPostBuildSubstitutions is on unless its feature gate is switched off.
"""

import re
from collections.abc import Iterator

from rebirth.proof.graph import Graph
from rebirth.proof.reading import flux, pods
from rebirth.proof.reading.manifest import Model
from rebirth.proof.things import Place

_GATE = "StrictPostBuildSubstitutions"
_STRICT = (2, 9)
_CONTROLLER = "kustomize-controller"
_IMAGE = re.compile(rf"/{_CONTROLLER}:v?1\.(\d+)\.")  # 1.9 is of Flux 2.9
_FLUX = re.compile(r"v?2\.(\d+)(?:\.|$)")


def read(model: Model, graph: Graph) -> None:
    """Nothing is said where no version is known, such as `2.x`."""
    if flux.is_told(model, f"{_GATE}=false"):
        return
    told = flux.is_told(model, f"{_GATE}=true")
    for place, version in _versions(model):
        if told or version >= _STRICT:
            graph.remark("strict-variables", place, "Flux {}.{}".format(*version))
            return


def _versions(model: Model) -> Iterator[tuple[Place, tuple[int, int]]]:
    for member, unit in model.objects("Deployment"):
        if member.name == _CONTROLLER and (running := pods.of(member, unit)):
            for part, index, container in running.containers():
                if found := _IMAGE.search(str(container.get("image", ""))):
                    yield running.place(part, index, "image"), (2, int(found[1]))
    path = ("spec", "distribution", "version")
    for instance, _ in model.objects("FluxInstance"):
        if found := _FLUX.match(str(instance.at(*path, default=""))):
            yield instance.place(*path), (2, int(found[1]))
