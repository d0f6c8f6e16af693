"""What a look at a cluster has found, with the place in the repository and the meaning of the words."""

from collections import defaultdict
from collections.abc import AsyncIterator, Collection, Mapping, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass
from pathlib import Path

from rebirth.checking import Asked as AskedProof
from rebirth.checking import Proved, proved
from rebirth.diagnosis.looking import look
from rebirth.diagnosis.roots import Root, Word, roots
from rebirth.diagnosis.wanted import Key
from rebirth.errors import Rebirth
from rebirth.findings.places import Places
from rebirth.living import reached
from rebirth.living.places import place_of
from rebirth.living.words import meaning
from rebirth.proof.things import NOWHERE, Place, Thing
from rebirth.repository import local

_CODES = {Word.BROKEN: 3, Word.WAITS: 4}


@dataclass(frozen=True)
class Asked:
    """A castle directory (None: the one that we are in, if it is one), or a cluster of a kubeconfig; and a repository."""

    directory: Path | None
    kubeconfig: Path | None = None
    context: str = ""
    gitops: Path | None = None
    clusters: Sequence[str] = ()

    @property
    def castle(self) -> Path | None:
        """The castle that is meant."""
        from rebirth.castle.load import FILE

        named = bool(self.kubeconfig or self.context or self.gitops)
        return self.directory or (Path() if not named and Path(FILE).exists() else None)


@dataclass(frozen=True)
class Told:
    """A root, where it is written, and what its words mean."""

    root: Root
    place: Place
    hint: str


@dataclass(frozen=True)
class Diagnosed:
    context: str  # of the kubeconfig
    told: tuple[Told, ...]  # what is broken first
    kinds: Mapping[str, int]  # how many objects of each kind were looked at, without the suspended
    unread: tuple[str, ...]  # what could not be looked at
    places: Places

    @property
    def exit_code(self) -> int:
        """0 where all is Ready."""
        return min((_CODES[one.root.word] for one in self.told), default=0)


async def diagnosed(asked: Asked) -> Diagnosed:
    """Looks once. Raises SpecError, Broken, NotYet where the cluster cannot be asked at all."""
    castle = asked.castle
    file = asked.kubeconfig or (reached.of_castle(castle) if castle else reached.of_kubectl(asked.context))
    cluster = reached.cluster(file, asked.context)
    try:
        seen = await look(cluster)
    finally:
        await cluster.close()
    kinds: dict[str, int] = defaultdict(int)
    for (kind, _, _), item in seen.objects.items():
        kinds[kind] += not (item.get("spec") or {}).get("suspend")
    async with _repository(asked) as (files, why):
        found = roots(seen, _made_by(files, seen.objects))
        told = tuple(Told(root, _place(root, files), meaning(root.cause.message)) for root in found)
        places = files.places if files else Places()
        return Diagnosed(cluster.context, told, kinds, (*seen.unread, *why), places)


@asynccontextmanager
async def _repository(asked: Asked) -> AsyncIterator[tuple[Proved | None, tuple[str, ...]]]:
    """What the repository says, where it lies on this machine: nothing is fetched. Else why it is not known."""
    directory = None if asked.gitops and not asked.directory else asked.castle
    if not asked.gitops and (directory is None or not _is_here(directory)):
        yield None, ()
        return
    try:
        async with proved(AskedProof(directory, asked.gitops, asked.clusters)) as files:
            yield files, ()
    except Rebirth as error:
        yield None, (f"the repository: {error.message}",)


def _is_here(directory: Path) -> bool:
    from rebirth.castle import load

    return local(directory, load(directory)) is not None


def _place(root: Root, files: Proved | None) -> Place:
    for world in files.proof.worlds if files else ():
        if (found := place_of(root.cause, list(root.held()), world.model, world.graph)).file:
            return found
    return NOWHERE


def _made_by(files: Proved | None, objects: Collection[Key]) -> dict[Key, list[Key]]:
    """Who makes what is not in the cluster, as the files say it, as far as that is in the cluster itself."""
    found: dict[Key, list[Key]] = {}
    for world in files.proof.worlds if files else ():
        makers: dict[Key, list[Key]] = defaultdict(
            list
        )  # whatever is meant of it: that it exists, is Ready, has its content
        for thing in world.graph.made:
            makers[_key(thing)] += [_key(edge.needs) for edge in world.graph.makers(thing)]
        for key in [*makers]:
            if key not in objects:
                found.setdefault(key, []).extend(_nearest(makers, key, objects))
    return found


def _nearest(makers: Mapping[Key, Sequence[Key]], key: Key, objects: Collection[Key]) -> list[Key]:
    """The nearest of its makers, or of theirs, that are in the cluster."""
    around, seen = [key], {key}
    while around:
        above = dict.fromkeys(maker for one in around for maker in makers.get(one, ()))
        if there := [one for one in above if one in objects]:
            return there
        around = [one for one in above if one not in seen]
        seen |= {*around}
    return []


def _key(thing: Thing) -> Key:
    return thing.kind, thing.namespace, thing.name
