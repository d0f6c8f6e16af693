"""Helm releases through the helm program."""

import json
from dataclasses import dataclass

import yaml

from rebirth.commands import Commands, ProgramFailed
from rebirth.errors import NotYet
from rebirth.place import Place

_PASSING = (
    "connection refused",
    "i/o timeout",
    "EOF",
    "another operation",
    "context deadline",
    "TLS handshake",
    "could not find template",
    "no such host",
)


@dataclass(frozen=True)
class Release:
    name: str
    chart: str  # name and version, such as metallb-0.15.2
    status: str  # Helm's words: deployed, failed, pending-install ...


class Helm:
    """Installs charts into the castle's cluster."""

    def __init__(self, *, place: Place, commands: Commands) -> None:
        self._place, self._commands = place, commands

    async def release(self, *, name: str, namespace: str) -> Release | None:
        said = await self._run(
            "list", "list", "--namespace", namespace, "--all", "--filter", f"^{name}$", "--output", "json"
        )
        found = [Release(entry["name"], entry["chart"], entry["status"]) for entry in json.loads(said)]
        return found[0] if found else None

    async def ensure(
        self,
        *,
        name: str,
        namespace: str,
        chart: str,
        version: str,
        repository: str,
        values: dict[str, object],
        wait: bool = False,
    ) -> None:
        """Installs or upgrades a release. Without `wait` it returns when the API server has taken the objects."""
        release = await self.release(name=name, namespace=namespace)
        if release and release.status.startswith("pending"):
            # A run that was killed in between leaves a lock that nobody holds.
            await self._run("uninstall", "uninstall", name, "--namespace", namespace, "--wait")
        arguments = [
            "upgrade",
            "--install",
            name,
            chart,
            "--namespace",
            namespace,
            "--version",
            version,
            "--repo",
            repository,
            "--values",
            "-",
        ]
        arguments += ["--wait"] if wait else []
        await self._run(f"install {name}", *arguments, stdin=yaml.safe_dump(values).encode())

    async def _run(self, operation: str, *arguments: str, stdin: bytes = b"") -> str:
        scratch = self._place.state / "helm"
        environment = {f"HELM_{kind}_HOME": str(scratch / kind.lower()) for kind in ("CACHE", "CONFIG", "DATA")}
        command = ("helm", "--kubeconfig", str(self._place.kubeconfig), *arguments)
        try:
            return await self._commands.run(command, operation=operation, stdin=stdin, env=environment)
        except ProgramFailed as error:
            if any(word in error.said for word in _PASSING):
                raise NotYet(f"helm: {operation}: {error.said}") from None
            raise
