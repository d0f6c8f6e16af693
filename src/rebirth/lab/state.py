"""What is known of a lab from outside: its folder, its first process, its control socket."""

import json
import os
import re
import time
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from fcntl import LOCK_EX, LOCK_NB, flock
from pathlib import Path
from threading import get_ident
from typing import Any

import httpx

from rebirth.errors import Broken

STATE_VARIABLE = "REBIRTH_LAB_STATE"  # in the environment of every process of a lab: the lab's folder
_REPOSITORIES = "repositories.json"
_EXEC = 1.0  # seconds that a process takes at most to become another program
_LONGEST_SOCKET_PATH = 107  # bytes; the kernel's limit


def labs_directory() -> Path:
    """Where each lab has its folder: below XDG_STATE_HOME, or ~/.local/state."""
    return Path(os.environ.get("XDG_STATE_HOME") or Path.home() / ".local/state") / "rebirth" / "labs"


@dataclass(frozen=True)
class LabState:
    """One lab of this machine, running or not."""

    name: str

    @property
    def folder(self) -> Path:
        return labs_directory() / self.name

    @property
    def secrets(self) -> Path:
        """The lab's own vault directory."""
        return self.folder / "secrets"

    @property
    def log(self) -> Path:
        return self.folder / "log"

    @property
    def programs(self) -> Path:
        """Programs that only this lab has; they come first on the PATH inside."""
        return self.folder / "bin"

    @property
    def ca(self) -> Path:
        """The one certificate that is trusted inside."""
        return self.folder / "ca.crt"

    @property
    def socket(self) -> Path:
        return self.folder / "control.sock"

    @property
    def cgroup(self) -> str:
        return f"/rebirth-{self.name}"

    @property
    def castle(self) -> Path | None:
        """The castle directory that it was started for."""
        try:
            return Path((self.folder / "castle").read_text())
        except FileNotFoundError:
            return None

    @property
    def repositories(self) -> dict[str, Path]:
        """What its Git host serves: URL -> the folder whose files it takes."""
        try:
            return {url: Path(folder) for url, folder in json.loads((self.folder / _REPOSITORIES).read_text()).items()}
        except (OSError, ValueError):
            return {}

    def record_repositories(self, folders: Mapping[str, Path]) -> None:
        text = json.dumps({url: str(folder) for url, folder in folders.items()})
        replace(self.folder / _REPOSITORIES, text.encode())

    def check(self) -> None:
        """Raises Broken where a lab of this name cannot be."""
        if not re.fullmatch(r"[a-z0-9]([-a-z0-9]{0,38}[a-z0-9])?", self.name):
            raise Broken(
                "not a valid name for a lab",
                system=f"lab {self.name}",
                hint="Use lower-case letters, digits and hyphens, such as demo.",
            )
        if len(os.fsencode(self.socket)) > _LONGEST_SOCKET_PATH:
            raise Broken(
                "its path is too long for a socket",
                system=f"lab {self.name}",
                hint="Set XDG_STATE_HOME to a shorter path.",
            )

    @contextmanager
    def locked(self) -> Iterator[None]:
        """Held while the lab is brought up or taken down. Raises Broken where another process does either."""
        labs_directory().mkdir(parents=True, exist_ok=True)
        file = labs_directory() / f".{self.name}.lock"
        with file.open("w") as handle:
            try:
                flock(handle, LOCK_EX | LOCK_NB)
            except OSError:
                hint = "Wait until it has ended."
                raise Broken(
                    "another process is starting or stopping it", system=f"lab {self.name}", hint=hint
                ) from None
            try:
                yield
            finally:
                if not self.folder.exists():
                    file.unlink(missing_ok=True)

    def record(self, pid: int) -> None:
        """Remembers the process that holds the lab, in a way that tells it from a later one with the same number.

        One that was just started may show no environment yet: exec has begun, and has not ended. Its mark is waited for.
        """
        until = time.monotonic() + _EXEC
        while _state(pid) not in {"", "Z"} and not _environment(pid) and time.monotonic() < until:
            time.sleep(0.001)
        (self.folder / "init.json").write_text(json.dumps({"pid": pid, "started": _started(pid)}))

    @property
    def init(self) -> int | None:
        """The process that holds the lab, seen from outside; None unless it runs and is this lab's."""
        try:
            recorded = json.loads((self.folder / "init.json").read_text())
            pid = int(recorded["pid"])
            environment = _environment(pid).split(b"\0")
        except (OSError, ValueError, KeyError):
            return None
        ours = f"{STATE_VARIABLE}={self.folder}".encode() in environment
        return pid if ours and _started(pid) == recorded["started"] else None

    @property
    def first(self) -> int | None:
        """The lab's PID 1, seen from outside."""
        init = self.init
        try:
            return int(Path(f"/proc/{init}/task/{init}/children").read_text().split()[0]) if init else None
        except (OSError, IndexError):
            return None

    def holders(self) -> list[int]:
        """Every process that carries this lab's mark, from whatever start: after a crash there may be some left."""
        marked = f"{STATE_VARIABLE}={self.folder}".encode()
        found = []
        for folder in Path("/proc").glob("[0-9]*"):
            try:
                if _state(int(folder.name)) != "Z" and marked in (folder / "environ").read_bytes().split(b"\0"):
                    found.append(int(folder.name))
            except OSError:
                continue  # it has ended meanwhile
        return found

    @property
    def doing(self) -> str:
        """What a starting lab is at."""
        return self._said("doing")

    def tell(self, doing: str) -> None:
        """For whoever waits for this lab to come up."""
        replace(self.folder / "doing", doing.encode())

    @property
    def failed(self) -> str:
        """Why the lab could not start; "" where it did, or is still at it."""
        return self._said("failure")

    def _said(self, name: str) -> str:
        """What a file of the lab's folder holds; "" where there is none."""
        try:
            return (self.folder / name).read_text()
        except FileNotFoundError:
            return ""

    def fail(self, error: Exception) -> None:
        """For whoever waits for this lab to come up: the first failure counts."""
        if not self.failed:
            replace(self.folder / "failure", f"{type(error).__name__}: {error}".encode())

    async def ask(self, path: str, method: str = "GET", body: Any = None) -> Any:
        """One call of the control API. Raises Broken where the lab does not answer, or rejects it."""
        transport = httpx.AsyncHTTPTransport(uds=str(self.socket))
        async with httpx.AsyncClient(transport=transport, base_url="http://lab", timeout=60) as client:
            try:
                answer = await client.request(method, path, json=body)
            except httpx.TransportError:
                raise Broken("does not answer", system=f"lab {self.name}", hint="`rebirth lab up` starts it.") from None
        if answer.is_error:
            said = _message(answer) or "rejected"
            raise Broken(said, system=f"lab {self.name}", operation=f"{method} {path}", status=answer.status_code)
        return answer.json()

    async def status(self) -> dict[str, Any]:
        """What the lab says of itself, with `state`: down, crashed, starting or up."""
        if self.init is None:
            return {"state": "crashed" if self.folder.exists() else "down"}
        if not self.socket.exists():
            return {"state": "starting", "doing": self.doing}
        return {"state": "up", **await self.ask("/status")}


def labs() -> list[LabState]:
    """Every lab that has a folder here, running or crashed."""
    return [LabState(folder.name) for folder in sorted(labs_directory().glob("*")) if folder.is_dir()]


def replace(file: Path, data: bytes) -> None:
    """Writes a file that others read at any moment: they see the old one or the new one, never a part."""
    beside = file.with_name(f".{file.name}.{get_ident()}")
    beside.write_bytes(data)
    beside.replace(file)


def _message(answer: httpx.Response) -> str:
    """The lab's own words: there is no secret in them."""
    try:
        return str(answer.json()["message"])
    except (ValueError, KeyError, TypeError):
        return ""


def _environment(pid: int) -> bytes:
    return Path(f"/proc/{pid}/environ").read_bytes()


def _stat(pid: int) -> list[str]:
    """What the kernel says of a process behind its name; nothing where there is none."""
    try:
        return Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()
    except OSError:
        return []


def _state(pid: int) -> str:
    """One letter, such as R or Z; "" where there is no such process."""
    return stat[0] if (stat := _stat(pid)) else ""


def _started(pid: int) -> str:
    """The start time of a process, in ticks since boot; "" where there is none."""
    return stat[19] if (stat := _stat(pid)) else ""
