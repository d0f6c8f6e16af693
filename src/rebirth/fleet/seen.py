"""A fleet as it is seen: what the engine says of each job, made right by the job's own account; and why a job waits."""

from collections.abc import Sequence
from dataclasses import asdict, dataclass

from rebirth.fleet.account import Entry
from rebirth.fleet.engine import Row
from rebirth.fleet.job import Job
from rebirth.fleet.kinds import KINDS
from rebirth.fleet.place import Place, Worker


@dataclass(frozen=True)
class Seen:
    job: Job
    state: str  # waiting, running, cancelled, lost; or how it ended: done, findings, failed
    worker: str
    added: float  # seconds since the epoch
    entries: tuple[Entry, ...]  # its account
    told: str = ""  # its answer, in a few words
    why: str = ""  # it waits

    @property
    def began(self) -> float | None:
        """When it was started the last time."""
        return next((entry.at for entry in reversed(self.entries) if entry.what == "started"), None)

    @property
    def ended(self) -> float | None:
        last = self.entries[-1] if self.entries else None
        return (
            last.at
            if last and last.what in {"ended", "cancelled"} and self.state not in {"waiting", "running"}
            else None
        )

    def as_data(self) -> dict[str, object]:
        return {
            **self.job.as_data(),
            "state": self.state,
            "worker": self.worker,
            "added": self.added,
            "began": self.began,
            "ended": self.ended,
            "told": self.told,
            "why": self.why,
            "account": [asdict(entry) for entry in self.entries],
        }


def seen(place: Place, rows: Sequence[Row]) -> list[Seen]:
    """Every job, the oldest first."""
    workers = [worker for worker in place.workers() if worker.alive]
    busy = {(row.worker, row.job.machine): row.job.id for row in rows if row.state == "running"}
    found = []
    for row in rows:
        account = place.account(row.job.id)
        entries = account.entries()
        end = next((entry for entry in entries if entry.what == "ended"), None)
        worker = entries[-1].worker if entries else row.worker
        why = "" if end else _why(row, entries, place, workers, busy)
        state = end.outcome if end else "waiting" if why else row.state
        kind = KINDS.get(row.job.kind)
        told = kind.told(account.answered()) if kind and end else ""
        if end and end.outcome == "failed":
            told = account.complaint() or told
        found.append(Seen(row.job, state, worker, row.added, entries, told, why))
    return found


def _why(
    row: Row, entries: Sequence[Entry], place: Place, workers: Sequence[Worker], busy: dict[tuple[str, str], str]
) -> str:
    """Why it waits; "" where it does not. `busy` is what a worker does for any machine (""), and what for its own."""
    job, holder = row.job, place.holder(row.job.key)
    alive = {worker.name for worker in workers}
    begun = bool(entries) and entries[-1].what == "started" and row.worker in alive
    if row.state not in {"waiting", "running"} or (row.state == "running" and begun):
        return ""
    if holder and holder != job.id:
        return f"{job.castle} is worked on by {holder}"
    able = [worker for worker in workers if job.machine in {"", worker.machine}]
    if not able:
        return f"no worker runs on {job.machine}" if job.machine else "no worker runs"
    if row.state == "running":
        return "its worker begins" if row.worker in alive else f"its worker {row.worker} has died; another takes it up"
    at = [f"{worker.name} at {busy[worker.name, job.machine]}" for worker in able if (worker.name, job.machine) in busy]
    return f"every worker is busy: {', '.join(at)}" if len(at) == len(able) else "a worker is about to take it"


def as_data(place: Place, rows: Sequence[Row]) -> dict[str, object]:
    """The answer of `fleet status --json`, and the numbers of the page."""
    return {
        "version": 1,
        "workers": [asdict(worker) for worker in place.workers()],
        "jobs": [one.as_data() for one in seen(place, rows)],
    }
