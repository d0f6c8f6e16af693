"""What a castle on real systems is missing before it is created, and the fix for each: programs, secrets, systems.

What the lab needs is the lab's own to say.
"""

import asyncio
from collections.abc import Awaitable, Callable, Sequence
from dataclasses import dataclass
from pathlib import Path

from rebirth.castle import Castle, Identity, load, references
from rebirth.castle.reference import SecretRef
from rebirth.commands import HINTS, Commands
from rebirth.errors import Broken, Rebirth, SpecError
from rebirth.paths import Paths, paths_of
from rebirth.phases import connections
from rebirth.phases.free_names import refuse_foreign
from rebirth.phases.made.virtual_machines import needs
from rebirth.phases.reach_outside import WHERE
from rebirth.phases.read_repository import read_repository
from rebirth.phases.resolve_secrets import resolve, resolve_secrets
from rebirth.run.facts import SecretsResolved
from rebirth.run.waiting import together
from rebirth.secrets import Redaction
from rebirth.terminal.checklist import Check, program

_PROGRAMS = ("git", "helm", "talosctl")
_SSH = "ssh-agent"
_PATIENCE = 20.0  # seconds for an answer


def programs() -> list[Check]:
    """The programs that every castle needs."""
    return [program(name, HINTS[name]) for name in _PROGRAMS]


async def examine(directory: Path) -> list[Check]:
    """Every check for the castle in `directory`. Nothing is written anywhere. Raises SpecError."""
    castle = load(directory)
    redaction = Redaction()
    paths = paths_of(directory, castle.secrets)
    secrets = await _secrets(castle, paths, redaction)
    systems = _Systems(castle, paths, redaction)
    asked = await together(systems.proxmox(), systems.tailscale(), systems.vault(), systems.git(), systems.archive())
    return [*programs(), *secrets, *(check for checks in asked for check in checks), *_reservations(castle)]


def _reservations(castle: Castle) -> list[Check]:
    """What the LAN's DHCP server has to know. It cannot be asked: whether it does shows when a machine has booted."""
    reserved = castle.machines.reservations(castle.name)
    return [
        Check(f"not checked: DHCP reserves {address} for {mac} ({name})", sound=True)
        for name, (mac, address) in reserved.items()
    ]


async def _secrets(castle: Castle, paths: Paths, redaction: Redaction) -> list[Check]:
    """Each secret: whether it is there, looks right, and is kept from others."""
    complaints: dict[str, str] = {}
    try:
        await resolve_secrets(castle, paths, redaction)
    except SpecError as error:
        complaints = {problem.file: f"{problem.message}. {problem.hint}" for problem in error.problems}
    references = {reference.secret: reference for _, reference in castle.references()}
    return [_secret(references[name], paths, complaints) for name in sorted(references)]


def _secret(reference: SecretRef, paths: Paths, complaints: dict[str, str]) -> Check:
    file = paths.vault / reference.secret
    what = f"secret {reference.secret}"
    if complaint := complaints.get(str(file)):
        return Check(what, sound=False, fix=f"{file}: {complaint}")
    if not file.is_file():
        return Check(f"{what} (from {reference.variable})", sound=True)
    return Check(what, not file.stat().st_mode & 0o077, f"Others can read it: chmod 600 {file}")


@dataclass(frozen=True)
class _Answer:
    said: str
    lacks: Sequence[str] = ()  # rights that the credential was not given


class _Systems:
    """Asks each system that the castle needs, with the castle's own credentials, and reads only."""

    def __init__(self, castle: Castle, paths: Paths, redaction: Redaction) -> None:
        self._castle, self._paths, self._redaction = castle, paths, redaction

    async def proxmox(self) -> list[Check]:
        if (spec := self._castle.proxmox) is None:
            return []

        async def ask(secrets: SecretsResolved) -> _Answer:
            api = connections.proxmox_api(spec, secrets)
            wanted = needs(self._castle.machines, spec)
            try:
                said = f"version {await api.reach(wanted)}"
                if lacks := await api.lacks(wanted):
                    return _Answer(said, lacks)
                await api.offers(wanted)
            finally:
                await api.close()
            return _Answer(said)

        return [await self._asked("Proxmox", spec.endpoint, [spec.token, spec.ca], ask)]

    async def tailscale(self) -> list[Check]:
        if (spec := self._castle.tailscale) is None:
            return []

        async def ask(secrets: SecretsResolved) -> _Answer:
            api = connections.tailnet_api(spec, secrets)
            try:
                if lacks := await api.lacks():
                    return _Answer("", lacks)
                devices = await api.devices()
                refuse_foreign(devices, spec, self._castle.machines, self._paths)
            finally:
                await api.close()
            return _Answer(f"{len(devices)} devices")

        references = [spec.oauth_client_id, spec.oauth_client_secret]
        return [await self._asked("Tailscale", f"{spec.api}, {spec.tailnet}", references, ask)]

    async def vault(self) -> list[Check]:
        if (spec := self._castle.engine.vault) is None:
            return []

        async def ask(secrets: SecretsResolved) -> _Answer:
            api = connections.vault_api(spec, secrets)
            try:
                await api.reach()
                lacks = await api.lacks(writes=[handover.to.path for handover in self._castle.handovers])
            finally:
                await api.close()
            return _Answer(f"mount {spec.mount}", lacks)

        return [await self._asked("Vault", spec.address, [spec.token, spec.ca], ask)]

    async def archive(self) -> list[Check]:
        if (spec := self._castle.anchors) is None:
            return []
        identity = Identity(name=self._castle.name)

        async def ask(secrets: SecretsResolved) -> _Answer:
            archive = connections.archive(spec, identity, self._paths, secrets)
            try:
                return _Answer(f"{len(await archive.listed())} generations of this castle")
            finally:
                await archive.close()

        place = spec.archive.s3.endpoint if spec.archive.s3 else str(spec.archive.folder)
        needed = [spec.age_key, *(reference for _, reference in references(spec.archive))]
        return [await self._asked("Archive", place, needed, ask)]

    async def git(self) -> list[Check]:
        spec, commands = self._castle.gitops, Commands(self._redaction)
        flux: list[Check] = []
        ssh = [program(_SSH, HINTS[_SSH])] if spec.by_ssh else []

        async def ask(secrets: SecretsResolved) -> _Answer:
            read = await read_repository(spec, connections.git_remote(spec, self._paths, secrets, commands))
            if read.flux_manifests is None and not spec.flux:
                flux.append(_flux(commands, spec.path))
            return _Answer(f"{spec.branch} at {read.commit[:7]}")

        return [await self._asked("Git", spec.repository, spec.credentials, ask), *flux, *ssh]

    async def _asked(
        self,
        system: str,
        where: str,
        references: Sequence[SecretRef | None],
        ask: Callable[[SecretsResolved], Awaitable[_Answer]],
    ) -> Check:
        what = f"{system} ({where})"
        found = {}
        for reference in filter(None, references):
            try:
                found[reference.secret] = resolve(reference, self._paths, self._redaction)
            except SpecError:
                return Check(what, sound=False, fix=f"Not checked: the secret {reference.secret} is missing.")
        try:
            async with asyncio.timeout(_PATIENCE):
                answer = await ask(SecretsResolved(found))
        except TimeoutError:
            return Check(what, sound=False, fix=f"No answer in {_PATIENCE:g} s. Is it reachable from here?")
        except Rebirth as error:
            return Check(
                what, sound=False, fix=self._redaction.redact("\n".join(filter(None, (str(error), error.hint))))
            )
        if answer.lacks:
            return Check(what, sound=False, fix="\n".join(["Missing rights:", *answer.lacks, f"See {WHERE[system]}."]))
        return Check(f"{what}: {answer.said}", sound=True)


def _flux(commands: Commands, path: str) -> Check:
    """A repository without Flux' manifests gets them from the flux program."""
    what = f"flux (the repository has no {path}/flux-system)"
    try:
        commands.require("flux")
    except Broken as error:
        return Check(what, sound=False, fix=error.hint)
    return Check(what, sound=True)
