"""What a lab's first process stands on: a mount namespace in which nothing of the host's name services and trust is seen."""

from pathlib import Path

from rebirth.lab import network
from rebirth.lab.namespaces import PRIVATE, RECURSIVE, bind, hostname, mount
from rebirth.lab.state import LabState


def lay(state: LabState) -> None:
    """From now on this process and all its children see the lab's resolver and trust the lab's authority only."""
    hostname(f"rebirth-{state.name}")
    mount("none", "/", flags=RECURSIVE | PRIVATE)
    mount("tmpfs", "/run", "tmpfs")
    etc = {
        "resolv.conf": f"nameserver {network.RESOLVER}\noptions timeout:2 attempts:2\n",
        "hosts": "127.0.0.1 localhost\n",
        "nsswitch.conf": "passwd: files\ngroup: files\nshadow: files\nhosts: files dns\n",
    }
    for name, text in etc.items():
        own = state.folder / "etc" / name
        own.parent.mkdir(exist_ok=True)
        own.write_text(text)
        if Path("/etc", name).is_file():
            bind(own, f"/etc/{name}")
    trusted = state.folder / "etc" / "certs"
    trusted.mkdir()
    if Path("/etc/ssl/certs").is_dir():
        bind(trusted, "/etc/ssl/certs")
