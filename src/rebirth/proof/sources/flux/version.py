"""What depends on the version of Flux that the repository brings.

From 2.9 on a variable without a value fails its Kustomization: kustomize-controller 1.9 (CHANGELOG), unless its feature gate
StrictPostBuildSubstitutions is switched off. From 2.3 on kustomize rejects a field that a file of its `configurations` cannot have:
kustomize-controller 1.3 has kustomize's api 0.17, which reads it strictly; 1.2 has 0.16, which leaves such a field out (read in their sources).
"""

import re
from collections.abc import Iterator

from rebirth.proof.graph import Graph
from rebirth.proof.reading import flux, pods
from rebirth.proof.reading.manifest import Manifest, Model
from rebirth.proof.things import Place

_GATE = "StrictPostBuildSubstitutions"
_STRICT = (2, 9)
_CONFIGURED = (2, 3)
_CONTROLLER = "kustomize-controller"
_IMAGE = re.compile(rf"/{_CONTROLLER}:v?(\d+)\.(\d+)\.")  # 1.9 is of Flux 2.9, 0.35 of 0.41
_FLUX = re.compile(r"v?(\d+)\.(\d+)(?:\.|$)")
_REMOTE = re.compile(r"fluxcd/flux2/(?:.*[?&]ref=|releases/download/)v?(\d+)\.(\d+)\.")  # an entry of a kustomization
_MANIFESTS = "fluxcd/flux-manifests"  # the artifact of its own objects
# Which version of Flux was the first to have a version of a kind (its release notes).
_SINCE = {
    ("HelmRelease", f"{flux.HELM}/v2"): _CONFIGURED,
    ("HelmRepository", f"{flux.SOURCE}/v1"): _CONFIGURED,
    ("HelmChart", f"{flux.SOURCE}/v1"): _CONFIGURED,
    ("OCIRepository", f"{flux.SOURCE}/v1"): (2, 6),
    ("FluxInstance", "fluxcd.controlplane.io/v1"): _CONFIGURED,
}

Version = tuple[int, int]


def read(model: Model, graph: Graph) -> None:
    """Nothing is said where no version is known."""
    told = flux.is_told(model, f"{_GATE}=true")
    for place, version in _versions(model):
        graph.remark("flux-version", place, "Flux {}.{}".format(*version), strict=str(version >= _CONFIGURED))
        if (told or version >= _STRICT) and not flux.is_told(model, f"{_GATE}=false"):
            graph.remark("strict-variables", place, "Flux {}.{}".format(*version))
        return
    for (kind, api_version), since in _SINCE.items():
        for member, _ in model.objects(kind):
            if member.data.get("apiVersion") == api_version:
                words = f"{kind} {api_version.rpartition('/')[2]}, which is of Flux {since[0]}.{since[1]} or later,"
                graph.remark("flux-version", member.place("apiVersion"), words, strict="True")
                return


def _versions(model: Model) -> Iterator[tuple[Place, Version]]:
    yield from _run(model)
    path = ("spec", "distribution", "version")
    for instance, _ in model.objects("FluxInstance"):
        if found := _FLUX.match(str(instance.at(*path, default=""))):
            yield instance.place(*path), (int(found[1]), int(found[2]))
    for source, _ in model.objects("OCIRepository"):
        if _MANIFESTS in str(source.at("spec", "url", default="")) and (found := _tag(source)):
            yield source.place("spec", "ref", "tag"), (int(found[1]), int(found[2]))
    for entry, place in model.remote.items():
        if found := _REMOTE.search(entry):
            yield place, (int(found[1]), int(found[2]))


def _run(model: Model) -> Iterator[tuple[Place, Version]]:
    for member, unit in model.objects("Deployment"):
        if member.name == _CONTROLLER and (running := pods.of(member, unit)):
            for part, index, container in running.containers():
                if found := _IMAGE.search(str(container.get("image", ""))):
                    yield running.place(part, index, "image"), _of_controller(found)


def _of_controller(found: re.Match[str]) -> Version:
    """Flux has the minor version of its controllers since 2.0."""
    return (2, int(found[2])) if found[1] == "1" else (0, int(found[2]))


def _tag(source: Manifest) -> re.Match[str] | None:
    return _FLUX.match(str(source.at("spec", "ref", "tag", default="")))
