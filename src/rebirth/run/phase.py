"""Reads a phase's declaration from its signature.

A phase is a module with one async function of the module's name:

    LAYER = "platform"          the protocol's layer that its time is summed under
    PATIENCE = 120              seconds after which the engine gives up on it
    USUALLY = 20                seconds that it takes by a rule of thumb, once all that it needs is true; 1 where it does not say

and where they are true:

    ON_DEMAND = True            runs only when a phase that has to run takes its fact
    WAITS = True                for what others make true: how long it took once says nothing of it
    PREPARES = True             before it is done nothing has been made
    LOOKS = True                at this machine alone, and writes nothing: `status` may run it
    VERIFIES = True             is a goal of `verify`
    ONLINE = True               the castle is online when it is done

    WAITS_FOR = (facts.X,)      optional: facts that it does not take, but without which what it waits for never comes: where
                                one of them has failed for good, the wait ends

    async def boot_machines(machines: Machines, proxmox: ProxmoxApi, created: MachinesCreated) -> MachinesBooted:
        '''Start the virtual machines and wait for Talos' maintenance mode.'''

    async def still(fact: MachinesBooted, proxmox: ProxmoxApi) -> bool:       optional; never writes
    async def found(created: MachinesCreated) -> MachinesBooted:              optional; never writes

`still` says whether a fact that was made true by an earlier run holds now. `found` makes the fact, for `still` to look at,
out of what castle.yaml and the systems outside say: so `rebirth status` can look where no run is remembered.

A phase that makes something outside of the cluster says how that is found again, by names and tags alone, and how it goes:

    async def undo(spec: Proxmox, proxmox: ProxmoxApi) -> list[Made]:         never writes: what it returns can be removed
        '''The machines with the castle's tag.'''

    UNDO_AFTER = (MachinesCreated,)   optional: what goes before this, although this phase needs it

What it takes are sections of the castle, facts and connections; what it returns is the fact that it makes true. A
connection is a plain function, declared the same way, that makes a client of an outside system:

    def proxmox_api(proxmox: Proxmox, secrets: SecretsResolved) -> ProxmoxApi: ...
"""

import inspect
from collections.abc import Awaitable, Callable, Iterable
from dataclasses import dataclass
from types import ModuleType
from typing import Any, get_type_hints

from rebirth.run.facts import Fact, Made

# The order in which the protocol's script runs its layers: what `make bench` compares the graph with.
LAYERS: tuple[tuple[str, ...], ...] = (
    ("secrets",),
    ("key",),
    ("platform",),
    ("engine",),
    ("networking", "gitops", "storage"),
    ("waits",),
)

_USUALLY = 1.0  # seconds


@dataclass(frozen=True)
class Declaration:
    """A function with what its signature says: parameter name -> type, and the type it returns."""

    name: str
    takes: dict[str, type]
    makes: type
    function: Callable[..., Any]
    file: str
    line: int  # 1-based


@dataclass(frozen=True)
class Undo:
    """How destroy finds what a phase has made outside of the cluster."""

    title: str  # what it looks for: "the machines with the castle's tag"
    function: Callable[..., Awaitable[list[Made]]]
    takes: dict[str, type]
    after: tuple[type[Fact], ...]  # what these phases have made goes first, although this phase needs them


@dataclass(frozen=True)
class Phase(Declaration):
    title: str
    layer: str  # one of LAYERS
    patience: float  # seconds
    usually: float  # seconds
    on_demand: bool
    waits_for: tuple[type[Fact], ...]
    waits: bool
    prepares: bool
    looks: bool
    verifies: bool
    online: bool
    still: Callable[..., Awaitable[bool]] | None
    still_takes: dict[str, type]
    found: Declaration | None
    undo: Undo | None = None


@dataclass(frozen=True)
class Bootstrap:
    """All that makes a castle: the phases, the connections that they take, and how secrets are had for a part of them."""

    phases: tuple[Phase, ...]
    connections: tuple[Declaration, ...]
    resolve: Callable[..., Any]  # (references with their YAML paths, Place, Redaction) -> the fact of resolved secrets


def declared(function: Callable[..., Any]) -> Declaration:
    """What the signature of `function` declares. Raises TypeError where an annotation is missing."""
    hints = get_type_hints(function)
    makes = hints.pop("return", None)
    parameters = tuple(inspect.signature(function).parameters)
    if missing := [name for name in parameters if name not in hints]:
        raise TypeError(f"{function.__qualname__}: the parameter {missing[0]} has no annotation")
    if makes is None:
        raise TypeError(f"{function.__qualname__} does not say what it returns")
    code = inspect.unwrap(function).__code__
    return Declaration(
        name=function.__name__,
        takes={name: hints[name] for name in parameters},
        makes=makes,
        function=function,
        file=code.co_filename,
        line=code.co_firstlineno,
    )


def name_of(module: ModuleType) -> str:
    """The name of the phase that `module` declares: its own."""
    return module.__name__.rpartition(".")[2]


def read(module: ModuleType) -> Phase:
    """The phase that `module` declares."""
    name = name_of(module)
    declaration = declared(getattr(module, name))
    if not issubclass(declaration.makes, Fact):
        raise TypeError(f"{name} returns {declaration.makes.__name__}, which is no fact")
    if not any(module.LAYER in layers for layers in LAYERS):
        raise TypeError(f"{name}: no such layer: {module.LAYER}")
    still = getattr(module, "still", None)
    still_takes = dict(list(declared(still).takes.items())[1:]) if still else {}
    return Phase(
        **vars(declaration),
        title=_title(declaration.function),
        layer=module.LAYER,
        patience=float(module.PATIENCE),
        usually=float(getattr(module, "USUALLY", _USUALLY)),
        on_demand=getattr(module, "ON_DEMAND", False),
        waits_for=getattr(module, "WAITS_FOR", ()),
        waits=getattr(module, "WAITS", False),
        prepares=getattr(module, "PREPARES", False),
        looks=getattr(module, "LOOKS", False),
        verifies=getattr(module, "VERIFIES", False),
        online=getattr(module, "ONLINE", False),
        still=still,
        still_takes=still_takes,
        found=declared(module.found) if hasattr(module, "found") else None,
        undo=_undo(module),
    )


def _undo(module: ModuleType) -> Undo | None:
    function = getattr(module, "undo", None)
    if function is None:
        return None
    title = _title(function)
    return Undo(title[0].lower() + title[1:], function, declared(function).takes, getattr(module, "UNDO_AFTER", ()))


def _title(function: Callable[..., Any]) -> str:
    return (inspect.getdoc(function) or function.__name__).splitlines()[0].rstrip(".")


def needs(
    phase: Phase, phases: Iterable[Phase], connections: Iterable[Declaration]
) -> dict[type[Fact], tuple[str, ...]]:
    """The facts that `phase` needs, each with the chain of connections through which it is needed (empty: taken directly)."""
    connects = {connection.makes: connection for connection in connections}
    facts = {other.makes for other in phases}
    found: dict[type[Fact], tuple[str, ...]] = {}
    pending: list[tuple[type, tuple[str, ...]]] = [(kind, ()) for kind in phase.takes.values()]
    while pending:
        kind, chain = pending.pop(0)
        if kind in facts:
            found.setdefault(kind, chain)
        elif kind in connects and connects[kind].name not in chain:
            connection = connects[kind]
            pending += [(inner, (*chain, connection.name)) for inner in connection.takes.values()]
    return found
