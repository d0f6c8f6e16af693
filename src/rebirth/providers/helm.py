"""Helm releases through the helm program."""

import datetime as dt
import json
import re
import time
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import yaml

from rebirth.commands import Commands, ProgramFailed
from rebirth.errors import Broken, NotYet, understood
from rebirth.paths import Paths
from rebirth.providers.cluster import Cluster
from rebirth.run.waiting import asking

_PASSING = (
    "connection refused",
    "i/o timeout",
    "EOF",
    "another operation",
    "context deadline",
    "TLS handshake",
    "could not find template",
    "no such host",
    "no route to host",
    "network is unreachable",
    "connection timed out",
    "connection reset",
    "broken pipe",
    "server closed",
    "stream error",
    "GOAWAY",
    "Client.Timeout",
    "failure in name resolution",
    "server misbehaving",
    "already exists",  # a helm that a killed run left behind still works
)
# A chart repository, or the API server, that is down or overrun for a while: as Go writes an HTTP status.
_PASSING_STATUS = re.compile(r"\b(?:429 Too Many Requests|5\d\d [A-Z][a-z]+)|status(?: code)?:? (?:429|5\d\d)\b")
# What a person may do, by helm's words and those of the servers that it asks.
_ADVICE = {
    r"ownership metadata": "It belongs to somebody else: remove it there, or let that release go, if it is not needed.",
    r"certificate has expired|not yet valid": "Is the server's certificate renewed, and the clock of this machine right?",
    r"x509:": "helm trusts the CAs of this machine (SSL_CERT_FILE).",
    r"no space left on device|disk quota exceeded": "Make room beside castle.yaml, and run the same command again.",
    r"provide credentials": "Remove the kubeconfig in the produced folder: `rebirth create` writes it again.",
    r"exceeded quota|forbidden:": "A quota, a policy or an admission webhook forbids it, as it says: change that.",
    r"mvcc: database space": "`talosctl etcd alarm list`, then defragment etcd, or give it a larger quota.",
    r"\b40[13]\b|[Uu]nauthorized|denied": "A chart that a phase installs comes from a public repository: check its address in castle.yaml.",
}
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

    def __init__(self, *, paths: Paths, commands: Commands, cluster: Cluster) -> None:
        self._paths, self._commands, self._cluster = paths, commands, cluster

    async def release(self, *, name: str, namespace: str) -> Release | None:
        said = await self._run(
            "list",
            *("list", "--namespace", namespace, "--all", "--filter", f"^{name}$"),
            *("--output", "json", "--time-format", "2006-01-02T15:04:05-07:00"),
        )
        with understood("helm", "list", "helm on PATH"):
            for entry in json.loads(said):
                age = time.time() - dt.datetime.fromisoformat(entry["updated"]).timestamp()
                return Release(entry["name"], entry["chart"], entry["status"], int(entry["revision"]), age)
        return None

    async def values(self, *, name: str, namespace: str) -> dict[str, Any]:
        """Those that a release was given, beside its chart's own."""
        said = await self._run("get values", "get", "values", name, "--namespace", namespace, "--output", "json")
        with understood("helm", "get values", "helm on PATH"):
            return dict(json.loads(said) or {})

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
        """Installs or upgrades a release. Without `wait` it returns when the API server has taken the objects.

        Raises Broken where a release of that name is another chart's: it belongs to somebody else.
        """
        release = await self.release(name=name, namespace=namespace)
        if release and not _is_of(release, chart):
            hint = f"Uninstall it first, if it is not needed: helm uninstall {name} --namespace {namespace}."
            text = f"the release {name} in {namespace} belongs to the chart {release.chart}, not to {chart}"
            raise Broken(text, system="helm", operation=f"install {name}", hint=hint)
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
            *_named(chart, repository),
            "--namespace",
            namespace,
            "--version",
            version,
            "--values",
            "-",
        ]
        arguments += ["--wait"] if wait else []
        await self._run(f"install {name}", *arguments, stdin=yaml.safe_dump(values).encode())

    async def _run(self, operation: str, *arguments: str, stdin: bytes = b"") -> str:
        scratch = self._paths.state / "helm"
        environment = {f"HELM_{kind}_HOME": str(scratch / kind.lower()) for kind in ("CACHE", "CONFIG", "DATA")}
        command = ("helm", "--kubeconfig", str(self._paths.kubeconfig), *arguments)
        try:
            with asking("helm", operation):
                return await self._commands.run(command, operation=operation, stdin=stdin, env=environment)
        except ProgramFailed as error:
            passing = any(word in error.said for word in _PASSING) or _PASSING_STATUS.search(error.said)
            if passing and _FOREIGN not in error.said:
                hint = "Are the chart's repository and the cluster's API server reachable from here?"
                raise NotYet(f"helm: {operation}: {error.said}", hint=hint) from None
            raise error.advised(_ADVICE, "Check this chart's repository, version and values in castle.yaml.") from None


def _named(chart: str, repository: str) -> tuple[str, ...]:
    """A registry has no index: a chart there is named by its whole address."""
    if repository.startswith("oci://"):
        return (f"{repository.removesuffix('/')}/{chart}",)
    return chart, "--repo", repository


def _is_of(release: Release, chart: str) -> bool:
    """Whether the release's chart, NAME-VERSION, has that name."""
    name = chart.rpartition("/")[2]
    return re.fullmatch(re.escape(name) + r"-v?\d.*", release.chart) is not None
