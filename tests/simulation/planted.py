"""Bugs put into the product on purpose: an auditor that never complains shows nothing."""

from collections.abc import Awaitable, Callable
from dataclasses import replace
from typing import Any

from rebirth.providers.proxmox import ProxmoxApi, Vm
from rebirth.run.bootstrap import Bootstrap
from rebirth.run.facts import Fact, MachinesCreated, MetalLbInstalled, NodesReady, SecretsPlaced, SecretsResolved
from rebirth.run.phase import Phase
from rebirth.run.waiting import note

Wrap = Callable[[Callable[..., Awaitable[Any]]], Callable[..., Awaitable[Any]]]


def _with(bootstrap: Bootstrap, kind: type[Fact], wrap: Wrap) -> Bootstrap:
    """The phase that makes `kind`, done otherwise."""

    def changed(phase: Phase) -> Phase:
        return replace(phase, function=wrap(phase.function)) if phase.makes is kind else phase

    return replace(bootstrap, phases=tuple(map(changed, bootstrap.phases)))


def _forgets(kind: type[Fact]) -> Callable[[Bootstrap], Bootstrap]:
    """Its line is never written to the journal."""

    def wrap(function: Callable[..., Awaitable[Any]]) -> Callable[..., Awaitable[Any]]:
        async def phase(**takes: Any) -> Any:
            fact = await function(**takes)
            unsaid = type(kind.__name__, (kind,), {"in_memory": True})
            return unsaid(**vars(fact))

        return phase

    return lambda bootstrap: _with(bootstrap, kind, wrap)


class _Blind:
    """Sees no machine of the castle, and so makes each again."""

    def __init__(self, api: ProxmoxApi) -> None:
        self._api = api

    def __getattr__(self, name: str) -> Any:
        return getattr(self._api, name)

    async def machines(self) -> list[Vm]:
        return [replace(vm, name="", tags=frozenset()) for vm in await self._api.machines()]


def _creates_twice(function: Callable[..., Awaitable[Any]]) -> Callable[..., Awaitable[Any]]:
    async def phase(*, proxmox: ProxmoxApi, **takes: Any) -> Any:
        return await function(proxmox=_Blind(proxmox), **takes)

    return phase


def _tells(function: Callable[..., Awaitable[Any]]) -> Callable[..., Awaitable[Any]]:
    """Only of a second attempt: what happens each time any test would see."""
    attempts = 0

    async def phase(*, secrets: SecretsResolved, **takes: Any) -> Any:
        nonlocal attempts
        attempts += 1
        if attempts > 1:
            note(f"tries again to place {next(iter(secrets.values.values())).reveal()}")
        return await function(secrets=secrets, **takes)

    return phase


BUGS: dict[str, Callable[[Bootstrap], Bootstrap]] = {
    "a phase that writes forgets its journal line": _forgets(MetalLbInstalled),
    "a phase that only waits forgets its journal line": _forgets(NodesReady),
    "a resumed run creates machines again": lambda bootstrap: _with(bootstrap, MachinesCreated, _creates_twice),
    "a second attempt tells a secret": lambda bootstrap: _with(bootstrap, SecretsPlaced, _tells),
}
