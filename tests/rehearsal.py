"""A castle in a lab of its own, driven as an operator drives it: by commands."""

import json
import os
import shutil
import subprocess
import sys
from collections import Counter
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from rebirth.lab import canaries
from rebirth.lab.proxmox.recording import Exchange
from rebirth.lab.proxmox_host import RECORD
from rebirth.lab.state import LabState
from watching import PublishedApi

EXAMPLES = Path(__file__).parents[1] / "examples"
EXAMPLE = EXAMPLES / "castle"


class Castle:
    """A copy of an example castle. `name` tells labs of one test process apart."""

    def __init__(self, folder: Path, name: str = "test", example: Path = EXAMPLE) -> None:
        self.folder = folder / "castle"
        self.lab = LabState(f"{name}-{os.getpid()}")
        self.exchanges = folder / f"proxmox-{name}.jsonl"
        shutil.copytree(example, self.folder, ignore=shutil.ignore_patterns("logs", ".rebirth"))

    def start(self, *arguments, **environment):
        command = [sys.executable, "-m", "rebirth", *arguments]
        pipe = subprocess.PIPE
        variables = os.environ | {RECORD: str(self.exchanges)} | environment
        return subprocess.Popen(command, stdout=pipe, stderr=pipe, text=True, cwd=self.folder.parent, env=variables)

    def run(self, *arguments, **environment):
        """Exit code, standard output, standard error."""
        with self.start(*arguments, **environment) as process:
            said, complained = process.communicate()
        return process.returncode, said, complained

    def rebirth(self, *arguments, code=0):
        ended, said, complained = self.run(*arguments)
        assert ended == code, f"{arguments} ended with {ended}:\n{said}\n{complained}"
        return said

    def in_lab(self, command, *arguments):
        return command, str(self.folder), "--lab", "--lab-name", self.lab.name, *arguments

    def inside(self, command, *arguments, code=0):
        return self.rebirth(*self.in_lab(command, *arguments), code=code)

    def kubectl(self, *arguments):
        return json.loads(
            self.rebirth("lab", "run", "--lab-name", self.lab.name, "--", "kubectl", *arguments, "-o", "json")
        )

    def ask(self, path, method="GET", body=None):
        """The lab's control API."""
        data = ["--data", json.dumps(body)] if body is not None else []
        said = subprocess.run(
            ["curl", "--silent", "--unix-socket", str(self.lab.socket), "-X", method, *data, f"http://lab{path}"],
            capture_output=True, text=True, check=True,
        )  # fmt: skip
        return json.loads(said.stdout)

    def operators_writes(self):
        """Every write to the Kubernetes API with the operator's credentials, out of the API servers' audit logs."""
        found = []
        for log in self.lab.folder.glob("machines/*/var/log/audit/kube/kube-apiserver*.log"):
            for event in map(json.loads, log.read_text().splitlines()):
                writes = event["verb"] not in {"get", "list", "watch"} and event["stage"] == "ResponseComplete"
                if writes and event["user"]["username"] == "admin":
                    found.append(f"{event['verb']} {event['requestURI']}")
        return found

    def last_events(self):
        """What happened in the last run."""
        lines = max((self.folder / "logs").iterdir()).joinpath("events.jsonl").read_text().splitlines()
        return [json.loads(line) for line in lines]

    def canaries(self):
        """Every secret value of this rehearsal, line by line where it has several, in the forms in which one can leak."""
        files = [file for file in self.lab.secrets.rglob("*") if file.is_file()]
        return canaries.forms(
            file.read_text() for file in files if "produced" not in file.parts and not file.name.endswith("ca.crt")
        )


def ready(item):
    conditions = {entry["type"]: entry["status"] for entry in item["status"].get("conditions", [])}
    return conditions.get("Ready") == "True"


def check_proxmox_was_asked_as_published(castle: Castle) -> Counter[str]:
    """Every request that the lab's Proxmox got in this rehearsal, and every answer, is inside the published API; how often each was asked."""
    api = PublishedApi()
    if castle.exchanges.exists():
        for line in castle.exchanges.read_text().splitlines():
            api.hold(Exchange(**json.loads(line)))
    assert not api.violations, "\n".join(sorted(set(api.violations)))
    return api.seen


@contextmanager
def rehearsed(folder: Path, name: str = "test", example: Path = EXAMPLE) -> Iterator[Castle]:
    """A castle whose lab goes down at the end, and leaves nothing."""
    castle, settings = Castle(folder, name, example), _kernel_settings()
    try:
        yield castle
    finally:
        castle.rebirth("lab", "down", castle.lab.name)
    changed = {name: (value, settings[name]) for name, value in _kernel_settings().items() if value != settings[name]}
    assert not changed, "the host's kernel is as it was: machined and kubelets write to files of their machine"
    check_proxmox_was_asked_as_published(castle)
    assert not castle.lab.folder.exists()
    assert not [path for path in Path("/sys/fs/cgroup").glob(f"**/rebirth-{castle.lab.name}") if path.is_dir()]
    assert not [line for line in Path("/proc/self/mountinfo").read_text().splitlines() if castle.lab.name in line]
    assert not _processes_of(castle.lab)


def _kernel_settings() -> dict[str, str]:
    """Every setting of the host's kernel that can be written, apart from those of the network, which machines have their own of."""
    found = {}
    for folder in ("kernel", "vm", "fs", "user", "dev"):
        for file in Path("/proc/sys", folder).rglob("*"):
            if (
                file.is_file() and file.stat().st_mode & 0o200 and file.name != "ns_last_pid"
            ):  # which says what just happened
                try:
                    found[str(file)] = file.read_text()
                except OSError:  # to be written only
                    continue
    return found


def _processes_of(lab: LabState) -> list[str]:
    found = []
    for process in Path("/proc").glob("[0-9]*"):
        try:
            if str(lab.folder) in (process / "environ").read_text(errors="replace"):
                found.append((process / "cmdline").read_text(errors="replace").replace("\0", " "))
        except OSError:
            continue
    return found
