"""What MetalLB refuses, or never looks at (0.15, internal/config and its webhooks): ranges that are none or overlap, objects outside of its
own namespace, a pool by a name that none has.
"""

from collections.abc import Iterator

from rebirth.addresses import IPAddress
from rebirth.proof.charts import knowledge, releases
from rebirth.proof.graph import Graph
from rebirth.proof.reading.manifest import Manifest, Model
from rebirth.proof.schemas.shape import is_open
from rebirth.proof.sources import meeting
from rebirth.proof.sources.meeting import Refusal
from rebirth.proof.things import Atomicity

_GROUP = "metallb.io"
_WHY = "MetalLB's webhook refuses it, and Flux then applies nothing of the whole Kustomization."
_UNSEEN = "MetalLB looks into its own namespace alone: Services wait for an address for ever."
_NO_POOL = "No pool has that name: MetalLB gives nothing from it."
_ASKED = ("metallb.io/address-pool", "metallb.universe.tf/address-pool")


def read(model: Model, graph: Graph) -> None:
    pools = [one for one, _ in model.objects("IPAddressPool") if one.group == _GROUP]
    homes = _homes(model)
    known: list[tuple[Manifest, tuple[IPAddress, IPAddress]]] = []
    for member in meeting.applied_by_flux(model):
        if member.group != _GROUP:
            continue
        if homes and member.namespace not in homes and not is_open(member.namespace):
            words = f"is in the namespace {member.namespace or 'default'}, and MetalLB in {' and '.join(sorted(homes))}"
            path = ("metadata", "namespace") if member.namespace else ("metadata", "name")
            meeting.refused(graph, member, [Refusal(path, words)], _UNSEEN)
        elif member.kind == "IPAddressPool":
            meeting.refused(graph, member, _ranges(member, known), _WHY)
    if pools and not any(is_open(one.name) for one in pools):
        _by_name(model, {one.name for one in pools}, graph)


def _homes(model: Model) -> set[str]:
    """The namespaces in which MetalLB is installed."""
    found = set()
    for unit in model.units:
        if unit.atomicity is Atomicity.HELM and unit.own is not None and (chart := releases.chart_of(model, unit.own)):
            known = knowledge.of_chart(chart.name, chart.url or None)
            if known is not None and known.name == "metallb":
                found.add(releases.target_namespace(unit.own))
    return set() if any(is_open(one) for one in found) else found


def _ranges(pool: Manifest, known: list[tuple[Manifest, tuple[IPAddress, IPAddress]]]) -> Iterator[Refusal]:
    for index, entry in enumerate(pool.items("spec", "addresses")):
        path = ("spec", "addresses", index)
        if not isinstance(entry, str) or is_open(entry):
            continue
        span = meeting.pool_addresses(entry)
        if span is None or ("-" not in entry and "/" not in entry):
            yield Refusal(path, f"{entry} is no range: write first-last, or address/length")
        elif span[0].version != span[1].version or int(span[0]) > int(span[1]):
            yield Refusal(path, f"{entry} ends before it begins")
        else:
            for other, (first, last) in known:
                if first.version == span[0].version and int(first) <= int(span[1]) and int(span[0]) <= int(last):
                    yield Refusal(path, f"{entry} overlaps with addresses of {other.thing().label}")
                    break
            known.append((pool, span))


def _by_name(model: Model, pools: set[str], graph: Graph) -> None:
    for member in meeting.applied_by_flux(model, "L2Advertisement", "BGPAdvertisement", "Service"):
        for path, name in _named(member):
            if isinstance(name, str) and name and name not in pools and not is_open(name):
                words = f"names the pool {name}; there is {', '.join(sorted(pools))}"
                meeting.refused(graph, member, [Refusal(path, words)], _NO_POOL)


def _named(member: Manifest) -> Iterator[tuple[tuple[str | int, ...], object]]:
    """The pools that an advertisement or a Service names, and where."""
    if member.kind != "Service":
        for index, one in enumerate(member.items("spec", "ipAddressPools") if member.group == _GROUP else ()):
            yield ("spec", "ipAddressPools", index), one
    elif member.at("spec", "type") == "LoadBalancer":
        for key in _ASKED:
            yield ("metadata", "annotations", key), member.annotations.get(key)
