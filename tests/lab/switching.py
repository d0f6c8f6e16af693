"""Machines of a lab, switched through Proxmox as somebody at its console does, and what happens then."""

import sys
import time
from pathlib import Path


def run_power(castle, action: str, name: str) -> None:
    """`action`: start, stop (the plug), shutdown (the button), or delete, of one that is off."""
    script = str(Path(__file__).with_name("power.py"))
    inside = ("lab", "run", "--lab-name", castle.lab.name, "--", sys.executable, script, str(castle.folder))
    castle.rebirth(*inside, action, name)


def until(true, what: str, seconds: float = 120) -> None:
    end = time.monotonic() + seconds
    while not true():
        assert time.monotonic() < end, f"not seen after {seconds} s: {what}"
        time.sleep(1)
