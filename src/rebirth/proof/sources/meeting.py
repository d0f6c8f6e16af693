"""Where sources meet: things that several of them speak of, each made in one place, so that all call it by the same name."""

import re
from collections.abc import Iterable, Iterator, Mapping
from datetime import timedelta
from ipaddress import ip_network
from typing import TYPE_CHECKING, NamedTuple

from rebirth.addresses import IPAddress, span_of
from rebirth.proof.charts import knowledge
from rebirth.proof.graph import Graph
from rebirth.proof.reading.manifest import Manifest, Model, thing
from rebirth.proof.schemas.shape import dotted
from rebirth.proof.things import ALWAYS, NOWHERE, Atomicity, Milestone, Need, Place, Strength, Thing

if TYPE_CHECKING:
    from rebirth.castle import Castle
    from rebirth.run.phase import Phase

# API groups, and names, that several sources look for
CERT_MANAGER = "cert-manager.io"
RELEASE = "Helm release"  # one that a phase installs, with no object of Flux'
# ConfigMaps that a controller puts into every namespace: Kubernetes' own, Istio's and OpenShift's
_EVERYWHERE = {
    "kube-root-ca.crt": "ca.crt",
    "istio-ca-root-cert": "root-cert.pem",
    "openshift-service-ca.crt": "service-ca.crt",
}

# Go's durations: units as often as one likes, with fractions and a sign.
_DURATION = re.compile(r"[-+]?(\d+(\.\d*)?|\.\d+)(ns|us|µs|μs|ms|s|m|h)")
_SECONDS = {"ns": 1e-9, "us": 1e-6, "µs": 1e-6, "μs": 1e-6, "ms": 1e-3, "s": 1.0, "m": 60.0, "h": 3600.0}

POD_NETWORK = thing("pod network", "", "of the cluster", Milestone.SERVES)


def namespace(name: str) -> Thing:
    return thing("Namespace", "", name)


def account(graph: Graph, space: str, name: str) -> Thing:
    """The ServiceAccount; the one called default comes with its namespace."""
    found = thing("ServiceAccount", space, name, Milestone.EXISTS)
    graph.wanted(found)
    if name == "default" and not graph.makers(found):
        graph.makes(namespace(space), found, graph.where.get(namespace(space), NOWHERE), "comes with its namespace")
    return found


def secret(namespace: str, name: str) -> Thing:
    return thing("Secret", namespace, name, Milestone.MATERIALISED)


def config_map(namespace: str, name: str) -> Thing:
    return thing("ConfigMap", namespace, name, Milestone.MATERIALISED)


def given(graph: Graph, of: Thing) -> None:
    """What a controller puts into every namespace."""
    if of.kind == "ConfigMap" and of.name in _EVERYWHERE and of not in graph.made:
        space = namespace(of.namespace)
        graph.makes(space, of, graph.where.get(space, Place("")), "comes with its namespace")
        graph.holds(of, [_EVERYWHERE[of.name]], Place(""))


def api(castle: "Castle") -> Thing:
    """The API server at the castle's endpoint."""
    return thing("Kubernetes API", "", castle.kubernetes.endpoint, Milestone.ANSWERS)


def vault_path(mount: str, path: str) -> Thing:
    return thing("vault path", "", f"{mount}/{path}", Milestone.MATERIALISED)


def applied(name: str) -> Thing:
    return thing("phase", "", name, Milestone.APPLIED)


def ready(name: str) -> Thing:
    return thing("phase", "", name, Milestone.READY)


def place(phase: "Phase") -> Place:
    return Place(phase.file, phase.line)


def takes(model: Model, graph: Graph, phase: "Phase", by: Thing) -> None:
    """`by`, a part of what the phase does, needs the facts that the phase takes."""
    from rebirth.run.phase import needs

    makers = {other.makes: other for other in model.phases}
    for fact, chain in needs(phase, model.phases, model.connections).items():
        through = f" through {', '.join(chain)}" if chain else ""
        words = f"takes {fact.__name__}{through}"
        graph.needs(by, ready(makers[fact].name), Need.PHASE, place(phase), words, strength=Strength.HARD)


def runs(member: Manifest, graph: Graph) -> Thing:
    """`member` is Ready once it exists, and what runs its operator is."""
    done = member.thing(Milestone.READY)
    place = member.place("metadata", "name")
    graph.where.setdefault(done, place)
    graph.needs(done, member.thing(), Need.APPLIED_BY, place)
    known = knowledge.of_kind(member.group, member.kind)
    if known and graph.makers(known.thing):
        graph.needs(done, known.thing, Need.WORKLOAD, member.place("kind"), f"{known.title} runs it", scope=ALWAYS)
    return done


def pool_addresses(entry: object) -> tuple[IPAddress, IPAddress] | None:
    """First and last address of a pool's range; None for what is none. Cilium has a mapping for each."""
    text = str(entry)
    if isinstance(entry, Mapping):
        first = str(entry.get("start"))
        text = str(entry["cidr"]) if "cidr" in entry else f"{first}-{entry.get('stop') or first}"
    try:
        return span_of(text if "-" in text else str(ip_network(text, strict=False)))
    except ValueError:
        return None


def within(address: IPAddress, first: IPAddress, last: IPAddress) -> bool:
    return address.version == first.version and int(first) <= int(address) <= int(last)


def pools(model: Model) -> Iterator[tuple[Manifest, Place, tuple[IPAddress, IPAddress]]]:
    """The pools of addresses: each range with where it stands."""
    for kind, field in (("IPAddressPool", "addresses"), ("CiliumLoadBalancerIPPool", "blocks")):
        for member, _ in model.objects(kind):
            for index, entry in enumerate(member.items("spec", field)):
                if span := pool_addresses(entry):
                    yield member, member.place("spec", field, index), span


class Refusal(NamedTuple):
    """Something of an object that who reads its kind refuses: where, and in words that follow the object's name."""

    path: tuple[str | int, ...]
    words: str


def applied_by_flux(model: Model, *kinds: str) -> Iterator[Manifest]:
    """The objects of those kinds (none named: of all) that the repository itself holds, as they are applied."""
    for member, unit in model.objects(*kinds):
        if unit.atomicity is Atomicity.FLUX and unit.built:
            yield member


def refused(graph: Graph, member: Manifest, found: Iterable[Refusal], why: str) -> None:
    for one in found:
        invalid(graph, member, one.path, one.words, why=why)


def invalid(
    graph: Graph,
    member: Manifest,
    path: tuple[str | int, ...],
    words: str,
    *,
    unless: str = "",
    by: str = "",
    why: str = "",
) -> None:
    """Somebody refuses what stands there: `by` is whose webhook does, "" the API server; `why` says it where neither is so."""
    words = f"{member.thing().label}: {words}"
    where = dotted(path)
    graph.remark("invalid", member.place(*path), words, member.thing(), path=where, unless=unless, by=by, why=why)


def go_duration(value: object) -> timedelta | None:
    """What Go reads as a duration; None where it does not."""
    if value == "0":
        return timedelta()
    if not isinstance(value, str) or not re.fullmatch(f"(?:{_DURATION.pattern})+", value):
        return None
    return timedelta(seconds=sum(float(one[1]) * _SECONDS[one[3]] for one in _DURATION.finditer(value)))
