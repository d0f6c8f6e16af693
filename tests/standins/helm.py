"""A stand-in of helm: `list`, `get values` and `upgrade --install` on a stood-in cluster, with records, locks and words of the real one."""

import asyncio
import json
import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from datetime import UTC, datetime
from typing import Any

import yaml

from standins.kubernetes import Kubernetes, Object
from standins.programs import Call, Exit
from standins.statuses import Refused

# What a chart makes of a namespace and values: CRDs (which Helm installs first and leaves alone later), and the rest.
Chart = Callable[[str, Mapping[str, Any]], tuple[list[Object], list[Object]]]
_TYPE = "helm.sh/release.v1"


@dataclass
class Helm:
    """`charts` by repository, name and version. A call with `--wait` does not wait: the product has none."""

    kubernetes: Kubernetes
    charts: dict[tuple[str, str, str], Chart] = field(default_factory=dict)
    values: dict[str, Any] = field(default_factory=dict)  # of each release, as they were given last
    _made: dict[str, float] = field(default_factory=dict)  # record -> the loop's time

    async def __call__(self, call: Call) -> str:
        namespace = call.option("--namespace")
        if "list" in call.argv:
            return json.dumps(self._list(namespace, call.option("--filter").strip("^$")))
        if "get" in call.argv:
            return json.dumps(self.values[call.argv[call.argv.index("values") + 1]])
        assert "upgrade" in call.argv
        assert "--install" in call.argv
        name, chart = call.argv[call.argv.index("--install") + 1 :][:2]
        await self._upgrade(call, namespace, name, chart)
        return f'Release "{name}" has been upgraded. Happy Helming!\n'

    def records(self, namespace: str, name: str) -> list[Object]:
        """The release's records, the oldest first."""
        secrets = self.kubernetes.all("v1", "Secret", namespace)
        found = [secret for secret in secrets if secret.get("type") == _TYPE and _label(secret, "name") == name]
        return sorted(found, key=lambda secret: int(_label(secret, "version")))

    def status(self, namespace: str, name: str) -> str:
        records = self.records(namespace, name)
        return _label(records[-1], "status") if records else ""

    def _list(self, namespace: str, name: str) -> list[dict[str, str]]:
        records = self.records(namespace, name)
        if not records:
            return []
        record = records[-1]
        # The product asks its own clock how long ago that was, and the loop's runs faster.
        age = asyncio.get_running_loop().time() - self._made[record["metadata"]["name"]]
        updated = datetime.fromtimestamp(time.time() - age, UTC).isoformat(timespec="seconds")
        known = {"status": _label(record, "status"), "revision": _label(record, "version"), "updated": updated}
        chart = record["metadata"]["annotations"]["chart"]
        return [{"name": name, "namespace": namespace, "chart": chart, "app_version": "", **known}]

    async def _upgrade(self, call: Call, namespace: str, name: str, chart: str) -> None:
        version, repository = call.option("--version"), call.option("--repo")
        if not repository:  # of a registry
            repository, _, chart = chart.rpartition("/")
        make = self.charts.get((repository, chart, version))
        if make is None:
            raise Exit(1, f'Error: chart "{chart}" version "{version}" not found in {repository} repository')
        values = yaml.safe_load(call.stdin) or {}
        records = self.records(namespace, name)
        if records and _label(records[-1], "status").startswith("pending"):
            raise Exit(1, "Error: UPGRADE FAILED: another operation (install/upgrade/rollback) is in progress")
        crds, rest = make(namespace, values)
        number = int(_label(records[-1], "version")) + 1 if records else 1
        self.values[name] = values
        try:
            for crd in crds if not records else ():
                await self._place(crd, name, namespace, own=False)
            record = f"sh.helm.release.v1.{name}.v{number}"
            pending = "pending-upgrade" if records else "pending-install"
            await self._record(record, namespace, name, number, pending, f"{chart}-{version}")
            for item in rest:
                await self._place(item, name, namespace, own=True)
        except Refused as refused:
            raise Exit(1, f"Error: failed to create: {refused.message}") from None
        for old in records:
            await self._mark(old["metadata"]["name"], namespace, "superseded")
        await self._mark(record, namespace, "deployed")

    async def _record(self, record: str, namespace: str, name: str, number: int, status: str, chart: str) -> None:
        labels = {"owner": "helm", "name": name, "status": status, "version": str(number)}
        meta = {"name": record, "namespace": namespace, "labels": labels, "annotations": {"chart": chart}}
        kind = self.kubernetes.kind("v1", "Secret")
        self._made[record] = asyncio.get_running_loop().time()
        item = {"apiVersion": "v1", "kind": "Secret", "type": _TYPE, "metadata": meta}
        self.kubernetes.create(kind, namespace, item, manager="helm")
        await asyncio.sleep(0)

    async def _mark(self, record: str, namespace: str, status: str) -> None:
        kind = self.kubernetes.kind("v1", "Secret")
        self.kubernetes.merge(kind, namespace, record, {"metadata": {"labels": {"status": status}}}, manager="helm")
        await asyncio.sleep(0)

    async def _place(self, item: Object, name: str, namespace: str, *, own: bool) -> None:
        kind, meta = self.kubernetes.kind(item["apiVersion"], item["kind"]), item["metadata"]
        where = meta.get("namespace", "")
        there = self.kubernetes.get(item["apiVersion"], item["kind"], meta["name"], where)
        owner = {"annotations": {"meta.helm.sh/release-name": name, "meta.helm.sh/release-namespace": namespace},
                 "labels": {"app.kubernetes.io/managed-by": "Helm"}}  # fmt: skip
        whole = {**item, "metadata": {**meta, **owner}} if own else item
        if there is None:
            self.kubernetes.create(kind, where, whole, manager="helm")
        elif not own:
            return
        elif there["metadata"].get("annotations", {}).get("meta.helm.sh/release-name") != name:
            place = f' in namespace "{where}"' if where else ""
            text = (f'Error: Unable to continue with install: {item["kind"]} "{meta["name"]}"{place} exists and cannot be '
                    "imported into the current release: invalid ownership metadata; label validation error: missing key "
                    '"app.kubernetes.io/managed-by": must be set to "Helm"')  # fmt: skip
            raise Exit(1, text)
        else:
            self.kubernetes.merge(kind, where, meta["name"], whole, manager="helm")
        await asyncio.sleep(0)


def _label(item: Object, name: str) -> str:
    return str(item["metadata"].get("labels", {}).get(name, ""))
