"""What a repository holds encrypted with SOPS, for the age key of this lab: the castle's own key is not here.

Each encrypted value is replaced by an invented one of its kind, and the file is encrypted by the real sops for the lab's key.
So Flux decrypts as it would, and no value of the castle is ever read.
"""

import asyncio
from pathlib import Path
from typing import Any

import yaml

from rebirth.lab.invented import MARK, invented, is_encrypted
from rebirth.lab.kinds import Kinds

_SUFFIXES = {".yaml", ".yml"}
_BLOCK = "sops"  # where sops keeps its own in a file
_RULES = ("encrypted_regex", "encrypted_suffix", "unencrypted_regex", "unencrypted_suffix")  # which values it encrypts


async def encrypt_anew(folder: Path, *, sops: str, recipient: str, kinds: Kinds) -> None:
    """Every encrypted file below `folder`, in place. Raises RuntimeError."""
    for file in sorted(folder.rglob("*")):
        if file.suffix in _SUFFIXES and file.is_file() and MARK in (text := file.read_text(errors="replace")):
            await _one(file, list(yaml.safe_load_all(text)), sops, recipient, kinds)


async def _one(file: Path, documents: list[Any], sops: str, recipient: str, kinds: Kinds) -> None:
    encrypted = [found for found in documents if is_encrypted(found)]
    if not encrypted:
        return
    rules = {name: str(encrypted[0][_BLOCK][name]) for name in _RULES if encrypted[0][_BLOCK].get(name)}
    file.write_text(yaml.safe_dump_all([invented(document, kinds) for document in documents], sort_keys=False))
    asked = [f"--{name.replace('_', '-')}={value}" for name, value in rules.items()]
    await _run(sops, "encrypt", "--in-place", f"--age={recipient}", *asked, str(file))


async def _run(*argv: str) -> None:
    pipe = asyncio.subprocess.PIPE
    process = await asyncio.create_subprocess_exec(*argv, stdout=pipe, stderr=pipe)
    _, complained = await process.communicate()
    if process.returncode:
        raise RuntimeError(f"sops encrypt {argv[-1]}: {complained.decode(errors='replace').strip()}")
