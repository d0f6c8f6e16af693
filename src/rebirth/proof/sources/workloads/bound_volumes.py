"""Claims that name their volume: one that no kustomization lists, or that is not what they ask for (checkVolumeSatisfyClaim in Kubernetes'
volume controller). A volume that no file holds may be a driver's, or somebody's from an earlier life: nothing is said of it.
"""

from rebirth.proof.graph import Graph
from rebirth.proof.reading.manifest import Manifest, Model, thing
from rebirth.proof.things import Milestone, Need
from rebirth.proof.validation.values import amount


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
    _of_another_class(model, graph)
    _taken(model, graph)


def _taken(model: Model, graph: Graph) -> None:
    """Claims that name a volume which is another's: one that it names itself, or the first that names it."""
    first: dict[str, Manifest] = {}
    for claim, _ in model.objects("PersistentVolumeClaim"):
        name = str(claim.at("spec", "volumeName") or "")
        if not name or "${" in name + claim.name + claim.namespace:
            continue
        other = first.setdefault(name, claim).thing()
        for volume, _ in model.find("PersistentVolume", "", name):
            kept = volume.mapping("spec", "claimRef")
            if isinstance(kept.get("name"), str) and isinstance(kept.get("namespace"), str):
                other = thing("PersistentVolumeClaim", kept["namespace"], kept["name"])
            if other != claim.thing() and "${" not in other.label:
                words = f"{claim.thing().label} names PersistentVolume {name}, which is for {other.label}"
                graph.remark("unlike-volume", claim.place("spec", "volumeName"), words, claim.thing())
                break


def _of_another_class(model: Model, graph: Graph) -> None:
    """Claims that name a class which nothing has, beside the one volume of their file that no claim asks for: it is meant for them."""
    volumes = [volume for volume, _ in model.objects("PersistentVolume")]
    claims = [claim for claim, _ in model.objects("PersistentVolumeClaim")]
    classes = {str(one.at("spec", "storageClassName") or "") for one in volumes}
    asked = {str(one.at("spec", "storageClassName") or "") for one in claims}
    named = {str(one.at("spec", "volumeName")) for one in claims}
    for claim in claims:
        wanted = claim.at("spec", "storageClassName")
        if (
            not isinstance(wanted, str)
            or not wanted
            or "${" in wanted
            or claim.at("spec", "volumeName")
            or wanted in classes
        ):
            continue
        if model.find("StorageClass", "", wanted):
            continue
        beside = [
            one
            for one in volumes
            if one.file == claim.file and one.name not in named and not one.at("spec", "claimRef")
        ]
        free = [one for one in beside if str(one.at("spec", "storageClassName") or "") not in asked]
        if (
            len(free) == 1
            and len(beside) == 1
            and not model.find("StorageClass", "", str(free[0].at("spec", "storageClassName")))
        ):
            own = free[0].at("spec", "storageClassName") or "none"
            words = (
                f"{claim.thing().label} asks for class {wanted}, and {free[0].thing().label} beside it has class {own}"
            )
            graph.remark("unlike-volume", claim.place("spec", "storageClassName"), words, claim.thing())


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
    asked, there = claim.at("spec", "resources", "requests", "storage"), volume.at("spec", "capacity", "storage")
    wanted, has = (amount(one) if isinstance(one, str | int) else None for one in (asked, there))
    if wanted is not None and has is not None and wanted > has:
        return "resources", f"which has {there}, not {asked}"
    return None
