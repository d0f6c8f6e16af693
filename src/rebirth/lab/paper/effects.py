"""What the programs that stubs stand in for would do: volumes of provisioners, objects and statuses of operators, and who is trusted.

The same as in a rehearsal without machines, but for the operators and provisioners alone that are on paper in this lab.
"""

import asyncio
from collections.abc import Awaitable, Callable, Iterator, Mapping
from typing import Any

from rebirth.lab.ca import Authority
from rebirth.lab.kinds import Kinds
from rebirth.lab.paper.pods import MARK, marked, selects
from rebirth.paper.api.client import Api, Kind, Object
from rebirth.paper.api.kinds import (
    API_SERVICE,
    CLAIM,
    CONFIG_MAP,
    CRD,
    INGRESS,
    MUTATING,
    POD,
    SECRET,
    SERVICE,
    STORAGE_CLASS,
    VALIDATING,
    VOLUME,
)
from rebirth.paper.api.seen import Key, Seen, key_of
from rebirth.paper.api.work import Work
from rebirth.paper.operators.addresses import Addresses, pool_kinds
from rebirth.paper.operators.claims import Claims, volume_for
from rebirth.paper.operators.copies import Copies
from rebirth.paper.operators.operators import Operators
from rebirth.paper.operators.running import Running
from rebirth.paper.serving.admission import bundle
from rebirth.paper.serving.trusting import untrusted

_TRUSTING = (MUTATING, VALIDATING, CRD, API_SERVICE)
_WATCHED = (*_TRUSTING, SERVICE, POD, SECRET, CONFIG_MAP, INGRESS, STORAGE_CLASS, CLAIM, VOLUME)
_INJECTED = (
    "cert-manager.io/inject-"  # annotations by which cert-manager's cainjector enters an authority, again and again
)
_FOLDER = "/var/lib/rebirth"  # of a machine, with the volumes on paper
_RELEASED = "meta.helm.sh/release-namespace"  # an annotation of what a release has made
_SELECTED = "volume.kubernetes.io/selected-node"  # an annotation of claims whose class waits for a pod
_HOST = "kubernetes.io/hostname"


_POOLS = frozenset(pool_kinds().values())  # operators that give addresses


class Effects:
    """Of one life of a castle."""

    def __init__(
        self,
        api: Api,
        seen: Seen,
        ca: Authority,
        invent: Kinds,
        refused: dict[str, str],
        announce: Callable[[str], Awaitable[None]],
    ) -> None:
        """`announce` leads an address that a Service was given on paper to the machines."""
        self._api, self._seen = api, seen
        self._bundle = bundle(ca.pem)
        self._running = Running()

        def refuse(what: object, words: str) -> None:
            refused[str(what)] = words

        self._operators = Operators(api, seen, self._running, ca, invent, refuse)
        self._claims = Claims(api, seen, self._running, refuse, volume_of_machine, self._provisioned)
        self._copies = Copies(api, seen, self._running, refuse)
        self._addresses = Addresses(api, seen, self._running, self._operators.kinds, refuse)
        self._trust: Work[tuple[Kind, Key]] = Work(self._look, refuse)
        self._led: set[str] = set()
        self._leading: Work[str] = Work(announce, refuse)
        seen.listeners += [self._heard, self._operators.heard, self._claims.heard, self._copies.heard]
        seen.listeners += [self._addresses.heard]

    async def run(self) -> None:
        """Never returns."""
        for kind in _WATCHED:
            self._seen.watch(kind)
        parts = (self._operators, self._claims, self._copies, self._addresses)
        await asyncio.gather(self._trust.run(), self._leading.run(), *(part.work.run() for part in parts))

    def _heard(self, kind: Kind, item: Object, gone: bool) -> None:
        if kind in _TRUSTING and not gone:
            self._trust.add((kind, key_of(item)))
        elif kind == SERVICE and not gone:
            self._lead(item)
        elif kind == POD and marked(item):
            self._running.heard(kind, as_meant(item), gone)
            for one in _TRUSTING:
                for key in self._seen.of(one):
                    self._trust.add((one, key))

    async def _look(self, one: tuple[Kind, Key]) -> None:
        kind, key = one
        item = self._seen.get(kind, *key)
        if item and (steps := untrusted(kind, item, self._bundle, self._on_paper)):
            await self._api.edit(kind, *key, [*steps, *_uninjected(item)])

    def _lead(self, service: Object) -> None:
        """Nobody announces the addresses of an operator on paper."""
        given = ((service.get("status") or {}).get("loadBalancer") or {}).get("ingress") or ()
        if any(self._running.namespace(name) for name in _POOLS):
            for address in {str(one["ip"]) for one in given if "ip" in one} - self._led:
                self._led.add(address)
                self._leading.add(address)

    def _provisioned(self, storage_class: Object) -> bool:
        """Whether pods of the release that made the class are on paper."""
        home = (storage_class["metadata"].get("annotations") or {}).get(_RELEASED)
        return any(space == home and marked(pod) for (space, _), pod in self._seen.of(POD).items())

    def _on_paper(self, namespace: str, name: str) -> bool:
        service = self._seen.get(SERVICE, namespace, name)
        return service is not None and any(
            MARK in (pod["metadata"].get("labels") or {}) and selects(service, pod)
            for (space, _), pod in self._seen.of(POD).items()
            if space == namespace
        )


def as_meant(pod: Mapping[str, Any]) -> Object:
    """A pod with the images that its stubs stand in for, and without what is real in it."""
    stubs = marked(pod)
    containers = [{**one, "image": stubs[one["name"]]} for one in pod["spec"]["containers"] if one["name"] in stubs]
    return {**pod, "spec": {**pod["spec"], "containers": containers}}


def volume_of_machine(claim: Object, storage_class: Object, provisioner: str) -> Object:
    """A folder of the machine that the pod is on, or of any: stubs write nothing. The container runtime makes it."""
    made = volume_for(claim, storage_class, provisioner)
    spec = made["spec"]
    spec["hostPath"] = {"path": f"{_FOLDER}/{made['metadata']['name']}"}
    if node := (claim["metadata"].get("annotations") or {}).get(_SELECTED):
        term = {"matchExpressions": [{"key": _HOST, "operator": "In", "values": [node]}]}
        spec["nodeAffinity"] = {"required": {"nodeSelectorTerms": [term]}}
    return made


def _uninjected(item: Object) -> Iterator[Object]:
    """Steps that end what enters the authority of a certificate that no stub has."""
    for name in item["metadata"].get("annotations") or {}:
        if name.startswith(_INJECTED):
            yield {"op": "remove", "path": f"/metadata/annotations/{name.replace('/', '~1')}"}
