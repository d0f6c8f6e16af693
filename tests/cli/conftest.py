"""A castle directory with its vault, and commands that work on it."""

import datetime as dt
import os
import re
import secrets
import socket
import subprocess
import sys
import uuid
from pathlib import Path

import pytest
from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec
from typer.testing import CliRunner

from cli.commanding import within
from cli.desk import desk
from rebirth.cli import app

__all__ = ["desk"]

EXAMPLE = Path(__file__).parents[2] / "examples" / "castle" / "castle.yaml"


REFERENCE = re.compile(r"\{secret: ([^}]+)\}")


def certificate() -> str:
    key = ec.generate_private_key(ec.SECP256R1())
    name = x509.Name([x509.NameAttribute(x509.NameOID.COMMON_NAME, "test")])
    now = dt.datetime.now(dt.UTC)
    builder = x509.CertificateBuilder(
        name, name, key.public_key(), x509.random_serial_number(), now, now + dt.timedelta(1)
    )
    return builder.sign(key, hashes.SHA256()).public_bytes(serialization.Encoding.PEM).decode()


class Yard:
    """A castle directory with its vault, and processes of rebirth that work on it."""

    def __init__(self, folder: Path, state: Path) -> None:
        self.castle = folder / "castle"
        self.vault = self.castle / "vault"
        self.castle.mkdir()
        self.canaries: dict[str, str] = {}
        self.prefix: list[str] = []  # a program that starts rebirth
        self.environment = {
            **{name: value for name, value in os.environ.items() if not name.startswith("REBIRTH_")},
            "HOME": str(folder),
            "XDG_STATE_HOME": str(state),
            "NO_COLOR": "1",
            "COLUMNS": "150",
        }

    def write(self, *changes: tuple[str, str]) -> None:
        text = EXAMPLE.read_text().replace("directory: ~/secrets ", "directory: vault ")
        for old, new in changes:
            assert old in text
            text = text.replace(old, new)
        (self.castle / "castle.yaml").write_text(text)
        for name in REFERENCE.findall(text):
            file = self.vault / name
            file.parent.mkdir(parents=True, exist_ok=True)
            value = secrets.token_hex(16)
            if name == "proxmox-api-token":
                value = f"root@pam!test={uuid.uuid4()}"
            self.canaries[name] = certificate() if name.endswith("ca.crt") else value
            file.write_text(self.canaries[name])
            file.chmod(0o600)

    def start(self, *arguments: str) -> subprocess.Popen:
        command = [*self.prefix, sys.executable, "-m", "rebirth", *arguments]
        pipes = {"stdout": subprocess.PIPE, "stderr": subprocess.PIPE}
        return subprocess.Popen(command, cwd=self.castle.parent, env=self.environment, text=True, **pipes)

    def in_process(self, *arguments: str) -> str:
        """What a command prints that neither reads nor makes anything."""
        done = CliRunner().invoke(app, arguments, env=self.environment, prog_name="rebirth")
        assert done.exit_code == 0
        return done.output

    def process(self, *arguments: str) -> tuple[int, str, str]:
        """A process of its own: exit code, standard output, standard error."""
        with self.start(*arguments) as process:
            out, complaints = process.communicate(timeout=60)
        return process.returncode, out, complaints

    def run(self, *arguments: str) -> tuple[int, str, str]:
        """The same within this process."""
        return within(self.castle.parent, self.environment, *arguments)


@pytest.fixture
def yard(tmp_path: Path, short_path: Path) -> Yard:
    return Yard(tmp_path, short_path)


@pytest.fixture
def silence():
    """A port that takes connections and never answers."""
    with socket.create_server(("127.0.0.1", 0)) as server:
        yield server.getsockname()[1]
