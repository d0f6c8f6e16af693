"""Admission webhooks: what they match is rejected until their server answers, where the failure policy is Fail.

`webhook <name>` ADMITS needs its Service, and its certificate. Read after all other sources: what has to be there before a
configuration exists is never asked to pass it.
"""

from collections import defaultdict
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from functools import cache
from typing import Any

from rebirth.proof.charts import knowledge, kyverno, releases
from rebirth.proof.charts.known_charts import webhook_configuration
from rebirth.proof.graph import Graph
from rebirth.proof.reading import flux, pods, scopes, selectors
from rebirth.proof.reading.manifest import Manifest, Model, Unit, thing
from rebirth.proof.reading.scopes import is_custom, kind_of
from rebirth.proof.things import Atomicity, Milestone, Need, Place, Scope, Thing

_KINDS = ("ValidatingWebhookConfiguration", "MutatingWebhookConfiguration")
_RUNNING = Scope.FIRST_BOOT | Scope.COLD_RESTART
_INJECT = "cert-manager.io/inject-ca-from"
_Before = Callable[[Thing], set[Thing]]
_NAME = "kubernetes.io/metadata.name"  # the label with its own name that every namespace has


@dataclass(frozen=True, slots=True, eq=False)
class Hook:
    """One webhook whose failure policy is Fail."""

    name: str
    data: Mapping[str, Any]
    manifest: Manifest
    index: int
    unit: Unit | None  # that brings its configuration; None: its operator makes it once it runs
    after: Thing  # when this is true, its configuration is there

    @property
    def admits(self) -> Thing:
        return Thing("webhook", "", self.name, Milestone.ADMITS)

    @property
    def place(self) -> Place:
        return self.manifest.place("webhooks", self.index, "clientConfig")

    @property
    def service(self) -> Thing | None:
        found = self.data.get("clientConfig")
        service = found.get("service") if isinstance(found, Mapping) else None
        if not isinstance(service, Mapping):
            return None
        return thing("Service", str(service.get("namespace")), str(service.get("name")), Milestone.SERVES)


def read(model: Model, graph: Graph) -> None:
    hooks = [hook for hook in _hooks(model) if _serves(model, hook, graph)]
    if not hooks:
        return
    kinds: dict[tuple[str, str], list[tuple[Manifest, Unit]]] = defaultdict(list)
    for member, unit in model.objects():
        if not flux.is_left_out(member):
            kinds[member.group, member.kind].append((member, unit))
    plurals, namespaces = _plurals(model), _namespaces(model)
    before = cache(graph.before)
    for hook in hooks:
        matcher = _Matcher(hook, plurals, namespaces)
        _members(hook, kinds, matcher, before, graph)
        if matcher.pods:
            for found in pods.every(model):
                _pods(hook, found, matcher, before, graph)


def _hooks(model: Model) -> Iterator[Hook]:
    for member, unit in model.objects(*_KINDS):
        for index, data in enumerate(member.items("webhooks")):
            if isinstance(data, Mapping) and data.get("failurePolicy", "Fail") == "Fail":
                yield Hook(str(data.get("name")), data, member, index, unit, member.thing())
    seen = set()
    for found in pods.every(model):
        annotations = found.manifest.at(*found.path, "metadata", "annotations")
        name = str((annotations or {}).get(releases.OPERATOR, "")) if isinstance(annotations, Mapping) else ""
        known = next((one for one in knowledge.operators() if one.name == name), None)
        if known is None or name in seen:
            continue
        seen.add(name)
        for webhook in known.webhooks:
            if webhook.runtime and webhook.fails:
                yield _runtime(webhook, found)
        if name == kyverno.NAME and (data := kyverno.configuration(model, found)):
            yield _made(data, found)


def _runtime(webhook: knowledge.Webhook, found: pods.Pods) -> Hook:
    """A webhook that its operator registers itself."""
    own = found.unit.own
    release = own.name if own else ""
    service = next(
        (m.name for m in found.unit.members if (m.kind == "Service" and m.name == webhook.service)
         or (m.kind == "Service" and webhook.service.endswith("-svc") and m.name.endswith("-svc"))), webhook.service,
    )  # fmt: skip
    data = webhook_configuration(webhook, found.namespace, service, {"namespace": found.namespace, "release": release})
    return _made(data, found)


def _made(data: Mapping[str, Any], found: pods.Pods) -> Hook:
    manifest = Manifest(data, found.manifest.file, found.manifest.line, found.manifest.prefix)
    return Hook(str(data["webhooks"][0]["name"]), data["webhooks"][0], manifest, 0, None, found.thing)


def _serves(model: Model, hook: Hook, graph: Graph) -> bool:
    """Enters what the webhook itself needs; False where nothing is known of its server."""
    service = hook.service
    if service is None or not model.find("Service", service.namespace, service.name):
        return False
    graph.where.setdefault(hook.admits, hook.manifest.place("webhooks", hook.index, "name"))
    graph.needs(hook.admits, service, Need.SERVICE, hook.place, scope=_RUNNING)
    written = str(hook.manifest.annotations.get(_INJECT) or "")
    space, _, name = written.partition("/")
    if name:
        place = hook.manifest.place("metadata", "annotations", _INJECT)
        signed = thing("Certificate", space, name, Milestone.READY)
        if model.find("Certificate", space, name):
            graph.needs(hook.admits, signed, Need.CERTIFICATE, place)
        injector = next((one for one in knowledge.operators() if one.name == "cert-manager"), None)
        if injector:
            graph.needs(hook.admits, injector.thing, Need.CERTIFICATE, place, "cert-manager injects its CA")
    return True


def _members(
    hook: Hook, kinds: Mapping[tuple[str, str], list[tuple[Manifest, Unit]]], matcher: "_Matcher", before: _Before,
    graph: Graph,
) -> None:  # fmt: skip
    """One edge a unit: if the first of its objects that the webhook matches is rejected, all of it is."""
    told: set[int] = set()
    for kind, members in kinds.items():
        if not matcher.is_asked(*kind):
            continue
        for member, unit in members:
            if id(unit) in told or not matcher.matches(member):
                continue
            if unit is hook.unit:
                if not _comes_after(unit, member, hook.manifest):
                    continue
            elif {unit.applied, unit.ready} & before(hook.after):
                continue
            told.add(id(unit))
            words = f"{hook.manifest.kind} {hook.manifest.name} has to admit {member.kind} {member.name}"
            graph.needs(unit.applied, hook.admits, Need.WEBHOOK, member.place("metadata", "name"), words)


def _comes_after(unit: Unit, member: Manifest, configuration: Manifest) -> bool:
    """Whether, in one unit, a member is applied when the webhook's configuration already is.

    Flux applies configurations of webhooks last. Helm 4, which Flux has, applies all kinds that it does not know after them;
    Helm 3 sorts those kinds, and the configurations with them, by name.
    """
    if unit.atomicity is not Atomicity.HELM or releases.hooks(member) or releases.hooks(configuration):
        return False
    if unit.own is not None and unit.own.kind == "HelmRelease":
        return is_custom(member.group)
    return is_custom(member.group) and member.kind > configuration.kind


def _pods(hook: Hook, found: pods.Pods, matcher: "_Matcher", before: _Before, graph: Graph) -> None:
    if not found.replicas or not matcher.matches_pods(found):
        return
    scope = Scope.COLD_RESTART
    if found.unit is not hook.unit and not {found.thing, found.unit.applied, found.unit.ready} & before(hook.after):
        scope |= Scope.FIRST_BOOT
    if hook.unit is None and found.thing == hook.after:
        scope = Scope.COLD_RESTART
    words = f"{hook.manifest.kind} {hook.manifest.name} has to admit its pods"
    graph.needs(found.thing, hook.admits, Need.WEBHOOK, found.manifest.place("metadata", "name"), words, scope=scope)


# -- what a webhook matches


class _Matcher:
    def __init__(
        self, hook: Hook, plurals: Mapping[tuple[str, str], str], namespaces: Mapping[str, Mapping[str, Any]]
    ) -> None:
        self.data, self.plurals, self.namespaces = hook.data, plurals, namespaces
        rules = hook.data.get("rules")
        self.rules = [rule for rule in rules if isinstance(rule, Mapping)] if isinstance(rules, list) else []
        # A condition in CEL may leave out anything: it is not read, so nothing is claimed of it.
        self.unread = bool(hook.data.get("matchConditions"))
        self.pods = self.is_asked("", "Pod")

    def is_asked(self, group: str, kind: str) -> bool:
        """Whether the API server asks for objects of that kind at all."""
        return not self.unread and any(self._rule(rule, group, kind) for rule in self.rules)

    def matches(self, member: Manifest) -> bool:
        return self._namespace(member.namespace) and selectors.selects(self.data.get("objectSelector"), member.labels)

    def matches_pods(self, found: pods.Pods) -> bool:
        return self._namespace(found.namespace) and selectors.selects(self.data.get("objectSelector"), found.labels)

    def _rule(self, rule: Mapping[str, Any], group: str, kind: str) -> bool:
        operations = _texts(rule.get("operations"))
        if not {"*", "CREATE"} & operations or not {"*", group} & _texts(rule.get("apiGroups")):
            return False
        if "rebirth/kinds" in rule:
            return bool({"*", kind} & _texts(rule["rebirth/kinds"]))
        return bool({"*", "*/*", self._plural(group, kind)} & _texts(rule.get("resources")))

    def _plural(self, group: str, kind: str) -> str:
        return self.plurals.get((group, kind)) or scopes.plural(kind)

    def _namespace(self, name: str) -> bool:
        if not name:
            return True  # what stands in no namespace is not selected by one
        return selectors.selects(self.data.get("namespaceSelector"), {**self.namespaces.get(name, {}), _NAME: name})


def _plurals(model: Model) -> dict[tuple[str, str], str]:
    found = {}
    for member, _ in model.objects("CustomResourceDefinition"):
        if isinstance(name := member.at("spec", "names", "plural"), str):
            found[kind_of(member)] = name
    return found


def _namespaces(model: Model) -> dict[str, Mapping[str, Any]]:
    return {member.name: member.labels for member, _ in model.objects("Namespace")}


def _texts(value: object) -> set[str]:
    return {str(item) for item in value} if isinstance(value, list) else set()
