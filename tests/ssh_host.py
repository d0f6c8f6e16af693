"""A real sshd on loopback that serves what this user can read, to one key."""

import asyncio
import getpass
import os
import socket
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass
from pathlib import Path

from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
from cryptography.hazmat.primitives.serialization import Encoding, NoEncryption, PrivateFormat, PublicFormat

SSHD = Path("/usr/sbin/sshd")  # it wants to be called by its whole path
_PRIVILEGES = Path("/run/sshd")  # where root's sshd separates them


def new_key() -> tuple[str, str]:
    """Private key and public key."""
    key = Ed25519PrivateKey.generate()
    private = key.private_bytes(Encoding.PEM, PrivateFormat.OpenSSH, NoEncryption()).decode()
    return private, key.public_key().public_bytes(Encoding.OpenSSH, PublicFormat.OpenSSH).decode()


@dataclass(frozen=True)
class SshHost:
    port: int
    key: str  # the private key that it takes
    known_hosts: str

    def url(self, folder: Path) -> str:
        return f"ssh://{getpass.getuser()}@127.0.0.1:{self.port}{folder}"


@asynccontextmanager
async def ssh_host(folder: Path) -> AsyncIterator[SshHost]:
    """It keeps its files in `folder`."""
    folder.mkdir()
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        port = free.getsockname()[1]
    (host_key, host_public), (key, public) = new_key(), new_key()
    (folder / "host_key").touch(mode=0o600)
    (folder / "host_key").write_text(host_key)
    (folder / "authorized_keys").write_text(public + "\n")
    settings = {
        "ListenAddress": "127.0.0.1",
        "Port": port,
        "HostKey": folder / "host_key",
        "AuthorizedKeysFile": folder / "authorized_keys",
        "PidFile": "none",
        "StrictModes": "no",
        "UsePAM": "no",
        "PasswordAuthentication": "no",
    }
    (folder / "sshd_config").write_text("".join(f"{name} {value}\n" for name, value in settings.items()))
    if os.geteuid() == 0:
        _PRIVILEGES.mkdir(mode=0o755, exist_ok=True)
    with (folder / "log").open("wb") as log:
        process = await asyncio.create_subprocess_exec(
            str(SSHD), "-D", "-e", "-f", str(folder / "sshd_config"), stderr=log
        )
    try:
        await _listening(port)
        yield SshHost(port, key, f"[127.0.0.1]:{port} {host_public}\n")
    finally:
        process.terminate()
        await process.wait()


async def _listening(port: int) -> None:
    for _ in range(100):
        try:
            _, writer = await asyncio.open_connection("127.0.0.1", port)
        except OSError:
            await asyncio.sleep(0.05)
        else:
            writer.close()
            return
    raise TimeoutError("sshd does not listen")
