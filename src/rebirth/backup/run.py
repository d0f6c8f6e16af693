"""One backup of a castle, and what its archive holds."""

from rebirth.backup import keep_credentials, keep_databases, keep_vault, write_generation
from rebirth.castle import Anchors, Castle, Identity, references
from rebirth.errors import Broken, SpecError
from rebirth.events import Events, RunFinished, RunStarted
from rebirth.paths import Paths
from rebirth.phases import (
    BOOTSTRAP,
    CONNECTIONS,
    connections,
    resolve_secrets,
    restore_credentials,
    restore_databases,
    restore_vault,
)
from rebirth.providers.anchors.archive import Listed
from rebirth.run.bootstrap import Bootstrap
from rebirth.run.create import given, sections
from rebirth.run.engine import Engine, Outcome
from rebirth.run.journal import Journal
from rebirth.run.phase import name_of, read
from rebirth.secrets import Redaction

_PHASES = tuple(map(read, (resolve_secrets, keep_credentials, keep_vault, keep_databases, write_generation)))
_BACKUP = Bootstrap(_PHASES, CONNECTIONS, resolve_secrets.resolved)
_RESTORING = {name_of(module) for module in (restore_credentials, restore_vault, restore_databases)}


def anchors_of(castle: Castle) -> Anchors:
    """Raises SpecError where the castle keeps nothing."""
    if castle.anchors is None:
        hint = "It says where what outlives the castle is kept: docs/anchors.md."
        raise SpecError("castle.yaml has no section `anchors`", hint=hint)
    return castle.anchors


async def backup(castle: Castle, paths: Paths, events: Events, redaction: Redaction) -> Outcome:
    """Writes a new generation, or none."""
    anchors_of(castle)
    own = _BACKUP.of(sections(castle))
    with Journal(paths.state, "backup") as journal:
        _refuse_half_restored(castle, journal)
        engine = Engine(own.phases, own.connections, given(castle, paths, redaction), journal, events)
        events(RunStarted(castle.name, "backup", tuple(phase.name for phase in own.phases)))
        outcome = await engine.run()
        events(RunFinished(outcome.ok, "; ".join(map(str, outcome.failures.values()))))
        return outcome


def _refuse_half_restored(castle: Castle, journal: Journal) -> None:
    """What is kept of a castle into which not everything has come back yet would be the latest, and lack that."""
    restoring = [phase for phase in BOOTSTRAP.of(sections(castle)).phases if phase.name in _RESTORING]
    if left := [phase.title for phase in restoring if not journal.knows(phase.name)]:
        text = f"create has not done this yet: {', '.join(left)}; a backup now would lack it"
        hint = "Run `rebirth create` until it is done."
        raise Broken(text, operation="backup", hint=hint)


async def listed(castle: Castle, paths: Paths) -> tuple[str, list[Listed], list[str]]:
    """Where the archive is, this castle's generations, and the names of others' ones."""
    anchors = anchors_of(castle)
    secrets = resolve_secrets.resolved(references(anchors, "anchors"), paths, Redaction())
    archive = connections.archive(anchors, Identity(name=castle.name), paths, secrets)
    try:
        return archive.place, await archive.listed(), await archive.others()
    finally:
        await archive.close()
