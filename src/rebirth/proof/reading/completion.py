"""A kustomization as Flux completes it with a Kustomization's own fields before it builds (fluxcd/pkg/kustomize)."""

import os
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from rebirth.proof.reading.kustomization import INERT, NAMES, Folder, put_into
from rebirth.proof.reading.manifest import Manifest
from rebirth.proof.reading.mentioned import as_list, understood
from rebirth.proof.reading.repository_files import Files
from rebirth.proof.reading.yaml_files import UnreadableError
from rebirth.proof.things import Place, Remark


def merged(found: Folder, own: Manifest | None) -> dict[str, Any]:
    """The kustomization as Flux completes it with the Kustomization's own fields (fluxcd/pkg/kustomize)."""
    data = {**found.data, "apiVersion": found.data.get("apiVersion") or "kustomize.config.k8s.io/v1beta1"}
    data["kind"] = found.data.get("kind") or "Kustomization"
    data["buildMetadata"] = sorted({*as_list(data.get("buildMetadata")), "originAnnotations"})
    if own is None:
        return data
    for key, field_name in (("namespace", "targetNamespace"), ("namePrefix",) * 2, ("nameSuffix",) * 2):
        if value := own.at("spec", field_name):
            data[key] = value
    if patches := [p for p in own.items("spec", "patches") if isinstance(p, Mapping)]:
        data["patches"] = [*as_list(data.get("patches")), *patches]
    if images := [i for i in own.items("spec", "images") if isinstance(i, Mapping)]:
        names = {image.get("name") for image in images}
        kept = [i for i in as_list(data.get("images")) if not isinstance(i, Mapping) or i.get("name") not in names]
        data["images"] = [*kept, *images]
    if components := [c for c in own.items("spec", "components") if isinstance(c, str) and _is_there(found, c)]:
        data["components"] = [*as_list(data.get("components")), *components]
    return data


def written(found: Folder, own: Manifest | None) -> dict[Path, dict[str, Any]]:
    """The files that are built with another content than they have, the folder's own kustomization first."""
    top = found.file or found.path / NAMES[0]
    rewritten = {file: found.kustomizations[file][0] for file in found.rewritten - {top}}
    return {top: merged(found, own), **rewritten, **found.cut}


def plain(found: Folder, own: Manifest | None) -> list[Manifest] | None:
    """What kustomize would make, where that is plain to see."""
    if not found.plain or not found.whole or adds(own):
        return None
    namespace = own.at("spec", "targetNamespace") if own else None
    return put_into(str(namespace), found.manifests) if namespace else found.manifests


def _is_there(found: Folder, component: str) -> bool:
    folder = Path(os.path.normpath(found.path / component))
    return any(folder / name in found.kustomizations for name in NAMES)


def adds(own: Manifest | None) -> bool:
    """Whether Flux adds something that only kustomize can work out."""
    return own is not None and any(own.at("spec", key) for key in ("patches", "images", "namePrefix", "nameSuffix"))


def changes(found: Folder, own: Manifest | None) -> bool:
    """Whether Flux, or a kustomization of the folder, does more to objects than to take them in."""
    return adds(own) or any(set(data) - INERT for data, _ in found.kustomizations.values())


def components(folder: Path, own: Manifest) -> list[tuple[str, Place]]:
    """What Flux adds to the kustomization's components, with where that is written."""
    optional = own.at("spec", "ignoreMissingComponents") is True
    return [
        (str(entry), own.place("spec", "components", number))
        for number, entry in enumerate(own.items("spec", "components"))
        if not optional or (folder / str(entry)).exists()
    ]


def cut(found: Folder, files: Files) -> None:
    """Leaves out of files of `configurations` what the newest kustomize rejects there, as an older one does, and notes it."""
    for kustomization, (data, _) in found.kustomizations.items():
        for entry in as_list(data.get("configurations")):
            target = files.target(kustomization.parent, str(entry))
            if target is None or target.is_dir() or target in found.cut:
                continue
            try:
                document = next(iter(files.documents(target)), None)
            except UnreadableError:
                continue
            kept, unknown = understood(document.data) if document else (None, [])
            if document and unknown:
                found.cut[target] = kept
                name = str(unknown[0][-1])
                words = f"{target.name}: a file of `configurations` has no field {name} there"
                place = Place(str(target), document.line, unknown[0])
                found.remarks.append(Remark("unknown-setting", place, words, data=(("field", name),)))
