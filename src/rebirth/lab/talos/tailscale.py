"""The tailscale system extension on this stand-in of Talos: the real containerboot, in the machine's own namespaces."""

from collections.abc import Mapping
from pathlib import Path

from rebirth.lab.tailscale import extension
from rebirth.lab.talos.hardware import Hardware
from rebirth.lab.talos.parts import Parts


def start(configured: Mapping[str, str], hardware: Hardware, parts: Parts, path: str) -> None:
    """Runs it for as long as the machine does, with what its ExtensionServiceConfig says. `path`: where the machine's programs are."""
    program = hardware.program("containerboot")
    Path(extension.ENVIRONMENT["TS_SOCKET"]).parent.mkdir(parents=True, exist_ok=True)
    environment = {"PATH": f"{Path(program).parent}:{path}", **extension.ENVIRONMENT, **configured}
    parts.run(f"ext-{extension.NAME}", [program], environment)
