"""Generations of what a castle keeps: encrypted parts under the digests of what lies there, and a list of them, written last.

A part whose list was never written belongs to nothing. The list bears the castle's seal; a part is believed where its digest is
the one of the list.

    blobs/<SHA-256 of the encrypted part>
    generations/<time>-<castle>-<fingerprint of its key>.json
"""

import hashlib
import json
import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass

from pydantic import BaseModel, ConfigDict, ValidationError

from rebirth.castle.anchors import LATEST
from rebirth.errors import Broken, NotYet
from rebirth.providers.anchors.sealing import Key, NotOursError
from rebirth.providers.anchors.shelves import Shelf
from rebirth.run.waiting import together

_SYSTEM = "archive"
_LISTS, _PARTS, _ENDING = "generations", "blobs", ".json"
_FORMAT = 1
_STAMP = "%Y%m%dT%H%M%SZ"


class Part(BaseModel):
    """One thing that is kept."""

    model_config = ConfigDict(frozen=True, extra="forbid", strict=True)

    kind: str  # credentials, vault, database
    name: str
    digest: str  # of what lies in the archive
    size: int  # bytes of that


class Generation(BaseModel):
    """What was kept at one time."""

    model_config = ConfigDict(frozen=True, extra="forbid", strict=True)

    version: int
    castle: str  # its name, and the fingerprint of its key
    at: str  # UTC
    parts: list[Part]

    @property
    def name(self) -> str:
        return f"{self.at}-{self.castle}"


@dataclass(frozen=True)
class Listed:
    """A generation that the archive lists, or why that cannot be read."""

    name: str
    generation: Generation | None
    why: str = ""


class Archive:
    """The archive of one castle on a shelf that it may share with others."""

    def __init__(self, *, castle: str, key: Key, shelf: Shelf, now: Callable[[], float] = time.time) -> None:
        self._key, self._shelf, self._now = key, shelf, now
        self.castle = f"{castle}-{key.fingerprint}"

    async def close(self) -> None:
        if close := getattr(self._shelf, "close", None):
            await close()

    @property
    def place(self) -> str:
        return self._shelf.place

    async def keep(self, kind: str, name: str, content: bytes) -> Part:
        """Encrypts and writes one thing. It belongs to nothing yet."""
        encrypted = self._key.encrypted(content)
        digest = hashlib.sha256(encrypted).hexdigest()
        await self._shelf.write(f"{_PARTS}/{digest}", encrypted)
        return Part(kind=kind, name=name, digest=digest, size=len(encrypted))

    async def write(self, parts: list[Part]) -> Generation:
        """Writes the list of these: from now on they are a generation. Raises NotYet where one has the same second."""
        made = Generation(
            version=_FORMAT,
            castle=self.castle,
            at=time.strftime(_STAMP, time.gmtime(self._now())),
            parts=sorted(parts, key=_place),
        )
        if await self._shelf.read(_list(made.name)) is not None:
            raise NotYet(f"there is a generation {made.name} already")
        await self._shelf.write(_list(made.name), self._sealed(made))
        return made

    def _sealed(self, generation: Generation) -> bytes:
        seal = self._key.seal(generation.model_dump_json().encode())
        return json.dumps({"generation": generation.model_dump(), "seal": seal}, indent=1).encode() + b"\n"

    async def listed(self) -> list[Listed]:
        """The generations of this castle, the oldest first."""
        return list(await together(*map(self._listed, [name for name in await self._names() if self._is_ours(name)])))

    async def others(self) -> list[str]:
        """The names of generations of other castles, the oldest first."""
        return [name for name in await self._names() if not self._is_ours(name)]

    async def contents(self, asked: str) -> tuple[str, Mapping[tuple[str, str], bytes]]:
        """The name of the generation that is meant, and all that it holds, by kind and name.

        Raises Broken where it is missing, damaged, or another castle's.
        """
        name = await self._chosen(asked)
        found = await self._listed(name)
        if found.generation is None:
            raise self._broken(f"the generation {name} is {found.why}")
        parts = found.generation.parts
        read = await together(*(self._part(name, part) for part in parts))
        return name, {_place(part): content for part, content in zip(parts, read, strict=True)}

    async def _chosen(self, asked: str) -> str:
        names = await self._names()
        ours = [name for name in names if self._is_ours(name)]
        hint = "`rebirth backup --list` names those that there are. For a first create, leave out anchors.restore."
        if asked == LATEST:
            if ours:
                return ours[-1]
            others = f", only of others ({', '.join(sorted({_castle(name) for name in names}))})" if names else ""
            raise self._broken(f"there is no generation of {self.castle}{others}", hint)
        if asked not in names:
            raise self._broken(f"there is no generation {asked}", hint)
        if asked not in ours:
            hint = "A castle is known by its name and by anchors.age_key: are both those that it was kept with?"
            raise self._broken(f"the generation {asked} is of another castle; this one is {self.castle}", hint)
        return asked

    async def _part(self, name: str, part: Part) -> bytes:
        what = f"the generation {name}: {part.kind} {part.name}"
        content = await self._shelf.read(f"{_PARTS}/{part.digest}")
        if content is None:
            raise self._broken(f"{what} is missing")
        if hashlib.sha256(content).hexdigest() != part.digest:
            raise self._broken(f"{what} is damaged: its digest is not the one of the list")
        try:
            return self._key.decrypted(content)
        except NotOursError:
            raise self._broken(f"{what} is not encrypted to anchors.age_key") from None

    async def _listed(self, name: str) -> Listed:
        content = await self._shelf.read(_list(name))
        if content is None:
            return Listed(name, None, "gone")
        try:
            generation = Generation.model_validate_json(json.dumps(json.loads(content)["generation"]))
        except (ValueError, ValidationError, KeyError, TypeError, RecursionError):
            return Listed(name, None, "damaged: its list cannot be read")
        if generation.version != _FORMAT:
            return Listed(name, None, f"of a format that this version does not read ({generation.version})")
        if content != self._sealed(generation) or generation.name != name:
            return Listed(name, None, "damaged: its list is not what this castle has sealed")
        return Listed(name, generation)

    async def _names(self) -> list[str]:
        found = [name.removeprefix(f"{_LISTS}/") for name in await self._shelf.names(_LISTS)]
        return [name.removesuffix(_ENDING) for name in found if name.endswith(_ENDING)]

    def _is_ours(self, name: str) -> bool:
        return _castle(name) == self.castle

    def _broken(self, words: str, hint: str = "") -> Broken:
        hint = hint or "anchors.restore may name another generation: `rebirth backup --list` shows them."
        return Broken(f"{self.place}: {words}", system=_SYSTEM, operation="restore", hint=hint)


def _place(part: Part) -> tuple[str, str]:
    return part.kind, part.name


def _list(name: str) -> str:
    return f"{_LISTS}/{name}{_ENDING}"


def _castle(name: str) -> str:
    """Of a generation's name: all but its time."""
    return name.partition("-")[2]
