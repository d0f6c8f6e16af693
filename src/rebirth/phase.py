"""Reads a phase's declaration from its signature.

A phase is a module with one async function of the module's name:

    LAYER = "platform"          the protocol's layer that its time is summed under
    PATIENCE = 120              seconds after which the engine gives up on it
    ON_DEMAND = True            optional: runs only when a phase that has to run takes its fact
    WAITS_FOR = (facts.X,)      optional: facts that it does not take, but without which what it waits for never comes: where
                                one of them has failed for good, the wait ends

    async def boot_machines(machines: Machines, proxmox: ProxmoxApi, created: MachinesCreated) -> MachinesBooted:
        '''Start the virtual machines and wait for Talos' maintenance mode.'''

    async def still(fact: MachinesBooted, proxmox: ProxmoxApi) -> bool:       optional; never writes
    async def found(created: MachinesCreated) -> MachinesBooted:              optional; never writes

`still` says whether a fact that was made true by an earlier run holds now. `found` makes the fact, for `still` to look at,
out of what castle.yaml and the systems outside say: so `rebirth status` can look where no run is remembered.

What it takes are sections of the castle, facts and connections; what it returns is the fact that it makes true. A
connection is a plain function, declared the same way, that makes a client of an outside system:

    def proxmox_api(proxmox: Proxmox, secrets: SecretsResolved) -> ProxmoxApi: ...
"""

import inspect
from collections.abc import Awaitable, Callable, Iterable
from dataclasses import dataclass
from types import ModuleType
from typing import Any, get_type_hints

from rebirth.facts import Fact

# The order in which the protocol's script runs its layers: what `make bench` compares the graph with.
LAYERS: tuple[tuple[str, ...], ...] = (
    ("secrets",),
    ("key",),
    ("platform",),
    ("engine",),
    ("networking", "gitops", "storage"),
    ("waits",),
)


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
class Phase(Declaration):
    title: str
    layer: str  # one of LAYERS
    patience: float  # seconds
    on_demand: bool
    waits_for: tuple[type[Fact], ...]
    still: Callable[..., Awaitable[bool]] | None
    still_takes: dict[str, type]
    found: Declaration | None


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


def read(module: ModuleType) -> Phase:
    """The phase that `module` declares."""
    name = module.__name__.rpartition(".")[2]
    declaration = declared(getattr(module, name))
    if not issubclass(declaration.makes, Fact):
        raise TypeError(f"{name} returns {declaration.makes.__name__}, which is no fact")
    if not any(module.LAYER in layers for layers in LAYERS):
        raise TypeError(f"{name}: no such layer: {module.LAYER}")
    still = getattr(module, "still", None)
    still_takes = dict(list(declared(still).takes.items())[1:]) if still else {}
    return Phase(
        **vars(declaration),
        title=(inspect.getdoc(declaration.function) or name).splitlines()[0].rstrip("."),
        layer=module.LAYER,
        patience=float(module.PATIENCE),
        on_demand=getattr(module, "ON_DEMAND", False),
        waits_for=getattr(module, "WAITS_FOR", ()),
        still=still,
        still_takes=still_takes,
        found=declared(module.found) if hasattr(module, "found") else None,
    )


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
