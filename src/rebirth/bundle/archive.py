"""The archive itself."""

import io
import os
import tarfile
import time
from pathlib import Path

from rebirth.bundle.contents import Contents
from rebirth.errors import Broken, of_this_machine

_TOP = "rebirth-bundle"
_OPERATION = "write the bundle"


def listed(found: Contents) -> str:
    """What it holds, and what not and why, line by line."""
    lines = ["the bundle holds, without secrets:"]
    lines += [f"  {name} ({len(text.encode())} bytes)" for name, text in found.files.items()]
    lines += [f"left out: {name}: {why}" for name, why in found.left_out.items()]
    return "\n".join(lines) + "\n"


def write_archive(file: Path, found: Contents) -> None:
    """A new file that only its owner can read. Raises Broken where it is there already, or cannot be written whole."""
    try:
        descriptor = os.open(file, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
    except FileExistsError:
        raise Broken(
            "exists already", system=str(file), operation=_OPERATION, hint="Name another with --output."
        ) from None
    except OSError as error:
        raise _failed(file, error) from None
    try:
        with os.fdopen(descriptor, "wb") as opened, tarfile.open(fileobj=opened, mode="w:gz") as archive:
            for name, text in found.files.items():
                content = text.encode()
                entry = tarfile.TarInfo(f"{_TOP}/{name}")
                entry.size, entry.mode, entry.mtime = len(content), 0o600, int(time.time())
                archive.addfile(entry, io.BytesIO(content))
    except OSError as error:
        file.unlink(missing_ok=True)
        raise _failed(file, error) from None


def _failed(file: Path, error: OSError) -> Broken:
    error.filename = str(file)
    return of_this_machine(error, _OPERATION) or Broken(str(error.strerror), system=str(file), operation=_OPERATION)
