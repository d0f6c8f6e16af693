"""Contents by their digest: what is there under a digest has it."""

import re
import shutil
from contextlib import AbstractContextManager
from pathlib import Path

from rebirth.errors import Broken
from rebirth.store.files import digest_of, digest_of_bytes, locked, placed

_DIGEST = re.compile(r"sha256:[0-9a-f]{64}")


class Blobs:
    def __init__(self, folder: Path) -> None:
        self._folder = folder / "blobs" / "sha256"
        self._partial = folder / "partial"

    def get(self, digest: str) -> Path | None:
        if not _DIGEST.fullmatch(digest):
            return None
        file = self._folder / digest.removeprefix("sha256:")
        return file if file.is_file() else None

    def put(self, data: bytes, digest: str = "") -> str:
        """Keeps `data` and returns its digest. Raises Broken where it has another than `digest`."""
        found = digest_of_bytes(data)
        _require(found, digest or found)
        if self.get(found) is None:
            with placed(self._folder / found.removeprefix("sha256:")) as file:
                file.write_bytes(data)
        return found

    def take(self, source: Path, digest: str = "", *, move: bool = False) -> str:
        """Keeps what a file holds, as put(); `move`: the file itself becomes the blob, or is removed where it is wrong."""
        found = digest_of(source)
        try:
            _require(found, digest or found)
            if self.get(found) is None:
                with placed(self._folder / found.removeprefix("sha256:")) as file:
                    (source.replace if move else lambda target: shutil.copyfile(source, target))(file)
        finally:
            if move:
                source.unlink(missing_ok=True)
        return found

    def partial(self, digest: str) -> Path:
        """Where a blob that is being loaded stands until it is whole: what is there is loaded no second time."""
        if not _DIGEST.fullmatch(digest):
            raise Broken(f"{digest!r} is no SHA-256 digest", operation="load")
        self._partial.mkdir(parents=True, exist_ok=True)
        return self._partial / digest.removeprefix("sha256:")

    def loading(self, digest: str) -> AbstractContextManager[bool]:
        """Held by who loads a blob; False where another process does."""
        return locked(self.partial(digest).with_suffix(".lock"), alone=True)

    def every(self) -> list[Path]:
        """All blobs, and what is left of those that are not whole."""
        folders = [folder for folder in (self._folder, self._partial) if folder.is_dir()]
        return [file for folder in folders for file in folder.iterdir() if file.is_file()]


def _require(found: str, digest: str) -> None:
    if found != digest:
        hint = "What is served there is not what it should be, or was damaged on its way. Try again."
        raise Broken(f"wrong digest: it should be {digest}, and is {found}", operation="verify", hint=hint)
