"""Where a fleet is: the folder of its jobs, which all of its workers see, and the database of its engine."""

import fcntl
import hashlib
import json
import os
import socket
import time
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from pathlib import Path
from typing import IO
from urllib.parse import parse_qs, urlsplit

from rebirth.errors import Broken, NotYet, SpecError
from rebirth.fleet.account import Account
from rebirth.fleet.job import Job

_PASSWORD = "PGPASSWORD"  # noqa: S105 - the name of libpq's variable
_HINT = "Set PGPASSWORD, or name a file in PGPASSFILE: arguments can be read by everybody on the machine."


def this_machine() -> str:
    return socket.gethostname()


@dataclass(frozen=True)
class Worker:
    """One that says it is there; `alive` as long as it holds its file."""

    name: str
    machine: str
    pid: int
    since: float
    alive: bool


@dataclass(frozen=True)
class Place:
    folder: Path
    postgres: str = ""  # a URL without a password; "": SQLite, in the folder

    def account(self, job: str) -> Account:
        return Account(self.folder / "jobs" / job)

    @property
    def log(self) -> Path:
        """The engine's."""
        return self.folder / "engine.log"

    def url(self) -> str:
        """Of the database, with the password out of the environment, from where it is taken: no job inherits it."""
        if not self.postgres:
            return f"sqlite:///{self.folder / 'engine.sqlite'}"
        from sqlalchemy import make_url

        url = make_url(self.postgres)
        password = os.environ.pop(_PASSWORD, None)
        return url.set(password=password).render_as_string(hide_password=False)

    @contextmanager
    def locked(self, job: Job) -> Iterator[None]:
        """The castle is this job's alone. Raises NotYet, with the job that holds it."""
        file = self._lock_file(job.key)
        file.parent.mkdir(parents=True, exist_ok=True)
        with file.open("a+", encoding="utf-8") as handle:
            if not _take(handle):
                raise NotYet(f"{self.holder(job.key) or 'another job'} is at work on {job.castle}")
            handle.truncate(0)
            handle.write(job.id)
            handle.flush()
            try:
                yield
            finally:
                handle.truncate(0)

    def holder(self, key: str) -> str:
        """The job that works on that castle; "" where none does, though a worker that was killed at one has left its name."""
        with suppress(FileNotFoundError), self._lock_file(key).open(encoding="utf-8") as handle:
            try:
                fcntl.flock(handle, fcntl.LOCK_SH | fcntl.LOCK_NB)
            except BlockingIOError:
                return handle.read()
        return ""

    def _lock_file(self, key: str) -> Path:
        return self.folder / "locks" / hashlib.sha256(key.encode()).hexdigest()[:24]

    @contextmanager
    def present(self, name: str) -> Iterator[str]:
        """Makes this process the worker of that name, or of the first free one of this machine. Raises Broken where it is taken."""
        names = [name] if name else [f"{this_machine()}-{number}" for number in range(1, 100)]
        (self.folder / "workers").mkdir(parents=True, exist_ok=True)
        for one in names:
            with (self.folder / "workers" / one).open("a+", encoding="utf-8") as handle:
                with self._guard():
                    free = _take(handle)
                if free:
                    handle.truncate(0)
                    handle.write(json.dumps({"machine": this_machine(), "pid": os.getpid(), "since": time.time()}))
                    handle.flush()
                    yield one
                    return
        raise Broken(f"a worker {name} is running", system="fleet", hint="Give this one another --name.")

    def workers(self) -> list[Worker]:
        """Every worker that ever was, by name."""
        found = []
        with self._guard():
            for file in sorted((self.folder / "workers").glob("*")):
                with suppress(OSError, ValueError, LookupError), file.open("a+", encoding="utf-8") as handle:
                    alive = not _take(handle)
                    handle.seek(0)
                    said = json.loads(handle.read())
                    found.append(Worker(file.name, said["machine"], said["pid"], said["since"], alive))
        return found

    @contextmanager
    def _guard(self) -> Iterator[None]:
        """Who looks whether a worker is there holds its file for a moment: not just when that worker wants it."""
        with (self.folder / ".workers").open("a") as handle:
            fcntl.flock(handle, fcntl.LOCK_EX)
            yield


def _take(handle: IO[str]) -> bool:
    """Whether the file was nobody's; it is ours now, until it is closed."""
    try:
        fcntl.flock(handle, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except BlockingIOError:
        return False
    return True


def place(folder: Path | None, postgres: str) -> Place:
    """As the options say. Raises SpecError where the URL is none, or has a password in it."""
    state = Path(os.environ.get("XDG_STATE_HOME") or Path.home() / ".local/state")
    chosen = (folder or state / "rebirth" / "fleet").resolve()
    if postgres:
        parts = urlsplit(postgres)
        if parts.scheme not in {"postgresql", "postgres"}:
            raise SpecError("--postgres: not a URL of PostgreSQL", hint="Such as postgresql://user@host:5432/fleet.")
        if parts.password or "password" in parse_qs(parts.query):
            raise SpecError("--postgres: there is a password in the URL", hint=_HINT)
    chosen.mkdir(parents=True, exist_ok=True, mode=0o700)
    return Place(chosen, postgres.replace("postgres://", "postgresql://", 1))
