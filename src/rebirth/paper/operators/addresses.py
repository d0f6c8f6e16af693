"""Addresses for Services of type LoadBalancer: out of the pools of an operator that runs, if there is one; else none, as in reality."""

import re
from collections.abc import Callable, Iterable, Iterator, Mapping
from ipaddress import IPv4Address, IPv6Address, ip_address, ip_network

from rebirth.paper.api.client import Api, Kind, Object
from rebirth.paper.api.kinds import SERVICE
from rebirth.paper.api.seen import Key, Seen, key_of
from rebirth.paper.api.work import Work
from rebirth.paper.operators.running import Running
from rebirth.proof.charts import knowledge

Address = IPv4Address | IPv6Address
# Annotations that ask for certain addresses, of MetalLB and Cilium.
_ASKS = (
    "metallb.io/loadBalancerIPs", "metallb.universe.tf/loadBalancerIPs", "lbipam.cilium.io/ips", "io.cilium/lb-ipam-ips",
)  # fmt: skip
_CLASSES = {"io.cilium/l2-announcer", "io.cilium/bgp-control-plane", "metallb"}


def pool_kinds() -> Mapping[tuple[str, str], str]:
    """Group and kind of each kind of pool, with the name of its operator."""
    listed = [(kind, known.name) for known in knowledge.operators() for kind in known.address_pools]
    return {(kind.rpartition("/")[0], kind.rpartition("/")[2]): name for kind, name in listed}


def ranges(pool: Object) -> Iterator[tuple[Address, Address]]:
    """First and last address of each range of a pool; what cannot be read is none."""
    spec = pool.get("spec") or {}
    for one in [*(spec.get("addresses") or []), *(spec.get("blocks") or [])]:
        text = (
            one
            if isinstance(one, str)
            else one.get("cidr") or f"{one.get('start')}-{one.get('stop') or one.get('start')}"
        )
        first, dash, last = text.partition("-")
        try:
            if dash:
                yield ip_address(first.strip()), ip_address(last.strip())
            else:
                network = ip_network(text.strip(), strict=False)
                yield network[0], network[-1]
        except ValueError:
            continue


def asked(service: Object) -> list[str]:
    """The addresses that a Service asks for itself."""
    notes = service["metadata"].get("annotations") or {}
    texts = [str(notes.get(name, "")) for name in _ASKS] + [str(service["spec"].get("loadBalancerIP") or "")]
    return [one for text in texts for one in re.split(r"[,\s]+", text) if one]


def given(service: Object, pools: Iterable[Object], taken: set[str]) -> list[str]:
    """What it gets; nothing where no pool has it."""
    spans = [(pool, span) for pool in pools for span in ranges(pool)]
    if wanted := asked(service):
        return [one for one in wanted if any(_within(one, span) for _, span in spans)]
    for pool, (first, last) in spans:
        if (pool.get("spec") or {}).get("autoAssign") is False:
            continue
        for number in range(int(first), int(last) + 1):
            text = str(type(first)(number))
            if text not in taken:
                return [text]
    return []


def _within(address: str, span: tuple[Address, Address]) -> bool:
    try:
        found = ip_address(address)
    except ValueError:
        return False
    return found.version == span[0].version and int(span[0]) <= int(found) <= int(span[1])


class Addresses:
    """All Services of type LoadBalancer. `kinds` are the kinds of custom resources that are watched."""

    def __init__(
        self, api: Api, seen: Seen, running: Running, kinds: Mapping[tuple[str, str], Kind],
        refused: Callable[[Key, str], None],
    ) -> None:  # fmt: skip
        self._api, self._seen, self._running, self._kinds = api, seen, running, kinds
        self._pools = pool_kinds()
        self.work: Work[Key] = Work(self._look, refused, at_once=1)  # two must not get the same
        self._taken: dict[str, Key] = {}
        running.listeners.append(lambda _: self._all())

    def heard(self, kind: Kind, item: Object, gone: bool) -> None:
        if kind == SERVICE and gone:
            self._taken = {address: key for address, key in self._taken.items() if key != key_of(item)}
        elif kind == SERVICE and item["spec"].get("type") == "LoadBalancer":
            self.work.add(key_of(item))
        elif (kind.group, kind.name) in self._pools:
            self._all()

    def _all(self) -> None:
        for key, service in self._seen.of(SERVICE).items():
            if service["spec"].get("type") == "LoadBalancer":
                self.work.add(key)

    async def _look(self, key: Key) -> None:
        service = self._seen.get(SERVICE, *key)
        held = ((service or {}).get("status") or {}).get("loadBalancer") or {}
        if service is None or held.get("ingress") or key in self._taken.values():
            return
        if service["spec"].get("loadBalancerClass", "metallb") not in _CLASSES:
            return
        addresses = given(service, self._serving(), set(self._taken))
        if addresses:
            entries = [{"ip": address, "ipMode": "VIP"} for address in addresses]
            await self._api.merge(SERVICE, *key, {"status": {"loadBalancer": {"ingress": entries}}}, "status")
            self._taken.update(dict.fromkeys(addresses, key))

    def _serving(self) -> list[Object]:
        """The pools whose operator runs."""
        return [
            pool
            for group_and_kind, operator in self._pools.items()
            if group_and_kind in self._kinds and self._running.namespace(operator) is not None
            for pool in self._seen.of(self._kinds[group_and_kind]).values()
        ]
