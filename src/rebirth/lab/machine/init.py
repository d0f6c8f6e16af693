"""The first process of a machine: builds its root, runs what boots on it, reaps what others leave behind.

`python -m rebirth.lab.machine.init HARDWARE.json`, started as process 1 of new namespaces. It waits for a line on its
standard input: by then its cable is plugged in. When what it booted ends with REBOOT it ends all processes and boots again;
with any other code the machine is off.
"""

import os
import signal
import sys
from contextlib import suppress
from pathlib import Path

from rebirth.lab.machine import cgroups, root
from rebirth.lab.talos.hardware import Hardware

REBOOT = 75  # exit code: power-cycle


def main() -> int:
    signal.signal(signal.SIGTERM, lambda *_: sys.exit(0))
    sys.stdin.readline()
    hardware = Hardware.read(Path(sys.argv[1]))
    log = os.open(hardware.disk / "console.log", os.O_WRONLY | os.O_CREAT | os.O_APPEND, 0o600)
    for stream in (1, 2):
        os.dup2(log, stream)
    os.dup2(os.open(os.devnull, os.O_RDONLY), 0)
    cgroups.enter(hardware.cgroup)
    root.enter(hardware.disk, hardware.visible)
    Path("/system/hardware.json").write_text(hardware.to_json())
    while _boot() == REBOOT:
        with suppress(ProcessLookupError):
            os.kill(-1, signal.SIGKILL)
        with suppress(ChildProcessError):
            while True:
                os.wait()
    return 0


def _boot() -> int:
    argv = [sys.executable, "-m", "rebirth.lab.talos", "/system/hardware.json"]
    booted = os.posix_spawn(sys.executable, argv, dict(os.environ))
    while True:
        ended, status = os.wait()
        if ended == booted:
            return os.waitstatus_to_exitcode(status)


if __name__ == "__main__":
    sys.exit(main())
