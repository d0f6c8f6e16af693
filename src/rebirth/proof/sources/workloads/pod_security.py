"""Pod Security: what pods ask for, against what their namespace allows."""

from collections.abc import Iterator, Mapping
from typing import Any

from rebirth.proof.charts import knowledge, releases
from rebirth.proof.graph import Graph
from rebirth.proof.reading import pods
from rebirth.proof.reading.machines.admission import admission
from rebirth.proof.reading.manifest import Manifest, Model, texts
from rebirth.proof.things import Atomicity, Need, Place

_POLICIES = ("ClusterPolicy", "Policy")  # Kyverno's
LABEL = "pod-security.kubernetes.io/enforce"
_BASELINE_CAPABILITIES = {
    "AUDIT_WRITE", "CHOWN", "DAC_OVERRIDE", "FOWNER", "FSETID", "KILL", "MKNOD", "NET_BIND_SERVICE", "SETFCAP", "SETGID",
    "SETPCAP", "SETUID", "SYS_CHROOT",
}  # fmt: skip


# What makes Tailscale's operator run a proxy that is privileged (cmd/k8s-operator 1.90, svc.go and deploy/manifests/proxy.yaml).
_LEADS_OUT = ("tailscale.com/tailnet-fqdn", "tailscale.com/tailnet-ip")
_EXPOSES, _SHARED, _CLASS = "tailscale.com/expose", "tailscale.com/proxy-group", "tailscale"


def read(model: Model, graph: Graph) -> None:
    levels = _Levels(model)
    for found in pods.every(model):
        level = levels.of(found.namespace)
        if level is None:
            continue
        for what, path in _asked(found, level, mutated=levels.mutated):
            wanted = "baseline" if level == "restricted" and what in _RESTRICTED_ONLY else "privileged"
            words = (
                f"{found.thing.label} has {what}, which the pod security level of namespace {found.namespace} rejects"
            )
            graph.remark(
                "pod-security", _where(model, found, path), words, found.thing,
                level=level, namespace=found.namespace, wanted=wanted, operator="",
            )  # fmt: skip
            break

    _proxies(model, graph, levels)
    _of_operators(model, graph, levels)
    _helpers(model, graph, levels)


def _where(model: Model, found: pods.Pods, path: tuple[str | int, ...]) -> Place:
    """Where it is fixed: what a chart's pods ask for is not written here, so at the namespace."""
    at = _of_namespace(model, found.namespace) if found.unit.atomicity is Atomicity.HELM else None
    return at or found.place(*path)


def _of_namespace(model: Model, namespace: str) -> Place | None:
    for member, _ in model.find("Namespace", "", namespace):
        return member.place("metadata", *(("labels", LABEL) if LABEL in member.labels else ("name",)))
    return None


def _of_operators(model: Model, graph: Graph, levels: "_Levels") -> None:
    """Pods that operators run for a custom resource, of which it is known that they are privileged."""
    running = {known.name: found.namespace for found in pods.every(model) for known in _operators(found)}
    for member, _ in model.objects():
        known = knowledge.of_kind(member.group, member.kind)
        if known is None or known.name not in running or not any(makes.privileged for makes in known.makes):
            continue
        for made in knowledge.made_by(member.group, member.data, running[known.name]):
            level = levels.of(made.namespace) if made.privileged else None
            if level is not None:
                words = (
                    f"{member.thing().label} makes {known.title} run the privileged pods of {made.kind} {made.name}, which the pod "
                    f"security level of namespace {made.namespace} rejects"
                )
                graph.remark(
                    "pod-security", _of_namespace(model, made.namespace) or member.place("metadata", "name"), words, member.thing(),
                    level=level, namespace=made.namespace, wanted="privileged", operator=known.name,
                )  # fmt: skip
                break


def _helpers(model: Model, graph: Graph, levels: "_Levels") -> None:
    """Pods that a provisioner runs on the machine of each of its volumes, to make a folder there; where somebody has such a volume."""
    running = {
        known.name: (known, found) for found in pods.every(model) for known in _operators(found) if known.helpers
    }
    for known, found in running.values():
        level = levels.of(found.namespace)
        if level is None or not _provides(model, graph, known, found.unit.own):
            continue
        words = (
            f"{known.title} runs a pod with a host path for each of its volumes, which the pod security level of namespace "
            f"{found.namespace} rejects"
        )
        graph.remark(
            "pod-security", _of_namespace(model, found.namespace) or found.manifest.place("metadata", "name"), words, found.thing,
            level=level, namespace=found.namespace, wanted="privileged", operator=known.name,
        )  # fmt: skip


def _provides(model: Model, graph: Graph, known: knowledge.Operator, own: Manifest | None) -> bool:
    """Whether somebody has a volume of a class that it serves, or names one in a chart's values."""
    classes = {
        thing.name
        for thing, edges in graph.edges.items()
        if thing.kind == "StorageClass" and any(edge.needs == known.thing for edge in edges)
    }
    if any(edge.need is Need.STORAGE and edge.needs.name in classes for edge in graph.all_edges()):
        return True
    others = (member for member, _ in model.objects() if member is not own and member.kind != "StorageClass")
    return any(text in classes for member in others for text in texts(member.data))


class _Levels:
    """The level of every namespace."""

    def __init__(self, model: Model) -> None:
        self.model = model
        self.everywhere = admission(model)
        self.said = _levels(model)
        self.mutated = any("mutate" in rule for member, _ in model.objects(*_POLICIES)
                           for rule in member.items("spec", "rules") if isinstance(rule, Mapping))  # fmt: skip

    def of(self, namespace: str) -> str | None:
        """The level that rejects something there. A namespace that is made elsewhere may have a label that no file shows."""
        everywhere = self.everywhere
        if everywhere and namespace in everywhere.exempt:
            return None
        seen = self.model.castle is not None or bool(self.model.find("Namespace", "", namespace))
        level = self.said.get(namespace, everywhere.level if everywhere and seen else "privileged")
        return level if level in {"baseline", "restricted"} else None


def _proxies(model: Model, graph: Graph, levels: _Levels) -> None:
    """The Tailscale operator runs a proxy in its own namespace for each Service that leads out of the cluster or into it.

    A ProxyClass may take its privileges away: where there is one, nothing is said.
    """
    if any(model.objects("ProxyClass")):
        return
    namespaces = {
        found.namespace
        for found in pods.every(model)
        if "tailscale-operator" in {one.name for one in _operators(found)}
    }
    for namespace in sorted(namespaces):
        if (level := levels.of(namespace)) is None:
            continue
        for member, _ in model.objects("Service"):
            if (path := _proxied(member)) is None:
                continue
            words = (
                f"{member.thing().label} makes the Tailscale operator run a privileged proxy, which the pod security level of "
                f"namespace {namespace} rejects"
            )
            graph.remark(
                "pod-security", member.place(*path), words, member.thing(),
                level=level, namespace=namespace, wanted="privileged", operator="tailscale-operator",
            )  # fmt: skip


def _operators(found: pods.Pods) -> Iterator[knowledge.Operator]:
    for _, _, container in found.containers(init=False):
        if known := knowledge.of_image(str(container.get("image", ""))):
            yield known


def _proxied(service: Manifest) -> tuple[str, ...] | None:
    """Where the Service asks for a proxy of its own."""
    if _SHARED in service.annotations:
        return None
    for asked in _LEADS_OUT:
        if asked in service.annotations:
            return "metadata", "annotations", asked
    if service.annotations.get(_EXPOSES) == "true":
        return "metadata", "annotations", _EXPOSES
    return ("spec", "loadBalancerClass") if service.at("spec", "loadBalancerClass") == _CLASS else None


def _levels(model: Model) -> dict[str, str]:
    """The level of each namespace that says one; Flux' word counts more than that of who made it first."""
    found: dict[str, str] = {}
    order = sorted(model.objects("Namespace"), key=lambda pair: pair[1].atomicity is Atomicity.FLUX)
    for member, _ in order:
        if level := member.labels.get(LABEL):
            found[member.name] = str(level)
    return found


_ROOT, _ESCALATION = "a container that may run as root", "privilege escalation"
_SECCOMP, _CAPABILITIES = "a container without a seccomp profile", "a container that drops not ALL capabilities"
_RESTRICTED_ONLY = frozenset({_ROOT, _ESCALATION, _SECCOMP, _CAPABILITIES})
_PROFILES = {"RuntimeDefault", "Localhost"}


def _asked(found: pods.Pods, level: str, *, mutated: bool) -> Iterator[tuple[str, tuple[str | int, ...]]]:
    """What the level rejects: words, and the path in the pod's spec. What a policy may put in (`mutated`) is not missed."""
    for field, words in (
        ("hostNetwork", "host network"),
        ("hostPID", "the host's processes"),
        ("hostIPC", "the host's IPC"),
    ):
        if found.spec.get(field) is True:
            yield words, (field,)
    for index, volume in found.volumes():
        if "hostPath" in volume:
            yield "a host path", ("volumes", index, "hostPath")
    for part, index, container in found.containers():
        for number, port in enumerate(_list(container.get("ports"))):
            if isinstance(port, Mapping) and port.get("hostPort"):
                yield f"host port {port['hostPort']}", (part, index, "ports", number, "hostPort")
        yield from _of_context(container, (part, index, "securityContext"), level)
        if level == "restricted" and not mutated and releases.MADE_UP not in found.labels:
            yield from _lacking(found.spec, container, (part, index))


def _of_context(
    container: Mapping[str, Any], path: tuple[str | int, ...], level: str
) -> Iterator[tuple[str, tuple[str | int, ...]]]:
    context = container.get("securityContext")
    if not isinstance(context, Mapping):
        return
    if context.get("privileged") is True:
        yield "a privileged container", (*path, "privileged")
    capabilities = context.get("capabilities")
    added = capabilities.get("add") if isinstance(capabilities, Mapping) else None
    for capability in _list(added):
        allowed = _BASELINE_CAPABILITIES if level == "baseline" else {"NET_BIND_SERVICE"}
        if str(capability).removeprefix("CAP_") not in allowed:
            yield f"the capability {capability}", (*path, "capabilities", "add")


def _lacking(
    spec: Mapping[str, Any], container: Mapping[str, Any], path: tuple[str | int, ...]
) -> Iterator[tuple[str, tuple[str | int, ...]]]:
    """What `restricted` wants to be said (k8s.io/pod-security-admission, policy): silence is a refusal."""
    own, pod = _mapping(container, "securityContext"), _mapping(spec, "securityContext")
    where = (*path, "securityContext") if own else (*path, "name")
    if own.get("runAsNonRoot", pod.get("runAsNonRoot")) is not True or own.get("runAsUser", pod.get("runAsUser")) == 0:
        yield _ROOT, where
    if own.get("allowPrivilegeEscalation") is not False:
        yield _ESCALATION, where
    if "ALL" not in _list(_mapping(own, "capabilities").get("drop")):
        yield _CAPABILITIES, where
    profile = _mapping(own, "seccompProfile").get("type", _mapping(pod, "seccompProfile").get("type"))
    if profile not in _PROFILES:
        yield _SECCOMP, where


def _mapping(data: Mapping[str, Any], key: str) -> Mapping[str, Any]:
    found = data.get(key)
    return found if isinstance(found, Mapping) else {}


def _list(value: object) -> list[Any]:
    return value if isinstance(value, list) else []
