"""PID 1 of a machine until it becomes machined: `python -m rebirth.lab.talos HARDWARE PIPE`."""

import os
import sys
from pathlib import Path

from rebirth.lab.talos import boot
from rebirth.lab.talos.hardware import Hardware

if not os.read(int(sys.argv[2]), 1):  # a byte once the network card is plugged in; nothing if that failed
    sys.exit(1)
boot.boot(Hardware.read(Path(sys.argv[1])))
