"""Another machine's store: everything in it is taken, and every digest verified."""

from rebirth.store.store import MARK, Store, StoredManifest, sizes_of


def is_store(store: Store) -> bool:
    return (store.folder / MARK).is_file()


def take_store(store: Store, other: Store) -> int:
    """How many things were taken. Raises Broken where one is not what it should be."""
    taken = 0
    for _, record in other.records.below("charts"):
        if path := other.blob(str(record["digest"])):
            store.put_chart(str(record["url"]), path, str(record["digest"]), version=str(record["version"]))
            taken += 1
    for _, record in other.records.below("files"):
        if path := other.blob(str(record["digest"])):
            store.blobs.take(path, str(record["digest"]))
            store.put_file(str(record["url"]), path)
            taken += 1
    for _, record in other.records.below("manifests"):
        if path := other.blob(str(record["digest"])):
            manifest = StoredManifest(str(record["media_type"]), str(record["digest"]), path.read_bytes())
            for digest in sizes_of(manifest):
                if blob := other.blob(digest):
                    store.blobs.take(blob, digest)
            store.put_manifest(
                str(record["repository"]), str(record["reference"]), manifest.media_type, manifest.data, manifest.digest
            )
            taken += 1
    return taken
