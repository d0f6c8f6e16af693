"""What reading leaves out, as unknowns: what it is called, and where it puts what it may hold."""

import re
from collections.abc import Iterable, Iterator

from rebirth.proof.reading import flux
from rebirth.proof.reading.kustomization import Folder
from rebirth.proof.reading.manifest import Manifest, texts
from rebirth.proof.reading.repository_files import Files
from rebirth.proof.things import Extent, Place, Unknown
from rebirth.proof.words import pieces

_OPERATOR = "fluxcd.controlplane.io"
_WORD = re.compile(r"[\w.-]+")


def whatever(
    own: Manifest, place: Place, why: str, address: str = "", *, listed: bool = True, foreign: bool = False
) -> Unknown:
    """All that a Kustomization applies, where only its own object can be read; its source lies at that address.

    `foreign`: it is another owner's repository, which holds no objects of this one's Flux.
    """
    called = pieces(own.name, str(own.at("spec", "path", default="")), flux.source_of(own)[2], address)
    space = str(own.at("spec", "targetNamespace") or "")
    extent = Extent.BASE if foreign else Extent.UNIT
    return Unknown(own.thing().label, place, why, extent, space, called, by=own.thing(), listed=listed)


def left_out(found: Folder, own: Manifest | None, files: Files) -> Iterator[Unknown]:
    """What a kustomization lists and does not have: remote bases, and files that cannot be read."""
    space = str((own.at("spec", "targetNamespace") if own else None) or found.data.get("namespace") or "")
    by = own.thing() if own else None
    for entry, place in found.remote:
        yield Unknown(entry, place, "a remote base is not fetched", Extent.BASE, space, pieces(entry), by=by)
    for entry, place, names in found.gaps:
        called = pieces(entry, files.shown(found.path))
        extent = Extent.BASE if names is None else Extent.FILE
        yield Unknown(entry, place, "it cannot be read", extent, space, called, names or frozenset(), by)


def generated(members: Iterable[Manifest]) -> Iterator[Unknown]:
    """What ResourceSets of the Flux operator make of their templates and inputs: names that stand in either may come out of it."""
    own = [member for member in members if member.group == _OPERATOR]
    inputs = {word for one in own if one.kind == "ResourceSetInputProvider" for word in _words(one)}
    for one in own:
        if one.kind == "ResourceSet":
            names = frozenset(_words(one)) | inputs
            why = "what it makes of its templates and inputs is not read"
            yield Unknown(
                one.thing().label, one.place("spec"), why, Extent.UNIT, "", pieces(one.name), names, one.thing()
            )


def _words(member: Manifest) -> Iterator[str]:
    for text in texts(member.mapping("spec")):
        yield from _WORD.findall(text)
