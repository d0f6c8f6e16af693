"""Objects against the schemas of their kinds: kinds that nobody has, fields that are not in them, values of another type, fields
that are missing.

The schemas are those of the CRDs in the repository and its charts, which count as they are; else those that come with Rebirth
(`rebirth.proof.schemas`), which other versions may have otherwise: the chart that the repository installs tells.

Flux applies server-side. The API server rejects an object with a field that its schema does not know, and with it all that is
applied in the same Kustomization. Objects of Kubernetes itself lose such fields before (`flux.loses_unknown_fields`), unless a
value of another type keeps them from being read: then the API server sees them as they are written.
"""

from collections.abc import Iterator, Mapping
from typing import TYPE_CHECKING

from rebirth.proof.charts import releases
from rebirth.proof.charts.chart_values import numbers
from rebirth.proof.graph import Graph
from rebirth.proof.reading import flux
from rebirth.proof.reading.manifest import Manifest, Model
from rebirth.proof.schemas import bundle
from rebirth.proof.schemas.kinds import unknown_kind
from rebirth.proof.schemas.shape import Mistake, Shape, dotted, is_open, of_kind
from rebirth.proof.things import Atomicity

if TYPE_CHECKING:
    from rebirth.castle import Castle

_MOST = 20  # mistakes of one object
_UNREADABLE = {"wrong-type", "wrong-format"}  # what keeps Flux from reading an object of Kubernetes
_OF_A_VERSION = {"unknown-field", "wrong-value"}  # what another version of an operator may take
_SPEC = ("spec", "field")  # how deep an operator that is strict looks where its CRDs let everything through
_OWN = {flux.KUSTOMIZE, flux.HELM, flux.SOURCE}
_Kinds = Mapping[tuple[str, str], Shape]
_Installed = Mapping[str, set[str]]


def read(model: Model, graph: Graph) -> None:
    crds = [crd for crd, _ in model.objects("CustomResourceDefinition")]
    own = {kind: shape for crd in crds for kind, shape in _of(crd)}
    defined = {(version.rpartition("/")[0], kind) for version, kind in own}
    installed = _installed(model)
    for unit in model.units:
        if unit.atomicity is not Atomicity.FLUX:
            continue
        for member in unit.members:
            if not flux.is_left_out(member) and not is_open(member.kind) and member.kind != "CustomResourceDefinition":
                found = _mistakes(member, own, defined, model.castle, installed)
                for _, mistake in zip(range(_MOST), found, strict=False):
                    _tell(graph, member, mistake)


def _tell(graph: Graph, member: Manifest, mistake: Mistake) -> None:
    group = bundle.group(member.group)
    strict = group is not None and group.strict and mistake.slug == "unknown-field" and len(mistake.path) == len(_SPEC)
    graph.remark(
        mistake.slug, member.place(*mistake.path), f"{member.thing().label}: {mistake.words}", member.thing(),
        path=dotted(mistake.path), sure="yes" if mistake.sure else "",
        read=f"{group.product} {group.product_versions[0]}" if group else "",
        strict=group.product if group and strict else "",
    )  # fmt: skip


def _mistakes(
    member: Manifest, own: _Kinds, defined: set[tuple[str, str]], castle: "Castle | None", installed: _Installed
) -> Iterator[Mistake]:
    """The mistakes of one object, one a place."""
    version = str(member.data.get("apiVersion"))
    exact = own.get((version, member.kind))
    known = (member.group, member.kind) in defined
    shape = exact or (None if known else bundle.shape(member.group, version.rpartition("/")[2], member.kind))
    kubernetes = str(castle.kubernetes.version) if castle else ""
    found = _flux(member) if member.group in _OWN else []
    if shape is not None and not shape.fits(member.data):
        found += shape.mistakes(member.data)
    if shape is None and not known:
        found += unknown_kind(member.group, version.rpartition("/")[2], member.kind, kubernetes)
    if not found:
        return
    if flux.loses_unknown_fields(member):
        found = _of_kubernetes(found)
    covers = _covers(member.group, installed)
    places = set()
    for mistake in found:
        # Which kinds may be referred to is what operators add to most often: Flux' own adds FluxInstance to those of Alerts.
        refers = mistake.path[-1:] == ("kind",) and mistake.slug != "unknown-kind"
        sure = mistake.sure or exact is not None or (covers and mistake.slug in _OF_A_VERSION and not refers)
        if mistake.path not in places and (sure or not refers):
            places.add(mistake.path)
            yield mistake._replace(sure=sure)


def _installed(model: Model) -> _Installed:
    """The versions that the repository's releases have of each chart; and Flux' own, which an operator installs."""
    found: dict[str, set[str]] = {}
    for unit in model.units:
        if unit.atomicity is Atomicity.HELM and unit.own is not None and (chart := releases.chart_of(model, unit.own)):
            found.setdefault(chart.name, set()).add(chart.version)
    for instance, _ in model.objects("FluxInstance"):
        found.setdefault(instance.kind, set()).add(str(instance.at("spec", "distribution", "version", default="")))
    return found


def _covers(group: str, installed: _Installed) -> bool:
    """Whether the bundled schemas of a group know every field that the installed version has."""
    known = bundle.group(group)
    if known is None or known.is_native:
        return False
    found = [(version, *known.charts[chart]) for chart in known.charts for version in installed.get(chart, ())]
    written = [(numbers(version), numbers(since), numbers(until)) for version, since, until in found]
    if not any(version for version, _, _ in written):
        return known.settled
    return all(since <= version and version[: len(until)] <= until for version, since, until in written)


def _of_kubernetes(found: list[Mistake]) -> list[Mistake]:
    """What becomes of the mistakes in an object that Flux reads into a type, and writes again."""
    if any(mistake.slug in _UNREADABLE for mistake in found):
        return found
    return [one._replace(slug="lost-field") if one.slug == "unknown-field" else one for one in found]


def _flux(member: Manifest) -> list[Mistake]:
    """What Flux's own CRDs and controllers ask of values that somebody writes otherwise."""
    found = []
    for field in ("interval", "retryInterval", "timeout"):
        value = member.at("spec", field)
        if value is not None and not is_open(value) and not flux.is_duration(value):
            words = f"spec.{field} {value} has no unit; write 10m or 1h30m"
            found.append(Mistake("wrong-value", ("spec", field), words))
    url = str(member.at("spec", "url", default=""))
    if member.kind == "HelmRepository" and url.startswith("oci://") and member.at("spec", "type") != "oci":
        found.append(Mistake("oci-type", ("spec", "url"), "an oci:// URL needs `type: oci` beside it"))
    return found


def _of(crd: Manifest) -> Iterator[tuple[tuple[str, str], Shape]]:
    """Schemas by apiVersion and kind, of every version of a CRD."""
    group, kind = crd.at("spec", "group"), crd.at("spec", "names", "kind")
    for version in crd.items("spec", "versions"):
        schema = version.get("schema") if isinstance(version, Mapping) else None
        found = schema.get("openAPIV3Schema") if isinstance(schema, Mapping) else None
        if isinstance(found, Mapping) and found.get("properties"):
            yield (f"{group}/{version.get('name')}", str(kind)), of_kind(found)
