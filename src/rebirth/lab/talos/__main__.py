"""PID 1 of a machine: `python -m rebirth.lab.talos HARDWARE PIPE`. Ends with 100 where the machine asks to be started again."""

import asyncio
import os
import sys
from pathlib import Path

from rebirth.lab.namespaces import become_init, hostname
from rebirth.lab.talos import boot, serving
from rebirth.lab.talos.hardware import Hardware
from rebirth.lab.talos.machine import Machine


async def _live(hardware: Hardware) -> int:
    machine = Machine(hardware)
    await machine.start()
    await serving.serve(machine)
    await machine.parts.stop()
    return machine.exit_code


def main() -> None:
    """Mounts the disk and lives until told to end."""
    hardware = Hardware.read(Path(sys.argv[1]))
    if not os.read(int(sys.argv[2]), 1):  # a byte once the network card is plugged in; nothing if that failed
        sys.exit(1)
    hostname(hardware.name)
    boot.mount_disk(hardware)
    become_init()
    sys.exit(asyncio.run(_live(hardware)))


main()
