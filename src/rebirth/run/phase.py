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
    HINT = "See ..."            what a person may do when its patience is over, where what it waited for does not say it
    ONLINE = 4                  the castle is online when it is done, where no phase of it has a higher number

    WAITS_FOR = (facts.X,)      optional: facts that it does not take, but without which what it waits for never comes: where
                                one of them has failed for good, the wait ends

    async def boot_machines(machines: Machines, proxmox: ProxmoxApi, created: MachinesCreated) -> MachinesBooted:
        '''Start the virtual machines and wait for Talos' maintenance mode.'''

    async def still(fact: MachinesBooted, proxmox: ProxmoxApi) -> bool:       optional; never writes
    async def found(created: MachinesCreated) -> MachinesBooted:              optional; never writes

`still` says whether a fact that was made true by an earlier run holds now. `found` makes the fact, for `still` to look at,
out of what castle.yaml and the systems outside say: so `rebirth status` can look where no run is remembered.

A phase whose work castle.yaml may ask to be different later says what it would change of what is there:

    async def changes(metallb: MetalLb, helm: Helm) -> list[Change]:          optional; never writes
        '''What differs, and what running the phase again makes of it: see run/change.py.'''

It takes what a phase takes, its own fact included, as earlier runs have left it. `plan` and `status` show its answer, and
`create` at its end, of what it did not do.

A phase that makes something outside of the cluster says how that is found again, by names and tags alone, and how it goes:

    async def undo(spec: Proxmox, proxmox: ProxmoxApi) -> list[Made]:         never writes: what it returns can be removed
        '''The machines with the castle's tag.'''

    UNDO_AFTER = (MachinesCreated,)   optional: what goes before this, although this phase needs it

What it takes are sections of the castle, facts and connections; what it returns is the fact that it makes true. What takes
something that nothing gives, a section that castle.yaml does not have or a fact that no phase of the castle makes, is left out
of that castle's graph; what takes `Section | None` gets None then. A connection is a plain function, declared the same way,
that makes a client of an outside system:

    def proxmox_api(proxmox: Proxmox, secrets: SecretsResolved) -> ProxmoxApi: ...
"""

import inspect
from collections.abc import Callable, Collection, Iterable
from dataclasses import dataclass, replace
from types import ModuleType, NoneType, UnionType
from typing import Any, get_args, get_type_hints

from rebirth.run.facts import Fact

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
    can_do_without: frozenset[type]  # of these, what was taken as `type | None`
    makes: type
    function: Callable[..., Any]
    file: str
    line: int  # 1-based

    def lacks(self, there: Collection[type]) -> bool:
        """Whether it takes something that is not there, and cannot do without it."""
        return any(kind not in there and kind not in self.can_do_without for kind in self.takes.values())


@dataclass(frozen=True)
class Undo(Declaration):
    """How destroy finds what a phase has made outside of the cluster."""

    title: str  # what it looks for: "the machines with the castle's tag"
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
    online: int  # 0: it says nothing of that
    hint: str  # "" where it has none
    still: Declaration | None  # besides what it takes it is handed the fact
    found: Declaration | None
    undo: Undo | None = None
    changes: Declaration | None = None


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
    taken = {name: _without_none(hints[name]) for name in parameters}
    return Declaration(
        name=function.__name__,
        takes=taken,
        can_do_without=frozenset(taken[name] for name in parameters if taken[name] is not hints[name]),
        makes=makes,
        function=function,
        file=code.co_filename,
        line=code.co_firstlineno,
    )


def declared_still(function: Callable[..., Any]) -> Declaration:
    """What it declares besides its first parameter, the fact that it is handed."""
    declaration = declared(function)
    return replace(declaration, takes=dict(list(declaration.takes.items())[1:]))


def _without_none(hint: type) -> type:
    """`T` of `T | None`; anything else as it is."""
    others: list[type] = [kind for kind in get_args(hint) if kind is not NoneType]
    return others[0] if isinstance(hint, UnionType) and len(others) == 1 else hint


def name_of(module: ModuleType) -> str:
    """The name of the phase that `module` declares: its own."""
    return module.__name__.rpartition(".")[2]


def read(module: ModuleType) -> Phase:
    """The phase that `module` declares."""
    name = name_of(module)
    declaration = declared(getattr(module, name))
    if not issubclass(declaration.makes, Fact):
        raise TypeError(f"{name} returns {declaration.makes.__name__}, which is not a fact")
    if not any(module.LAYER in layers for layers in LAYERS):
        raise TypeError(f"{name}: no such layer: {module.LAYER}")
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
        online=getattr(module, "ONLINE", 0),
        hint=getattr(module, "HINT", ""),
        still=declared_still(module.still) if hasattr(module, "still") else None,
        found=declared(module.found) if hasattr(module, "found") else None,
        undo=_undo(module),
        changes=declared(module.changes) if hasattr(module, "changes") else None,
    )


def _undo(module: ModuleType) -> Undo | None:
    function = getattr(module, "undo", None)
    if function is None:
        return None
    title = _title(function)
    after = getattr(module, "UNDO_AFTER", ())
    return Undo(**vars(declared(function)), title=title[0].lower() + title[1:], after=after)


def _title(function: Callable[..., Any]) -> str:
    return (inspect.getdoc(function) or function.__name__).splitlines()[0].rstrip(".")


def goal(phases: Iterable[Phase]) -> str:
    """The name of the phase at whose end a castle of these phases is online; "" where none of them says so."""
    found = max(phases, key=lambda phase: phase.online, default=None)
    return found.name if found and found.online else ""


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
