"""Helm releases through the helm program."""

import datetime as dt
import json
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import yaml

from rebirth.commands import Commands, ProgramFailed
from rebirth.errors import NotYet
from rebirth.place import Place
from rebirth.providers.cluster import Cluster

_PASSING = (
    "connection refused",
    "i/o timeout",
    "EOF",
    "another operation",
    "context deadline",
    "TLS handshake",
    "could not find template",
    "no such host",
    "already exists",  # a helm that a killed run left behind still works
)
_FOREIGN = "invalid ownership metadata"  # it exists already, and is not the release's: that does not mend
_SETTLES = 15.0  # seconds in which a helm without --wait has ended, whoever started it


@dataclass(frozen=True)
class Release:
    name: str
    chart: str  # name and version, such as metallb-0.15.2
    status: str  # Helm's words: deployed, failed, pending-install ...
    revision: int
    age: float  # seconds since its last change


def belongs_to(item: Mapping[str, Any], *, release: str, namespace: str) -> bool:
    """Whether an object was made by a release: Helm writes that on all that it makes."""
    said = item["metadata"].get("annotations") or {}
    return (said.get("meta.helm.sh/release-name"), said.get("meta.helm.sh/release-namespace")) == (release, namespace)


class Helm:
    """Installs charts into the castle's cluster."""

    def __init__(self, *, place: Place, commands: Commands, cluster: Cluster) -> None:
        self._place, self._commands, self._cluster = place, commands, cluster

    async def release(self, *, name: str, namespace: str) -> Release | None:
        said = await self._run(
            "list",
            *("list", "--namespace", namespace, "--all", "--filter", f"^{name}$"),
            *("--output", "json", "--time-format", "2006-01-02T15:04:05-07:00"),
        )
        for entry in json.loads(said):
            age = (dt.datetime.now(dt.UTC) - dt.datetime.fromisoformat(entry["updated"])).total_seconds()
            return Release(entry["name"], entry["chart"], entry["status"], int(entry["revision"]), age)
        return None

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
            if release.age < _SETTLES:
                raise NotYet(f"helm: {name} is {release.status}")
            # A run that was killed in between leaves a record that locks the release, and nobody holds the lock. Without that
            # record Helm takes over the objects that it had made; uninstalling would take volumes and CRDs with them.
            record = f"sh.helm.release.v1.{name}.v{release.revision}"
            await self._cluster.delete("v1", "Secret", record, namespace)
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
            if any(word in error.said for word in _PASSING) and _FOREIGN not in error.said:
                raise NotYet(f"helm: {operation}: {error.said}") from None
            raise
