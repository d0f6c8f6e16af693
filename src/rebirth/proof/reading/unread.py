"""What reading leaves out, as unknowns: what it is called, and where it puts what it may hold."""

import re
from collections.abc import Iterable, Iterator
from pathlib import Path

from rebirth.proof.reading import flux
from rebirth.proof.reading.kustomization import Folder
from rebirth.proof.reading.manifest import Manifest, Model, texts
from rebirth.proof.reading.repository_files import Files
from rebirth.proof.things import Extent, Place, Remark, Unknown
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
    return Unknown(own.thing().label, place, why, extent, space, called, by=own.thing(), foreign=foreign, listed=listed)


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


def rejected(found: Folder, own: Manifest | None, place: Place) -> Unknown:
    """What a folder that kustomize rejects would make besides the objects in its files: what its kustomizations name."""
    names = frozenset(
        word for data, _ in found.kustomizations.values() for text in texts(data) for word in _WORD.findall(text)
    )
    what = own.thing().label if own else str(found.path)
    by = own.thing() if own else None
    return Unknown(what, place, "kustomize rejects it", Extent.FILE, "", names=names, by=by, listed=False)


def unlisted(file: Path, first: Manifest, listing: Path, model: Model) -> Remark:
    """A file with objects that the kustomization beside it does not list."""
    patches = model.is_made_in(listing.parent, first)
    does = "changes" if patches else "defines"
    words = f"{file.name} {does} {first.thing().label}, and {listing.name} beside it does not list it"
    data = (
        ("patch", "yes" if patches else ""),
        ("entry", file.name),
        ("kustomization", str(listing)),
        ("out", "yes" if _is_out(listing, file) else ""),
    )
    return Remark("unlisted", first.place("metadata", "name"), words, first.thing(), data)


def _is_out(listing: Path, file: Path) -> bool:
    """Whether a kustomization names the file in a comment: it was left out on purpose."""
    lines = listing.read_text(encoding="utf-8", errors="replace").splitlines()
    return any(file.name in line for line in lines if line.lstrip().startswith("#"))


def meant(model: Model, files: Files) -> set[Path]:
    """The folders below that of a Kustomization that makes nothing at all: what lies in them was meant."""
    tops = [
        flux.folder_of(unit.own, model.root, files.resolved)
        for unit in model.units
        if unit.own and unit.known and not unit.members
    ]
    return {file.parent for file in files.yaml_files() for top in tops if top in file.parent.parents}


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
