"""What sources read: Kubernetes objects as they will be applied, and the units that apply them."""

from collections import defaultdict
from collections.abc import Callable, Hashable, Iterator, Mapping
from dataclasses import dataclass, field
from itertools import chain
from operator import itemgetter
from pathlib import Path
from typing import TYPE_CHECKING, Any, NamedTuple, TypeVar

from rebirth.proof.reading.yaml_files import Document
from rebirth.proof.things import NOWHERE, Atomicity, Milestone, Place, Thing

if TYPE_CHECKING:
    from rebirth.castle import Castle
    from rebirth.run.phase import Declaration, Phase

_Answer = TypeVar("_Answer")


@dataclass(slots=True, eq=False)  # never changed; frozen ones take three times as long to make, and there are thousands
class Manifest:
    """One Kubernetes object, and where it is written: an absolute file, and the first line of its document."""

    data: Mapping[str, Any]
    file: str
    line: int
    prefix: tuple[str | int, ...] = ()  # where in that document it stands: ("items", 3) of a List
    listed: Place = NOWHERE  # the line of the kustomization that names the file
    written: Mapping[tuple[str | int, ...], tuple[str | int, ...]] = field(default_factory=dict)
    # values that stand elsewhere in the document: path in the object -> path in the document
    files: Mapping[tuple[str | int, ...], Place] = field(
        default_factory=dict
    )  # values that stand in files of their own

    kind: str = field(init=False)
    group: str = field(init=False)  # the API group; "" is the core's
    name: str = field(init=False)
    namespace: str = field(init=False)  # "" where it has none
    labels: Mapping[str, Any] = field(init=False)
    annotations: Mapping[str, Any] = field(init=False)
    _thing: Thing | None = field(init=False, default=None)  # the object itself, once somebody has asked

    def __post_init__(self) -> None:
        # Asked for a hundred times an object, so they are looked up once.
        version = str(self.data.get("apiVersion", ""))
        metadata = _mapping(self.data.get("metadata"))
        self.kind = str(self.data.get("kind", ""))
        self.group = version.partition("/")[0] if "/" in version else ""
        self.name = str(metadata.get("name", ""))
        self.namespace = str(metadata.get("namespace") or "")
        self.labels = _mapping(metadata.get("labels")) if "labels" in metadata else _NOTHING
        self.annotations = _mapping(metadata.get("annotations")) if "annotations" in metadata else _NOTHING

    def marked(self, name: str) -> Any:
        """The annotation of that name, or the label where there is none; None where there is neither."""
        found = self.annotations.get(name)
        return self.labels.get(name) if found is None else found

    def at(self, *path: str | int, default: Any = None) -> Any:
        """The value at that path, or `default` where there is none, whatever shape the object has."""
        value: Any = self.data
        for part in path:
            if type(value) is dict:  # as nearly always
                if part not in value:
                    return default
            else:
                keys: Any = (
                    value if isinstance(value, Mapping) else range(len(value)) if isinstance(value, list) else ()
                )
                if part not in keys:
                    return default
            value = value[part]
        return value

    def items(self, *path: str | int) -> list[Any]:
        """The list at that path; empty where there is none."""
        found = self.at(*path)
        return found if isinstance(found, list) else []

    def mapping(self, *path: str | int) -> Mapping[str, Any]:
        """The mapping at that path; empty where there is none."""
        found = self.at(*path)
        return found if type(found) is dict else _mapping(found)

    def place(self, *path: str | int) -> Place:
        """Where the value at that path stands."""
        for end in range(len(path), -1, -1) if self.files else ():
            if (own := self.files.get(path[:end])) is not None:
                return own._replace(path=(*own.path, *path[end:]))
        for end in range(len(path), -1, -1) if self.written else ():
            if path[:end] in self.written:
                return Place(self.file, self.line, (*self.written[path[:end]], *path[end:]))
        return Place(self.file, self.line, (*self.prefix, *path))

    def thing(self, milestone: Milestone = Milestone.EXISTS) -> Thing:
        if milestone is not Milestone.EXISTS:
            return Thing(self.kind, self.namespace, self.name, milestone)
        if self._thing is None:
            self._thing = Thing(self.kind, self.namespace, self.name, milestone)
        return self._thing


_NOTHING: Mapping[str, Any] = {}


def _mapping(value: Any) -> Mapping[str, Any]:
    """The value if it is a mapping; an empty one else."""
    # Nearly always a dict, which is known at once; of others an abstract class takes longer to tell.
    return value if type(value) is dict or isinstance(value, Mapping) else {}


def thing(kind: str, namespace: str, name: str, milestone: Milestone = Milestone.EXISTS) -> Thing:
    return Thing(kind, namespace, name, milestone)


@dataclass(slots=True, eq=False)
class Unit:
    """What is applied together.

    `applied` becomes true when all members have been taken by the API server, `ready` when the unit says that it is done.
    A phase has one fact for both.
    """

    applied: Thing
    ready: Thing
    atomicity: Atomicity
    place: Place
    own: Manifest | None = None  # the Flux Kustomization or HelmRelease itself
    members: list[Manifest] = field(default_factory=list)
    phase: str = ""  # the phase that applies it
    root: bool = False  # where Flux is pointed by hand: its own object and Flux itself are there before it
    known: bool = True  # whether the members are all that it makes; a chart that could not be rendered hides some
    built: bool = True  # False: kustomize rejects the folder, so the members are as they lie in its files

    @property
    def name(self) -> str:
        return self.applied.label


@dataclass(frozen=True, slots=True)
class MachineConfiguration:
    """What is written about one machine's Talos configuration, in the order in which it is merged."""

    machine: str
    role: str  # controlplane or worker
    patches: tuple[Manifest, ...]  # documents and patches; what a castle generates stands in castle.yaml
    whole: bool = True  # whether these are all; loose patches in a repository are not
    generated: bool = False  # whether they lie above what Talos' own generator writes
    version: str = ""  # of Talos, where that is said beside it
    operations: tuple[Place, ...] = ()  # patches in the form of RFC 6902, which are not merged but carried out


class Applied(NamedTuple):
    """Something that the repository's own scripts or documents apply by hand."""

    thing: Thing
    keys: frozenset[str] | None  # of a Secret or ConfigMap; None: not known
    place: Place  # the line that says so
    file: str  # in which it stands; the script's where that makes it
    context: str = ""  # of kubectl, where the line names one
    led_to: Thing | None = None  # the object itself, where it lies in the path of a Kustomization that is applied so


class Installed(NamedTuple):
    """A release that the repository's own scripts install with Helm."""

    name: str
    namespace: str
    place: Place  # the line that says so
    makes_namespace: bool = False


@dataclass(repr=False)
class Model:
    """All that was read, before anything is concluded from it."""

    root: Path  # of the GitOps repository; absolute
    around: Mapping[str, bool] = field(
        default_factory=dict
    )  # folders that were looked for above it: whether they are there
    cluster: str = ""  # the folder that Flux is pointed at, below the root
    start: tuple[str, Place] = ("", NOWHERE)  # why, and where that is written
    listed: frozenset[Path] = frozenset()  # files that were read for it
    silent: frozenset[str] = frozenset()  # files of the repository in which no comment says what not to report
    share: tuple[int, int] = (0, 0)  # of the files that hold objects: those that are read for some cluster, and all
    own_source: tuple[str, str, str] = ("", "", "")  # kind, namespace and name of the repository's own Flux source
    castle: "Castle | None" = None
    castle_file: Path | None = None
    castle_line: int = 1  # on which the mapping of castle.yaml begins
    phases: "tuple[Phase, ...]" = ()  # of the bootstrap itself; none without a castle
    connections: "tuple[Declaration, ...]" = ()
    machines: list[MachineConfiguration] = field(default_factory=list)
    units: list[Unit] = field(default_factory=list)
    seeded: list[Manifest] = field(default_factory=list)  # objects that the repository keeps for what runs before Flux
    applied: list[Applied] = field(default_factory=list)  # what somebody applies with kubectl
    installed: list[Installed] = field(default_factory=list)  # what somebody installs with Helm
    fetched: list[tuple[str, Place]] = field(default_factory=list)  # addresses of manifests that somebody applies so
    orphans: list[Manifest] = field(default_factory=list)  # objects in files that no kustomization lists
    helmfiles: dict[Path, tuple[str, bool]] = field(
        default_factory=dict
    )  # those that are run before Flux: who says so, and whether only their CRDs are applied
    remote: dict[str, Place] = field(
        default_factory=dict
    )  # entry of a kustomization that is fetched from the web -> where
    built: dict[str, Place] = field(default_factory=dict)  # folder that was built -> the Kustomization that names it
    _index: dict[tuple[str, str, str], list[tuple[Manifest, Unit]]] = field(default_factory=dict)
    _answers: dict[Hashable, Any] = field(default_factory=dict)
    _kinds: dict[str, list[tuple[int, tuple[Manifest, Unit]]]] | None = None  # with the number at which each is applied

    def index(self) -> None:
        """To be called once all units have their members, and again whenever these have changed."""
        index: dict[tuple[str, str, str], list[tuple[Manifest, Unit]]] = defaultdict(list)
        kinds: dict[str, list[tuple[int, tuple[Manifest, Unit]]]] = defaultdict(list)
        for number, found in enumerate((member, unit) for unit in self.units for member in unit.members):
            member = found[0]
            index[member.kind, member.namespace, member.name].append(found)
            kinds[member.kind].append((number, found))
        self._index, self._kinds, self._answers = index, kinds, {}

    def once(self, question: Hashable, work: Callable[[], _Answer]) -> _Answer:
        """The answer to a question about all units, worked out again only after `index`."""
        if self._kinds is None:
            return work()
        if question not in self._answers:
            self._answers[question] = work()
        found: _Answer = self._answers[question]
        return found

    def find(self, kind: str, namespace: str, name: str) -> list[tuple[Manifest, Unit]]:
        """The objects of that kind and name, with the units that apply them."""
        return self._index.get((kind, namespace, name), [])

    def objects(self, *kinds: str) -> Iterator[tuple[Manifest, Unit]]:
        """Every object of those kinds (none named: of all), with its unit, in the order in which they are applied."""
        if self._kinds is None or not kinds:
            for unit in self.units:
                for member in unit.members:
                    if not kinds or member.kind in kinds:
                        yield member, unit
            return
        listed = [self._kinds[kind] for kind in dict.fromkeys(kinds) if kind in self._kinds]
        for _, found in listed[0] if len(listed) == 1 else sorted(chain(*listed), key=itemgetter(0)):
            yield found

    def is_made_in(self, folder: Path, like: Manifest) -> bool:
        """Whether a file in the folder makes that object: another file with it is then a patch."""
        return any(
            (m.group, m.name) == (like.group, like.name)
            and like.namespace in {m.namespace, ""}
            and folder in Path(m.file).parents
            for m, _ in self.objects(like.kind)
        )

    def at(self, *path: str | int) -> Place:
        """Where that value stands in castle.yaml."""
        return Place(str(self.castle_file), self.castle_line, path) if self.castle_file else NOWHERE

    def orphan(self, kind: str, namespace: str, name: str) -> Manifest | None:
        """An object like that in a file which no kustomization lists."""
        return next(
            (o for o in self.orphans if o.kind == kind and o.name == name and o.namespace in {namespace, ""}), None
        )


def texts(value: Any) -> Iterator[str]:
    """Every text in a value, however deep."""
    if isinstance(value, str):
        yield value
    elif isinstance(value, Mapping):
        for item in value.values():
            yield from texts(item)
    elif isinstance(value, list):
        for item in value:
            yield from texts(item)


def manifests(document: Document, file: Path, listed: Place) -> Iterator[Manifest]:
    """The objects of a document: itself, or the items of a List."""
    data = document.data
    if not isinstance(data, dict) or not isinstance(kind := data.get("kind"), str) or "apiVersion" not in data:
        return
    if is_encrypted(document):
        return
    if kind.endswith("List") and is_list(data):
        for index, item in enumerate(data["items"]):
            if isinstance(item, Mapping) and "kind" in item:
                yield Manifest(item, str(file), document.line, ("items", index), listed)
        return
    found = Manifest(_quoted(data), str(file), document.line, (), listed)
    if found.name:
        yield found


def is_encrypted(document: Document) -> bool:
    """Whether SOPS has encrypted the whole of it, its kind included."""
    return isinstance(document.data, dict) and str(document.data.get("kind", "")).startswith("ENC[")


def is_list(data: Any) -> bool:
    """Whether it is a List of objects."""
    return isinstance(data, dict) and str(data.get("kind", "")).endswith("List") and isinstance(data.get("items"), list)


def _quoted(data: Mapping[str, Any]) -> Mapping[str, Any]:
    """An object with its own annotations as texts: kustomize (api 0.21) quotes those that are numbers or booleans."""
    metadata = data.get("metadata")
    written = metadata.get("annotations") if isinstance(metadata, dict) else None
    if not isinstance(written, dict) or all(isinstance(value, str) for value in written.values()):
        return data
    annotations = {key: _text(value) for key, value in written.items()}
    return {**data, "metadata": {**data["metadata"], "annotations": annotations}}


def _text(value: Any) -> Any:
    if isinstance(value, bool):
        return "true" if value else "false"
    return str(value) if isinstance(value, int | float) else value
