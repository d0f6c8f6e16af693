"""The vocabulary: things that become true, how far, when, and why one needs another.

A `Thing` is something that becomes true: a CRD is established, a Secret exists, a name resolves, a Kustomization is Ready.
An `Edge` says that one thing needs another, and because of which place in which file.
"""

from dataclasses import dataclass
from enum import IntFlag, StrEnum
from typing import NamedTuple


class Milestone(StrEnum):
    """How far a thing has to come; reads as the end of a sentence."""

    EXISTS = "exists"
    STARTED = "has started"  # a Flux Kustomization: nothing keeps it from applying; what it applies first is there
    APPLIED = "is applied"
    ESTABLISHED = "is established"  # a CRD: its kind is known to the API server
    MATERIALISED = "is materialised"  # a Secret or ConfigMap holds its data, whoever makes it
    SERVES = "serves"  # has ready endpoints
    ADMITS = "admits"  # a webhook answers the API server with a certificate that it trusts
    RESOLVES = "resolves"
    ANSWERS = "answers"
    READY = "is Ready"


# What etcd and disks keep: true again at once when a cluster that was complete loses its power.
PERSISTED = frozenset(
    {Milestone.EXISTS, Milestone.STARTED, Milestone.APPLIED, Milestone.ESTABLISHED, Milestone.MATERIALISED}
)


class Scope(IntFlag):
    """In which situation an edge counts."""

    FIRST_BOOT = 1
    COLD_RESTART = 2
    UPGRADE = 4
    DESTROY = 8

    # Asked millions of times whether an edge counts: an integer will do, and is ten times as fast.
    __and__ = int.__and__  # type: ignore[assignment]


ALWAYS = Scope.FIRST_BOOT | Scope.COLD_RESTART | Scope.UPGRADE


class Strength(StrEnum):
    """What happens to who needs something that is not true yet. It stays a need in any case."""

    SOFT = "soft"  # tried again for ever
    BOUNDED = "bounded"  # tried again for `Edge.patience` seconds
    HARD = "hard"  # fails for good


class Need(StrEnum):
    """Why somebody needs something: what rules recognise a chain by."""

    MADE_BY = "made by"
    APPLIED_BY = "applied by"
    DEPENDS_ON = "depends on"
    HEALTH = "waits for"
    PHASE = "takes"
    SOURCE = "comes from"
    FETCHED = "is fetched from"
    CREDENTIAL = "logs in with"
    DECRYPTION = "decrypts with"
    CHART = "installs"
    CRD = "is of the kind"
    LIKELY = "probably contains a"  # a kind, for all that its values tell: a cycle through it is a warning
    NAMESPACE = "is in"
    WEBHOOK = "is admitted by"
    ACCOUNT = "runs as"
    SECRET = "reads the Secret"  # noqa: S105 - a word
    CONFIG = "reads the ConfigMap"
    VALUES = "takes values from"
    VARIABLES = "substitutes from"
    STORE = "reads through"
    VAULT = "is stored at"
    WORKLOAD = "is run by"
    SERVICE = "is reached through"
    NAME = "resolves"
    ZONE = "is answered by"
    IMAGE = "is pulled from"
    VOLUME = "mounts"
    STORAGE = "is provided by"
    CLASS = "is served by"
    ADDRESS = "gets its address from"
    CERTIFICATE = "is signed by"
    IDENTITY = "proves who asks through"
    HOOK = "waits for the hook"
    HOST = "needs from the machine"
    NODE = "runs on"
    NETWORK = "is connected by"
    API = "uses the API server"
    RESTORE = "is restored from"


class Place(NamedTuple):
    """Where something is written.

    `line` (1-based) is the first line of the YAML document, or of the statement; `path` leads to the value inside that
    document. Which line the path stands on is looked up only when it is shown (`sources.lines`).
    """

    file: str  # absolute; "" where nobody wrote it
    line: int = 0
    path: tuple[str | int, ...] = ()


NOWHERE = Place("")


class Thing(NamedTuple):
    kind: str  # a Kubernetes kind, or a word of ours: "phase", "name", "vault path"
    namespace: str  # "" where it has none
    name: str
    milestone: Milestone

    def __str__(self) -> str:
        return f"{self.label} {self.milestone.value}"

    @property
    def label(self) -> str:
        return f"{self.kind} {self.namespace}/{self.name}" if self.namespace else f"{self.kind} {self.name}"


class Edge(
    NamedTuple
):  # a tuple is made four times as fast as a frozen dataclass, and a proof makes a hundred thousand
    """`by` needs `needs`."""

    by: Thing
    needs: Thing
    need: Need
    place: Place
    words: str = ""  # what stands there, where the kind of need does not say it
    strength: Strength = Strength.SOFT
    scope: Scope = Scope.FIRST_BOOT
    patience: float | None = None  # seconds that `by` waits in all; None: see strength


class Atomicity(StrEnum):
    """How the members of a unit are applied."""

    FLUX = "flux"  # Namespaces, CRDs and classes first; then the rest, dry-run as a whole
    HELM = "helm"  # crds/ first; then sorted by kind; hooks after the wait
    PHASE = "phase"  # one after the other
    TALOS = "talos"  # the configuration, then bootstrap


@dataclass(frozen=True, slots=True)
class Remark:
    """Something that a source saw and that needs no graph to be wrong; a rule gives it weight."""

    slug: str  # what was seen, such as "duplicate-key"
    place: Place
    words: str  # one sentence, names included
    about: Thing | None = None
    data: tuple[tuple[str, str], ...] = ()

    def __getitem__(self, key: str) -> str:
        return dict(self.data)[key]


class Reading(NamedTuple):
    """Somebody reads one key of a Secret or ConfigMap."""

    by: Thing
    of: Thing
    key: str  # or several, separated by |, of which one is enough
    place: Place
    beside: str = ""  # a key without which it reads that one neither


class Holding(NamedTuple):
    """A maker of a Secret or ConfigMap, and the keys that it makes; None where files do not tell them."""

    keys: frozenset[str] | None
    place: Place


class Extent(StrEnum):
    """What it is of which files do not tell all: by that it is judged what it may make (`rules.unknowns`)."""

    NOTHING = "nothing"
    CHART = "chart"  # a release's chart, or a part of it
    BASE = "base"  # objects that a kustomization, or somebody before Flux, takes from elsewhere
    FILE = "file"  # a file of the repository that cannot be read
    COMMAND = "command"  # what is run before Flux
    UNIT = "unit"  # all that a Kustomization applies, objects of Flux among them


@dataclass(frozen=True, slots=True)
class Unknown:
    """What files cannot tell; counted as coverage, never guessed."""

    what: str
    place: Place
    why: str
    extent: Extent = Extent.NOTHING
    namespace: str = ""  # the one into which it puts things; "" where that may be any
    words: frozenset[str] = frozenset()  # what it is called, in pieces: what it makes is mostly called alike
    names: frozenset[str] = frozenset()  # names that are written in it
    by: Thing | None = None  # the unit that makes them: never what that waits for itself
    foreign: bool = False  # it lies in another owner's repository
    partly: bool = False  # what others need of it is known
    listed: bool = True  # not what a finding tells already
