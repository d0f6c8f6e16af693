"""Who does what: the one module that knows DBOS, the engine of durable jobs.

It holds a row a job, and gives each to one worker. What it is told is names and paths, as JSON in clear: nobody who may write to its
database can make a worker run anything but the product's own commands. What it is trusted with is nothing: a job that it loses is
given back by `give_back`, a job that it runs twice is done once (`doing.py`).
"""

import logging
from collections.abc import Callable, Iterable, Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from typing import Any

from dbos import DBOS, DBOSClient, DBOSPortableJSONSerializer, WorkflowStatus
from sqlalchemy.exc import SQLAlchemyError

from rebirth.errors import Broken, SpecError
from rebirth.fleet.job import Job
from rebirth.fleet.place import Place, this_machine

_NAME, _WORKFLOW, _VERSION = "rebirth-fleet", "job", "1"
_ANYWHERE = "anywhere"  # the queue of jobs that every machine may do
_POLL = 0.2  # seconds between two looks of an idle worker
_STATES = {
    "ENQUEUED": "waiting",
    "DELAYED": "waiting",
    "PENDING": "running",
    "SUCCESS": "ended",
    "CANCELLED": "cancelled",
}


@dataclass(frozen=True)
class Row:
    """What the engine knows of a job."""

    job: Job
    state: str  # waiting, running, ended, cancelled, lost
    worker: str  # the last that it was given to
    added: float  # seconds since the epoch


def _queue(job: Job) -> str:
    return f"machine {job.machine}" if job.machine else _ANYWHERE


class Engine:
    """The engine of one fleet. Every method raises Broken where its database does not answer."""

    def __init__(self, place: Place) -> None:
        _log_to(place)
        self._url = place.url()
        with _asking("open"):
            DBOS.migrate(self._url)
            self._client = DBOSClient(
                system_database_url=self._url,
                serializer=DBOSPortableJSONSerializer(),
                application_name=_NAME,
                retry_connection_errors=False,
            )

    def add(self, job: Job) -> None:
        with _asking("add a job"):
            self._client.enqueue(
                {
                    "workflow_name": _WORKFLOW,
                    "queue_name": _queue(job),
                    "workflow_id": job.id,
                    "queue_partition_key": job.key,
                    "app_version": _VERSION,
                },
                job.as_data(),
            )

    def rows(self, state: str = "") -> list[Row]:
        """Every job, the oldest first; of one state alone, where it is named."""
        wanted = [status for status, meaning in _STATES.items() if meaning == state] or None
        with _asking("list jobs"):
            found = self._client.list_workflows(name=_WORKFLOW, status=wanted, load_output=False)
        return list(_rows(found))

    def state(self, job: str) -> str:
        """One of `Row.state`; "" where there is no such job."""
        with _asking("look at a job"):
            found = self._client.list_workflows(workflow_ids=[job], load_input=False, load_output=False)
        return _STATES.get(found[0].status, "lost") if found else ""

    def cancel(self, job: str) -> None:
        """Who does it ends it; nobody begins it. One that has ended stays as it is."""
        with _asking("cancel a job"):
            self._client.cancel_workflow(job)

    def resume(self, job: Job) -> None:
        """It waits again for a worker."""
        with _asking("resume a job"):
            self._client._sys_db.resume_workflows([job.id], queue_name=_queue(job))  # noqa: SLF001 - keeps the partition

    def give_back(self, row: Row) -> None:
        """A job that its worker does not do waits for another. Nothing is done where it is another's by now."""
        with _asking("give a job back"):
            self._client._sys_db.reenqueue_for_recovery(row.job.id, [row.worker], _queue(row.job))  # noqa: SLF001 - see pyproject.toml

    def work(self, name: str, do: Callable[[Job], dict[str, Any]]) -> None:
        """From now on this process is the worker of that name: `do` is called with each of its jobs, in a thread of its own."""

        @DBOS.workflow(name=_WORKFLOW, max_recovery_attempts=None)
        def job(told: dict[str, Any]) -> dict[str, Any]:
            return do(Job(**told))

        queues = (_ANYWHERE, f"machine {this_machine()}")
        with _asking("start a worker"):
            DBOS(
                config={
                    "name": _NAME,
                    "system_database_url": self._url,
                    "executor_id": name,
                    "application_version": _VERSION,
                    "serializer": DBOSPortableJSONSerializer(),
                    "log_level": "WARNING",
                    "use_listen_notify": False,
                }
            )
            DBOS.listen_queues(queues)
            DBOS.launch()
            for queue in queues:
                DBOS.register_queue(
                    queue, worker_concurrency=1, partition_concurrency=1, polling_interval_sec=_POLL,
                    on_conflict="always_update",
                )  # fmt: skip

    def close(self) -> None:
        self._client.destroy()


def _rows(found: Iterable[WorkflowStatus]) -> Iterator[Row]:
    """Without what is no job of ours: nobody does it."""
    for one in found:
        with suppress(ValueError, TypeError, LookupError):
            job = Job(**(one.input or {"args": ()})["args"][0])
            yield Row(job, _STATES.get(one.status, "lost"), one.executor_id or "", (one.created_at or 0) / 1000)


@contextmanager
def _asking(operation: str) -> Iterator[None]:
    """The words of the database stay in the engine's log: they may hold what it was asked."""
    try:
        yield
    except SQLAlchemyError as error:
        logging.getLogger("dbos").warning("%s: %s", operation, type(error).__name__)
        hint = "Is it running, and is the URL of --postgres right? See engine.log in the fleet's folder."
        raise Broken("the database does not answer", system="fleet", operation=operation, hint=hint) from None


def _log_to(place: Place) -> None:
    """The engine says nothing on the terminal."""
    logger = logging.getLogger("dbos")
    if not logger.handlers:
        handler = logging.FileHandler(place.log, encoding="utf-8")
        handler.setFormatter(logging.Formatter("%(asctime)s %(levelname)s %(message)s"))
        logger.addHandler(handler)
        logger.propagate = False


def found(rows: list[Row], wanted: str) -> Row:
    """The job whose id begins, or ends, like that. Raises SpecError where there is none, or several, or nothing is named."""
    exact = [row for row in rows if row.job.id == wanted]
    matching = exact or [
        row for row in rows if wanted and (row.job.id.startswith(wanted) or row.job.id.endswith(wanted))
    ]
    if len(matching) != 1:
        words = f"several jobs match {wanted}" if matching else f"no such job: {wanted}"
        raise SpecError(words, hint="`rebirth fleet status` names them.")
    return matching[0]
