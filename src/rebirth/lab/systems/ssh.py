"""A Git host over SSH: a real sshd that lets one key in, and runs nothing but git's own two programs."""

import asyncio
import shlex
import shutil
from contextlib import suppress
from pathlib import Path

from rebirth.lab.kinds import new_ssh_key, public_of
from rebirth.lab.namespaces import bind
from rebirth.lab.systems.parts import Parts

PORT = 22  # where nothing else is said
_PATIENCE = 30.0  # seconds
_PRIVILEGES = Path("/run/sshd")  # where sshd separates them
_PASSWD = Path("/etc/passwd")
# What GitHub says, too. A path that is asked for is one below the folder of a host; SSH does not say which.
_COMMAND = """#!/bin/sh
program=${{SSH_ORIGINAL_COMMAND%% *}}
path=${{SSH_ORIGINAL_COMMAND#* }}
path=${{path#\\'}}
path=${{path%\\'}}
path=${{path#/}}
case $program in
git-upload-pack | git-receive-pack)
  for place in {root}/*/"$path" {root}/*/"$path.git"; do
    if [ -d "$place" ]; then exec "$program" "$place"; fi
  done
  ;;
esac
echo "ERROR: Repository not found." >&2
exit 1
"""


def program() -> str:
    """sshd, which wants to be called by its whole path. Raises RuntimeError where it is not installed."""
    if found := shutil.which("sshd", path="/usr/sbin:/sbin:/usr/local/sbin"):
        return found
    raise RuntimeError("sshd is missing (apt-get install openssh-server), and the castle's repository has an ssh URL")


def admit(user: str, folder: Path) -> None:
    """Lets somebody of that name log in, in this mount namespace."""
    others = [line for line in _PASSWD.read_text().splitlines() if line.partition(":")[0] != user]
    own = folder / "passwd"
    own.write_text("\n".join([*others, f"{user}:*:0:0::/:/bin/sh", ""]))
    bind(own, str(_PASSWD))


async def start(parts: Parts, *, folder: Path, root: Path, address: str, port: int, key: str) -> str:
    """Serves the repositories in `root`/<host name>/ to who has the private key `key`. Returns the host's public key when it answers.

    Raises RuntimeError where it does not start.
    """
    folder.mkdir(mode=0o755, exist_ok=True)
    host_key, host_public = new_ssh_key()
    (folder / "host_key").touch(mode=0o600)
    (folder / "host_key").write_text(host_key)
    (folder / "authorized_keys").write_text(f"{public_of(key)}\n")
    command = folder / "command"
    command.write_text(_COMMAND.format(root=shlex.quote(str(root))))
    command.chmod(0o755)
    settings = {
        "ListenAddress": address,
        "Port": port,
        "HostKey": folder / "host_key",
        "AuthorizedKeysFile": folder / "authorized_keys",
        "AuthenticationMethods": "publickey",
        "ForceCommand": command,
        "DisableForwarding": "yes",
        "PidFile": "none",
        "StrictModes": "no",
        "UsePAM": "no",
    }
    config = folder / "sshd_config"
    config.write_text("".join(f"{name} {value}\n" for name, value in settings.items()))
    _PRIVILEGES.mkdir(mode=0o755, exist_ok=True)
    parts.run("git-ssh", [program(), "-D", "-e", "-f", str(config)])
    await _listening(address, port)
    return host_public


async def _listening(address: str, port: int) -> None:
    with suppress(TimeoutError):
        async with asyncio.timeout(_PATIENCE):
            while True:
                with suppress(OSError):
                    _, writer = await asyncio.open_connection(address, port)
                    writer.close()
                    return
                await asyncio.sleep(0.05)
    raise RuntimeError(f"sshd does not answer at {address}:{port}; see git-ssh.log")
