"""Claims that name their volume: one that no kustomization lists, or that is not what they ask for (checkVolumeSatisfyClaim in Kubernetes'
volume controller). A volume that no file holds may be a driver's, or somebody's from an earlier life: nothing is said of it.
"""

from rebirth.proof.graph import Graph
from rebirth.proof.reading.manifest import Manifest, Model, thing
from rebirth.proof.things import Milestone, Need


def read(model: Model, graph: Graph) -> None:
    for member, _ in model.objects("PersistentVolumeClaim"):
        name = member.at("spec", "volumeName")
        volumes = [volume for volume, _ in model.find("PersistentVolume", "", str(name))] if name else []
        if name and not volumes and any(one.kind == "PersistentVolume" and one.name == name for one in model.orphans):
            volume = thing("PersistentVolume", "", str(name))
            graph.wanted(volume)
            graph.needs(member.thing(Milestone.READY), volume, Need.VOLUME, member.place("spec", "volumeName"))
        unlike = [_unlike(member, volume) for volume in volumes]
        if unlike and all(unlike):
            field, words = unlike[0] or ("", "")
            words = f"{member.thing().label} names PersistentVolume {name}, {words}"
            graph.remark("unlike-volume", member.place("spec", field), words, member.thing())


def _unlike(claim: Manifest, volume: Manifest) -> tuple[str, str] | None:
    """The field in which a claim and its volume differ, and how. A claim without a class has the default one, which is not known."""
    if isinstance(named := claim.at("spec", "storageClassName"), str) and "${" not in named:
        other = volume.at("spec", "storageClassName") or ""
        if isinstance(other, str) and "${" not in other and other != named:
            return "storageClassName", f"whose class is {other or 'none'}, not {named or 'none'}"
    mode, other = (one.at("spec", "volumeMode") or "Filesystem" for one in (claim, volume))
    if mode != other:
        return "volumeMode", f"whose volumeMode is {other}, not {mode}"
    lacking = [one for one in claim.items("spec", "accessModes") if one not in volume.items("spec", "accessModes")]
    if lacking:
        return "accessModes", f"which cannot be mounted as {lacking[0]}"
    return None
