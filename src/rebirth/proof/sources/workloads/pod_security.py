"""Pod Security: what pods ask for, against what their namespace allows."""

from collections.abc import Iterator, Mapping
from typing import Any

from rebirth.proof.charts import knowledge
from rebirth.proof.graph import Graph
from rebirth.proof.reading import pods
from rebirth.proof.reading.manifest import Manifest, Model
from rebirth.proof.things import Atomicity

LABEL = "pod-security.kubernetes.io/enforce"
_EXEMPT = {"kube-system"}  # by what Talos sets
_BASELINE_CAPABILITIES = {
    "AUDIT_WRITE", "CHOWN", "DAC_OVERRIDE", "FOWNER", "FSETID", "KILL", "MKNOD", "NET_BIND_SERVICE", "SETFCAP", "SETGID",
    "SETPCAP", "SETUID", "SYS_CHROOT",
}  # fmt: skip


# What makes Tailscale's operator run a proxy that is privileged (cmd/k8s-operator 1.90, svc.go and deploy/manifests/proxy.yaml).
_LEADS_OUT = ("tailscale.com/tailnet-fqdn", "tailscale.com/tailnet-ip")
_EXPOSES, _SHARED, _CLASS = "tailscale.com/expose", "tailscale.com/proxy-group", "tailscale"


def read(model: Model, graph: Graph) -> None:
    levels = _levels(model)
    for found in pods.every(model):
        level = _level(model, levels, found.namespace)
        if level is None:
            continue
        for what, path in _asked(found, level):
            wanted = "privileged" if level == "baseline" or what not in _RESTRICTED_ONLY else "baseline"
            words = (
                f"{found.thing.label} has {what}, which the pod security level of namespace {found.namespace} rejects"
            )
            graph.remark(
                "pod-security", found.place(*path), words, found.thing,
                level=level, namespace=found.namespace, wanted=wanted,
            )  # fmt: skip
            break

    _proxies(model, graph, levels)


def _level(model: Model, levels: Mapping[str, str], namespace: str) -> str | None:
    """The level that rejects something there. Talos enforces baseline on every namespace without a label."""
    default = "baseline" if model.castle and namespace not in _EXEMPT else "privileged"
    level = levels.get(namespace, default)
    return level if level in {"baseline", "restricted"} else None


def _proxies(model: Model, graph: Graph, levels: Mapping[str, str]) -> None:
    """The Tailscale operator runs a proxy in its own namespace for each Service that leads out of the cluster or into it.

    A ProxyClass may take its privileges away: where there is one, nothing is said.
    """
    if any(model.objects("ProxyClass")):
        return
    namespaces = {found.namespace for found in pods.every(model) if _is_operator(found)}
    for namespace in sorted(namespaces):
        if (level := _level(model, levels, namespace)) is None:
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
                level=level, namespace=namespace, wanted="privileged",
            )  # fmt: skip


def _is_operator(found: pods.Pods) -> bool:
    known = (knowledge.of_image(str(container.get("image", ""))) for _, _, container in found.containers(init=False))
    return any(operator and operator.name == "tailscale-operator" for operator in known)


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


_RESTRICTED_ONLY = frozenset({"a container that may run as root", "privilege escalation"})


def _asked(found: pods.Pods, level: str) -> Iterator[tuple[str, tuple[str | int, ...]]]:
    """What the level rejects: words, and the path in the pod's spec."""
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
    if level == "restricted":
        if context.get("allowPrivilegeEscalation") is True:
            yield "privilege escalation", (*path, "allowPrivilegeEscalation")
        if context.get("runAsNonRoot") is False or context.get("runAsUser") == 0:
            yield "a container that may run as root", path


def _list(value: object) -> list[Any]:
    return value if isinstance(value, list) else []
