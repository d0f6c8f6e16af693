"""What operators provide: facts about charts and custom resources that no file of a repository tells.

One YAML file an operator in `known/`; its name (`cert-manager`) is the operator's name in the graph
(`operator cert-manager` READY). Fields, all but `title` and `read` optional:

    title: cert-manager
    read: [...]                      upstream files that the facts were read in, with the version
    charts:                          how a HelmRelease of it is recognised: the chart's name, and pieces of its repository's URL
      - {name: cert-manager, from: [charts.jetstack.io, jetstack/charts]}
    images: [jetstack/cert-manager-controller]   how it is recognised in manifests: its main container's image, without host and tag
    namespace: cert-manager          where it usually stands; only used if nobody says otherwise
    complete: true                   the objects below are all that matters: nothing else of the chart is needed by others
    crds:
      - group: cert-manager.io
        kinds: [Certificate, Issuer]
        folder: true                 they stand in the chart's crds/ folder, so that `install.crds: Skip` leaves them out
        unless_false: [crds.enabled] see conditions
        since: "1.0"                 version of the chart; also `before`
    workloads:
      - name: "{fullname}-webhook"
        kind: Deployment             (if not given)
        image: jetstack/cert-manager-webhook
        secrets: [{name: operator-oauth, keys: [client_id], unless: [oauth.clientId]}]   what its pods do not start without
        services: [{name: "{fullname}-webhook", type: ClusterIP}]
        labels: {app: x}             of its pods, where other objects select them
    webhooks:
      - name: webhook.cert-manager.io
        mutating: false
        fails: true                  failurePolicy: Fail
        kinds: {cert-manager.io: [Certificate]}      "" is the core group; "*" all kinds of a group
        operations: [CREATE, UPDATE]
        service: "{fullname}-webhook"
        namespaces: {not: [kube-system, "{namespace}"]}   namespaces by name that it leaves out, or `only`
        policy: webhook.failurePolicy       value of the chart that says the failure policy
        runtime: true                the operator makes the configuration itself, once it runs
    ingress_classes: ["{values.ingressClass.name|fullname}"]    names, each may be {name: ..., conditions}
    gateway_controllers: [...]       spec.controllerName of GatewayClasses that it serves
    storage_classes: [longhorn]
    provisioners: [driver.longhorn.io]     StorageClasses of these are served by it
    address_pools: [metallb.io/IPAddressPool]   kinds whose objects are pools of addresses for Services
    secrets: [...]                   Secrets that the chart itself makes: names
    resources:                       custom resources that the chart itself holds
      - {kind: ceph.rook.io/CephCluster, name: "{values.clusterName|namespace}"}
    makes:                           what a custom resource of it makes, once the operator runs
      - by: postgres-operator.crunchydata.com/PostgresCluster
        kind: Secret
        name: "{metadata.name}-pguser-{spec.users.*.name|metadata.name}"
        namespace: "{metadata.namespace}"      (if not given); "{operator}" is the operator's
        keys: [user, password]       of Secrets and ConfigMaps; not given: not known
        address: "{spec.nameserver.service.clusterIP}"     of a Service
        when_ready: true             only once the custom resource itself is Ready
    reads:                           what a custom resource of it needs from a Secret or ConfigMap
      - {by: ..., kind: Secret, name: "{spec.secretName}", key: "{spec.key}"}
    unready: [tailscale.com/DNSConfig]     kinds without any condition that kstatus knows: they are Ready as soon as they exist

Conditions: `only_if` (one of these values is set), `unless` (none is), `unless_false` (none is false). Values are those of the
HelmRelease; what it does not set has the chart's default, which the conditions are written for.

Templates: `{path}` is replaced by the value at that path; `{a|b}` by the first that is there; `{a|'text'}` by a text; `*` in a
path goes through all items of a list, or keys of a mapping, and gives one result each. A template with a path that leads
nowhere gives nothing. Charts know `release`, `namespace`, `fullname` (Helm's convention), `values...`; custom resources all
their fields, and `operator` (its namespace).
"""

import re
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from functools import cache
from importlib.resources import files
from itertools import product
from typing import Any

import yaml

from rebirth.proof.things import Milestone, Thing

_FIELD = re.compile(r"\{([^{}]+)\}")


@dataclass(frozen=True, slots=True)
class When:
    """Under which values of the chart something is there."""

    only_if: tuple[str, ...] = ()
    unless: tuple[str, ...] = ()
    unless_false: tuple[str, ...] = ()
    since: str = ""
    before: str = ""

    def holds(self, values: Mapping[str, Any], version: str = "", *, whole: bool = True) -> bool | None:
        """Whether it is there; None where that hangs on values that are not known (`whole` is False)."""
        if not in_range(version, self.since, self.before):
            return False
        answers = [any_of([_is_set(values, path, whole) for path in self.only_if])] if self.only_if else []
        answers += [_not(_is_set(values, path, whole)) for path in self.unless]
        answers += [_not(_is_off(values, path, whole)) for path in self.unless_false]
        if False in answers:
            return False
        return None if None in answers else True


def any_of(answers: list[bool | None]) -> bool | None:
    return True if True in answers else None if None in answers else False


def _not(answer: bool | None) -> bool | None:
    return None if answer is None else not answer


def _is_set(values: Mapping[str, Any], path: str, whole: bool) -> bool | None:
    found = value_at(values, path)
    return bool(found) if found is not None or whole else None


def _is_off(values: Mapping[str, Any], path: str, whole: bool) -> bool | None:
    found = value_at(values, path)
    return found is False or found == "false" if found is not None or whole else None


@dataclass(frozen=True, slots=True)
class Chart:
    name: str
    sources: tuple[str, ...]  # pieces of repository URLs; none: any


@dataclass(frozen=True, slots=True)
class Crds:
    group: str
    kinds: tuple[str, ...]
    folder: bool
    when: When


@dataclass(frozen=True, slots=True)
class Named:
    """Something that has but a name."""

    name: str
    when: When
    keys: tuple[str, ...] = ()
    type: str = ""
    kind: str = ""


@dataclass(frozen=True, slots=True)
class Workload:
    name: str
    kind: str
    image: str
    secrets: tuple[Named, ...]
    services: tuple[Named, ...]
    labels: Mapping[str, str]
    when: When


@dataclass(frozen=True, slots=True)
class Webhook:
    name: str
    mutating: bool
    fails: bool
    kinds: Mapping[str, tuple[str, ...]]  # group -> kinds
    operations: tuple[str, ...]
    service: str
    only: tuple[str, ...]  # namespaces; none: all
    but: tuple[str, ...]
    policy: str  # the chart's value that holds the failure policy
    runtime: bool
    certificate: bool  # cert-manager injects its CA
    when: When


@dataclass(frozen=True, slots=True)
class Makes:
    """What a custom resource makes."""

    group: str
    by: str
    kind: str
    name: str
    namespace: str
    keys: tuple[str, ...] | None
    address: str
    when_ready: bool


@dataclass(frozen=True, slots=True)
class Reads:
    group: str
    by: str
    kind: str
    name: str
    namespace: str
    key: str


@dataclass(frozen=True, slots=True)
class Operator:
    name: str
    title: str
    read: tuple[str, ...]
    charts: tuple[Chart, ...]
    images: tuple[str, ...]
    namespace: str
    complete: bool
    crds: tuple[Crds, ...]
    workloads: tuple[Workload, ...]
    webhooks: tuple[Webhook, ...]
    ingress_classes: tuple[Named, ...]
    storage_classes: tuple[Named, ...]
    secrets: tuple[Named, ...]
    resources: tuple[Named, ...]
    gateway_controllers: tuple[str, ...]
    provisioners: tuple[str, ...]
    address_pools: tuple[str, ...]
    makes: tuple[Makes, ...]
    reads: tuple[Reads, ...]
    unready: tuple[str, ...]

    @property
    def thing(self) -> Thing:
        """The operator at work, whichever unit installs it."""
        return operator(self.name)

    def knows(self, group: str, kind: str) -> bool:
        return any(crds.group == group and kind in crds.kinds for crds in self.crds)


def operator(name: str) -> Thing:
    """`operator cert-manager` READY: made by the workload, HelmRelease or phase that runs it."""
    return Thing("operator", "", name, Milestone.READY)


def crd(group: str, kind: str) -> Thing:
    return Thing("CRD", "", f"{group}/{kind}", Milestone.ESTABLISHED)


@dataclass(frozen=True, slots=True)
class Made:
    """One thing that one custom resource makes."""

    kind: str
    namespace: str
    name: str
    keys: tuple[str, ...] | None = None
    address: str = ""
    when_ready: bool = False


@cache
def operators() -> tuple[Operator, ...]:
    """All that is known, in the order of names."""
    folder = files("rebirth.proof.charts") / "known"
    found = sorted((f for f in folder.iterdir() if f.name.endswith(".yaml")), key=lambda f: f.name)
    return tuple(_operator(f.name.removesuffix(".yaml"), yaml.safe_load(f.read_text(encoding="utf-8"))) for f in found)


def of_chart(name: str, url: str | None) -> Operator | None:
    """The operator that a chart of that name, from a repository at that URL (None: any), installs."""
    for known in operators():
        for chart in known.charts:
            if chart.name == name and (
                url is None or not chart.sources or any(piece in url for piece in chart.sources)
            ):
                return known
    return None


def of_image(image: str) -> Operator | None:
    """The operator whose main container runs that image."""
    head, _, last = image.partition("@")[0].rpartition("/")
    parts = [*head.split("/"), last.partition(":")[0]] if head else [last.partition(":")[0]]
    if len(parts) > 1 and ("." in parts[0] or ":" in parts[0] or parts[0] == "localhost"):
        parts = parts[1:]
    # The whole path, or its end where a mirror or a proxy puts its own folder before.
    return _by_image().get("/".join(parts)) or _by_image().get("/".join(parts[-2:]))


@cache
def _by_image() -> Mapping[str, Operator]:
    return {image: known for known in operators() for image in known.images}


@cache
def of_kind(group: str, kind: str) -> Operator | None:
    """The operator that custom resources of that kind belong to."""
    return next((known for known in operators() if known.knows(group, kind)), None)


def made_by(group: str, data: Mapping[str, Any], namespace: str = "") -> Iterator[Made]:
    """What that custom resource makes; `namespace` is its operator's."""
    kind = str(data.get("kind", ""))
    known = of_kind(group, kind)
    context = {**data, "operator": namespace or (known.namespace if known else "")}
    for makes in known.makes if known else ():
        if (makes.group, makes.by) != (group, kind):
            continue
        spaces = list(fill(makes.namespace, context)) or [""]
        address = next(fill(makes.address, context), "") if makes.address else ""
        for name in dict.fromkeys(fill(makes.name, context)):
            yield Made(makes.kind, spaces[0], name, makes.keys, address, makes.when_ready)


# -- templates


def fill(template: str, context: Mapping[str, Any]) -> Iterator[str]:
    """Every text that the template gives; none where a path leads nowhere."""
    fields = _FIELD.findall(template)
    choices = [list(_alternatives(one, context)) for one in fields]
    pieces = _FIELD.split(template)[::2]
    for chosen in product(*choices):
        yield "".join(text for pair in zip(pieces, (*chosen, ""), strict=True) for text in pair)


def _alternatives(written: str, context: Mapping[str, Any]) -> list[str]:
    for part in written.split("|"):
        if part.startswith("'"):
            return [part.strip("'")]
        if found := [str(v) for v in _walk(context, part.split(".")) if v not in {None, ""}]:
            return found
    return []


def _walk(value: Any, path: list[str]) -> Iterator[Any]:
    if not path:
        if not isinstance(value, (Mapping, list)):
            yield value
        return
    head, rest = path[0], path[1:]
    if head == "*":
        items: Iterable[Any] = value if isinstance(value, (list, Mapping)) else ()
        for item in items:
            yield from _walk(item, rest)
    elif isinstance(value, Mapping) and head in value:
        yield from _walk(value[head], rest)


def value_at(values: Mapping[str, Any], path: str) -> Any:
    found: Any = values
    for part in path.split("."):
        if not isinstance(found, Mapping) or part not in found:
            return None
        found = found[part]
    return found


def in_range(version: str, since: str, before: str) -> bool:
    """Whether a version lies in a range; one that cannot be read does."""
    numbers = _numbers(version)
    if not numbers:
        return True
    return (not since or numbers >= _numbers(since)) and (not before or numbers < _numbers(before))


def _numbers(version: str) -> tuple[int, ...]:
    found = re.match(r"v?(\d+(?:\.\d+)*)$", version.partition("-")[0].partition("+")[0])
    return tuple(int(part) for part in found[1].split(".")) if found else ()


# -- reading the files


@dataclass
class _Reader:
    """Takes fields out of a mapping, and complains about those that nobody took."""

    data: Mapping[str, Any]
    taken: set[str] = field(default_factory=set)

    def text(self, key: str, default: str = "") -> str:
        self.taken.add(key)
        return str(self.data.get(key, default))

    def flag(self, key: str, default: bool = False) -> bool:
        self.taken.add(key)
        return bool(self.data.get(key, default))

    def texts(self, key: str) -> tuple[str, ...]:
        self.taken.add(key)
        return tuple(str(item) for item in self.data.get(key) or ())

    def mapping(self, key: str) -> Mapping[str, Any]:
        self.taken.add(key)
        return self.data.get(key) or {}

    def each(self, key: str) -> Iterator["_Reader"]:
        self.taken.add(key)
        for item in self.data.get(key) or ():
            yield _Reader({"name": item} if isinstance(item, str) else item)

    def when(self) -> When:
        return When(
            self.texts("only_if"),
            self.texts("unless"),
            self.texts("unless_false"),
            self.text("since"),
            self.text("before"),
        )

    def done(self) -> None:
        if unknown := set(self.data) - self.taken:
            raise ValueError(f"unknown fields: {', '.join(sorted(unknown))}")


def _operator(name: str, data: Mapping[str, Any]) -> Operator:
    reader = _Reader(data)
    found = Operator(
        name=name,
        title=reader.text("title"),
        read=reader.texts("read"),
        charts=tuple(Chart(one.text("name"), one.texts("from")) for one in reader.each("charts")),
        images=reader.texts("images"),
        namespace=reader.text("namespace"),
        complete=reader.flag("complete"),
        crds=tuple(map(_crds, reader.each("crds"))),
        workloads=tuple(map(_workload, reader.each("workloads"))),
        webhooks=tuple(map(_webhook, reader.each("webhooks"))),
        ingress_classes=tuple(map(_named, reader.each("ingress_classes"))),
        storage_classes=tuple(map(_named, reader.each("storage_classes"))),
        secrets=tuple(map(_named, reader.each("secrets"))),
        resources=tuple(map(_named, reader.each("resources"))),
        gateway_controllers=reader.texts("gateway_controllers"),
        provisioners=reader.texts("provisioners"),
        address_pools=reader.texts("address_pools"),
        makes=tuple(map(_makes, reader.each("makes"))),
        reads=tuple(map(_reads, reader.each("reads"))),
        unready=reader.texts("unready"),
    )
    reader.done()
    return found


def _named(reader: _Reader) -> Named:
    found = Named(reader.text("name"), reader.when(), reader.texts("keys"), reader.text("type"), reader.text("kind"))
    reader.done()
    return found


def _crds(reader: _Reader) -> Crds:
    found = Crds(reader.text("group"), reader.texts("kinds"), reader.flag("folder"), reader.when())
    reader.done()
    return found


def _workload(reader: _Reader) -> Workload:
    found = Workload(
        name=reader.text("name"),
        kind=reader.text("kind", "Deployment"),
        image=reader.text("image"),
        secrets=tuple(map(_named, reader.each("secrets"))),
        services=tuple(map(_named, reader.each("services"))),
        labels={str(key): str(value) for key, value in reader.mapping("labels").items()},
        when=reader.when(),
    )
    reader.done()
    return found


def _webhook(reader: _Reader) -> Webhook:
    namespaces = _Reader(reader.mapping("namespaces"))
    found = Webhook(
        name=reader.text("name"),
        mutating=reader.flag("mutating"),
        fails=reader.flag("fails", default=True),
        kinds={str(group): tuple(map(str, kinds)) for group, kinds in reader.mapping("kinds").items()},
        operations=reader.texts("operations") or ("CREATE", "UPDATE"),
        service=reader.text("service"),
        only=namespaces.texts("only"),
        but=namespaces.texts("not"),
        policy=reader.text("policy"),
        runtime=reader.flag("runtime"),
        certificate=reader.flag("certificate"),
        when=reader.when(),
    )
    namespaces.done()
    reader.done()
    return found


def _makes(reader: _Reader) -> Makes:
    group, _, by = reader.text("by").rpartition("/")
    keys = reader.texts("keys")
    found = Makes(
        group,
        by,
        kind=reader.text("kind"),
        name=reader.text("name"),
        namespace=reader.text("namespace", "{metadata.namespace}"),
        keys=keys if "keys" in reader.data else None,
        address=reader.text("address"),
        when_ready=reader.flag("when_ready"),
    )
    reader.done()
    return found


def _reads(reader: _Reader) -> Reads:
    group, _, by = reader.text("by").rpartition("/")
    found = Reads(
        group,
        by,
        reader.text("kind"),
        reader.text("name"),
        reader.text("namespace", "{metadata.namespace}"),
        reader.text("key"),
    )
    reader.done()
    return found
