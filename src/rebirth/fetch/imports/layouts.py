"""Images and artifacts that somebody brings: OCI layouts, and what `docker save` writes.

Layout: https://github.com/opencontainers/image-spec/blob/main/image-layout.md. Before version 25 `docker save` wrote no layout,
but manifest.json with the files of each image: a manifest is made for it here.
"""

import json
from pathlib import Path
from typing import Any

from rebirth.errors import Broken
from rebirth.store.names import Name, name_of
from rebirth.store.store import MANIFEST, Store, StoredManifest, children_of, is_index, sizes_of

_NAMES = (
    "io.containerd.image.name",
    "org.opencontainers.image.ref.name",
)  # the first is whole, the second may be a tag
_CONFIG = "application/vnd.oci.image.config.v1+json"
_LAYERS = {False: "application/vnd.oci.image.layer.v1.tar", True: "application/vnd.oci.image.layer.v1.tar+gzip"}
_GZIP = b"\x1f\x8b"


def is_layout(folder: Path) -> bool:
    return (folder / "oci-layout").is_file() and (folder / "index.json").is_file()


def is_docker(folder: Path) -> bool:
    return (folder / "manifest.json").is_file() and not is_layout(folder)


def take_layout(store: Store, folder: Path) -> list[str]:
    """Everything in a layout that has a whole name; returns the names. Raises Broken where a digest is wrong."""
    found = []
    for entry in _read(folder / "index.json").get("manifests") or ():
        annotations = entry.get("annotations") or {}
        said = next((str(annotations[key]) for key in _NAMES if _is_whole(annotations.get(key))), "")
        if said:
            name = name_of(said)
            _take_manifest(store, folder, name, str(entry.get("mediaType") or MANIFEST), str(entry["digest"]))
            found.append(str(name))
    return found


def _is_whole(name: Any) -> bool:
    return isinstance(name, str) and ("/" in name or ":" in name or "@" in name)


def _take_manifest(
    store: Store, folder: Path, name: Name, media_type: str, digest: str, *, inner: bool = False
) -> None:
    """With all that it leads to and that is there: of an index often one platform alone is."""
    file = _blob(folder, digest)
    if file is None:
        if inner:
            return
        raise Broken(f"the layout lacks {digest}", system=str(folder), operation="import")
    manifest = StoredManifest(media_type, digest, file.read_bytes())
    for child in children_of(manifest):
        _take_manifest(store, folder, name, MANIFEST, child, inner=True)
    for part in sizes_of(manifest):
        if blob := _blob(folder, part):
            store.blobs.take(blob, part)
        elif not inner:
            raise Broken(f"the layout lacks {part}", system=str(folder), operation="import")
    said = str(_parsed(manifest.data).get("mediaType") or media_type)
    if inner and not is_index(manifest) and not all(store.blob(part) for part in sizes_of(manifest)):
        return
    store.put_manifest(name.repository, digest, said, manifest.data)
    if not inner:
        store.put_manifest(name.repository, name.reference, said, manifest.data)


def _blob(folder: Path, digest: str) -> Path | None:
    algorithm, _, value = digest.partition(":")
    file = folder / "blobs" / algorithm / value
    return file if algorithm == "sha256" and value.isalnum() and file.is_file() else None


def take_docker(store: Store, folder: Path) -> list[str]:
    """The images of an archive of `docker save`, by their tags. Raises Broken where a layer is not what its image says."""
    found = []
    for entry in _read(folder / "manifest.json", list):
        config, layers = _inside(folder, entry["Config"]), [_inside(folder, layer) for layer in entry["Layers"]]
        data = _manifest(store, config, layers)
        for tag in entry.get("RepoTags") or ():
            name = name_of(tag)
            store.put_manifest(name.repository, name.reference, MANIFEST, data)
            found.append(str(name))
    return found


def _manifest(store: Store, config: Path, layers: list[Path]) -> bytes:
    diffs = (_read(config).get("rootfs") or {}).get("diff_ids") or []
    parts = []
    for layer, diff in zip(layers, diffs, strict=False):
        with layer.open("rb") as stream:
            packed = stream.read(2) == _GZIP
        digest = store.blobs.take(layer, "" if packed else str(diff))
        parts.append({"mediaType": _LAYERS[packed], "digest": digest, "size": layer.stat().st_size})
    if len(layers) != len(diffs):
        raise Broken("the image says another number of layers", system=str(config), operation="import")
    said = {"mediaType": _CONFIG, "digest": store.blobs.take(config), "size": config.stat().st_size}
    manifest = {"schemaVersion": 2, "mediaType": MANIFEST, "config": said, "layers": parts}
    return json.dumps(manifest, sort_keys=True).encode()


def _inside(folder: Path, name: Any) -> Path:
    file = (folder / str(name)).resolve()
    if folder.resolve() not in file.parents or not file.is_file():
        raise Broken(f"{name} is not there", system=str(folder), operation="import")
    return file


def _read(file: Path, kind: type = dict) -> Any:
    try:
        data = json.loads(file.read_bytes())
    except (OSError, ValueError):
        data = None
    if not isinstance(data, kind):
        raise Broken("is not what it should be", system=str(file), operation="import")
    return data


def _parsed(data: bytes) -> dict[str, Any]:
    found = json.loads(data)
    return found if isinstance(found, dict) else {}
