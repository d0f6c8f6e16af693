"""What controllers inside the cluster have made outside of it, which nobody removes once they are gone: volumes, load balancers, DNS
records.

Whoever made a thing removes it, while the cluster still lives: its claim or Service is deleted, and the finalizer that its
controller has put there stays untouched. What keeps the castle (Flux, operators, StatefulSets) makes nothing anew meanwhile: a
ResourceQuota closes the namespace, and `reopen` takes it away, should the castle come to life again.

DNS records are told, and stay: whether external-dns removes any hangs on its policy, and nothing in the cluster says that it has.
"""

import asyncio
import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from functools import partial
from typing import Any

from rebirth.errors import Broken, NotYet
from rebirth.phases.made.lost_volumes import is_local, users
from rebirth.providers.access import ClusterAccess
from rebirth.providers.cluster import Cluster
from rebirth.run.facts import Made
from rebirth.run.journal import Marks
from rebirth.run.waiting import note, until

QUOTA = "rebirth-destroy"
_CLOSED = {"pods": "0", "persistentvolumeclaims": "0", "services.loadbalancers": "0"}
_LEFT = "left by a controller"  # what stays although the castle goes
_PATIENCE = 60.0  # seconds for a controller that removes something: less than destroy has for all of it
_GRACE = 5  # seconds for a pod: its volume goes with it
_PROVISIONED = "pv.kubernetes.io/provisioned-by"  # https://kubernetes.io/docs/reference/labels-annotations-taints/
# https://github.com/kubernetes/cloud-provider/blob/master/service/helpers/helper.go
_BALANCED = "service.kubernetes.io/load-balancer-cleanup"
# Drivers and provisioners that keep volumes on disks of the machines themselves. Rook's have the name of their namespace before.
_WITHIN = (
    "driver.longhorn.io", "rancher.io/local-path", "topolvm.io", "topolvm.cybozu.com", "linstor.csi.linbit.com",
    "io.openebs.csi-mayastor", "local.csi.openebs.io", "lvm.csi.openebs.io", "zfs.csi.openebs.io", "openebs.io/local",
    "hostpath.csi.k8s.io", "localplugin.csi.alibabacloud.com",
)  # fmt: skip
_ROOK = (".rbd.csi.ceph.com", ".cephfs.csi.ceph.com")
_DNS = "external-dns"
_NAMED = f"{_DNS}.alpha.kubernetes.io/hostname"  # https://kubernetes-sigs.github.io/external-dns/latest/docs/annotations/annotations/
_NOBODY = ("", "", None)
_SILENT = (
    "the cluster does not answer, so nobody can tell whether there are any; look where its storage classes keep them"
)


@dataclass(frozen=True)
class _Thing:
    """Something outside, and the object of the cluster by whose end its controller knows that it shall go."""

    kind: str
    name: str
    identity: str
    object: tuple[str, str, str | None]  # kind, name, namespace: it is gone when this is
    namespace: str  # of its claim, or of the Service itself; "" where nobody claims it
    claim: str = ""
    keeps: str = ""  # why nobody removes it

    async def remove(self, access: ClusterAccess, marks: Marks) -> None:
        """A controller that does not do its part must not keep the castle: what it leaves is told, and stays."""
        try:
            async with asyncio.timeout(_PATIENCE), access.opened() as cluster:
                await until(partial(self._gone, cluster), what=f"the {self.kind} {self.name} is gone", slowest=3)
                return
        except TimeoutError:
            why = f"its controller has not removed it within {_PATIENCE:.0f} s: remove it by hand"
        except Broken as error:
            why = f"{error}: remove it by hand"
        note(f"the {self.kind} {self.name} stays: {why}")
        marks.add(_LEFT, self.told(why))

    def told(self, why: str) -> str:
        return f"{self.kind}\n{self.name}\n{self.identity}\n{why}"

    async def _gone(self, cluster: Cluster) -> None:
        kind, name, namespace = self.object
        if await cluster.find("v1", kind, name, namespace) is None:
            return
        if self.namespace:
            meta = {"name": QUOTA, "namespace": self.namespace}
            quota = {"apiVersion": "v1", "kind": "ResourceQuota", "metadata": meta, "spec": {"hard": _CLOSED}}
            await cluster.apply(quota)
        if self.claim:
            await cluster.delete("v1", "PersistentVolumeClaim", self.claim, self.namespace)
            for pod in users(await cluster.all("v1", "Pod", self.namespace), self.namespace, self.claim):
                await cluster.delete("v1", "Pod", pod, self.namespace, grace=_GRACE)
        else:
            await cluster.delete("v1", kind, name, namespace)
        raise NotYet("its controller is still at work")


async def made_outside(access: ClusterAccess, marks: Marks) -> list[Made]:
    """The volumes, load balancers and DNS records that lie outside of the machines."""
    things = await access.told(_things)
    if things is None:
        if marks.seen(_LEFT) is not None or not access.is_known:
            return _left(marks)
        return [Made("volumes and load balancers", "outside of the machines", "", stays=_SILENT)]
    marks.see(_LEFT, [thing.told(thing.keeps) for thing in things if thing.keeps])
    left = _left(marks)
    staying = {(one.kind, one.identity) for one in left}
    goes = [thing for thing in things if (thing.kind, thing.identity) not in staying]
    return left + [Made(one.kind, one.name, one.identity, partial(one.remove, access, marks)) for one in goes]


async def _things(cluster: Cluster) -> list[_Thing]:
    volumes = [_volume(one) for one in await cluster.all("v1", "PersistentVolume") if _is_outside(one)]
    services = await cluster.all("v1", "Service")
    return volumes + [_balancer(one) for one in services if _is_balanced(one)] + await _records(cluster, services)


async def _records(cluster: Cluster, services: list[dict[str, Any]]) -> list[_Thing]:
    """The names that each external-dns is asked to make, as far as it is told of them in the usual places."""
    servers = [container for pod in await cluster.all("v1", "Pod") for container in _external_dns(pod)]
    if not servers:
        return []
    ways = await cluster.all("networking.k8s.io/v1", "Ingress")
    routes = await cluster.all("gateway.networking.k8s.io/v1", "HTTPRoute")
    asked = await cluster.all("externaldns.k8s.io/v1alpha1", "DNSEndpoint")
    said = ((one["metadata"].get("annotations") or {}).get(_NAMED, "") for one in (*services, *ways, *routes))
    names = {name.strip() for names in said for name in names.split(",")}
    names |= {rule.get("host") or "" for one in ways for rule in _under(one, "rules")}
    names |= {name for one in routes for name in _under(one, "hostnames")}
    names |= {point.get("dnsName") or "" for one in asked for point in _under(one, "endpoints")}
    called = ", ".join(sorted(names - {""}))
    providers = sorted({_option(container, "provider") for container in servers})
    why = f"{_DNS} may have made them, and nothing here tells whether it has removed them: look there"
    return [_Thing("DNS records", called, one, _NOBODY, "", keeps=why) for one in providers if called]


def _under(item: Mapping[str, Any], key: str) -> list[Any]:
    return (item.get("spec") or {}).get(key) or []


def _external_dns(pod: Mapping[str, Any]) -> Iterator[Mapping[str, Any]]:
    for container in _under(pod, "containers"):
        if re.split("[@:]", (container.get("image") or "").rpartition("/")[2])[0] == _DNS:
            yield container


def _option(container: Mapping[str, Any], name: str) -> str:
    """What an argument `--name=value` says; "" where there is none."""
    return next((one.partition("=")[2] for one in container.get("args") or () if one.startswith(f"--{name}=")), "")


def _left(marks: Marks) -> list[Made]:
    """What stays is told, too, when the cluster that could tell is gone."""
    told = (one.split("\n") for one in sorted(marks.seen(_LEFT) or ()))
    return [Made(kind, name, identity, stays=why) for kind, name, identity, why in told]


async def reopen(cluster: Cluster) -> None:
    """Lets namespaces that a destroy has closed, and that live on, have pods again."""
    for namespace in await closed(cluster):
        await cluster.delete("v1", "ResourceQuota", QUOTA, namespace)


async def closed(cluster: Cluster) -> list[str]:
    """The namespaces that a destroy which did not end has closed."""
    quotas = [one["metadata"] for one in await cluster.all("v1", "ResourceQuota")]
    return sorted(meta["namespace"] for meta in quotas if meta["name"] == QUOTA)


def _is_outside(volume: Mapping[str, Any]) -> bool:
    """Whether a driver has made it, at some place that is not a disk of one of the machines."""
    driver = (volume["metadata"].get("annotations") or {}).get(_PROVISIONED) or ""
    return driver != "" and driver not in _WITHIN and not driver.endswith(_ROOK) and not is_local(volume)


def _volume(volume: Mapping[str, Any]) -> _Thing:
    spec, name = volume["spec"], volume["metadata"]["name"]
    claim, nfs = spec.get("claimRef") or {}, spec.get("nfs") or {}
    space, called = claim.get("namespace", ""), claim.get("name", "")
    handle = (spec.get("csi") or {}).get("volumeHandle") or f"{nfs.get('server', '')}{nfs.get('path', '')}" or name
    policy = spec.get("persistentVolumeReclaimPolicy")
    keeps = "" if policy == "Delete" else f"its reclaim policy is {policy}"
    identity = f"{volume['metadata']['annotations'][_PROVISIONED]} {handle}"
    place = ("PersistentVolume", name, None)
    return _Thing("volume", f"{space}/{called}" if called else name, identity, place, space, called, keeps)


def _is_balanced(service: Mapping[str, Any]) -> bool:
    """Whether a cloud's controller made a load balancer for it: MetalLB's and Cilium's are packets of the machines themselves."""
    return _BALANCED in (service["metadata"].get("finalizers") or ())


def _balancer(service: Mapping[str, Any]) -> _Thing:
    meta = service["metadata"]
    points = ((service.get("status") or {}).get("loadBalancer") or {}).get("ingress") or ()
    identity = ", ".join(one.get("ip") or one.get("hostname") or "" for one in points)
    place = ("Service", meta["name"], meta["namespace"])
    return _Thing("load balancer", f"{meta['namespace']}/{meta['name']}", identity, place, meta["namespace"])
