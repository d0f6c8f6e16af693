"""Trees of which a Kustomization applies a folder, and which nobody has fetched: each folder has one ConfigMap that says so."""

import io
import tarfile
from collections import defaultdict
from collections.abc import Collection, Iterator, Mapping
from pathlib import PurePosixPath

import yaml

from rebirth.proof.reading import flux
from rebirth.proof.reading.manifest import Manifest, Model
from rebirth.rehearse.outside.names import address
from rebirth.store.names import repository_of
from rebirth.store.store import Store

Files = Mapping[str, bytes]  # path in the tree -> content


def trees(model: Model, kind: str, own: Collection[str], store: Store) -> dict[str, Files]:
    """By address of the source, of that kind: what lies there on paper. `own`: addresses of the repository itself."""
    found: defaultdict[str, dict[str, bytes]] = defaultdict(dict)
    for kustomization, source in _elsewhere(model, kind):
        url = str(source.at("spec", "url") or "")
        if url and address(url) not in own and not _is_stored(source, url, store):
            found[address(url)] |= _folder(kustomization)
    return dict(found)


def packed(files: Files) -> bytes:
    """As `flux push artifact` packs a folder."""
    out = io.BytesIO()
    with tarfile.open(fileobj=out, mode="w:gz") as archive:
        for name, data in sorted(files.items()):
            entry = tarfile.TarInfo(name)
            entry.size, entry.mode = len(data), 0o644
            archive.addfile(entry, io.BytesIO(data))
    return out.getvalue()


def _elsewhere(model: Model, kind: str) -> Iterator[tuple[Manifest, Manifest]]:
    for member, _ in model.objects("Kustomization"):
        if flux.is_kustomization(member) and not flux.is_elsewhere(member):
            source = flux.source_of(member)
            found = next((one for one, _ in model.find(*source) if one.group == flux.SOURCE), None)
            if source[0] == kind and found is not None:
                yield member, found


def _is_stored(source: Manifest, url: str, store: Store) -> bool:
    if source.kind == "GitRepository":
        return store.git(url) is not None
    return bool(store.tags(repository_of(url)))


def _folder(kustomization: Manifest) -> Files:
    path = PurePosixPath(str(kustomization.at("spec", "path") or "./").lstrip("/"))
    if ".." in path.parts:
        return {}
    name = f"{kustomization.name}-on-paper"
    namespace = str(kustomization.at("spec", "targetNamespace") or kustomization.namespace)
    said = {"note": "What this Kustomization applies was not fetched, and nothing is known of it."}
    note = {"apiVersion": "v1", "kind": "ConfigMap", "metadata": {"name": name, "namespace": namespace}, "data": said}
    return {str(path / "on-paper.yaml"): yaml.safe_dump(note).encode()}
