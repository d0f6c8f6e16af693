"""What holds a pod back, in the words of the scheduler and the kubelet (Kubernetes 1.35). Pure functions over objects.

Copied from: pkg/kubelet/kubelet_pods.go (makeEnvironmentVariables), pkg/volume/{secret,configmap,projected} (their MakePayload),
pkg/scheduler/framework/plugins/volumebinding.
"""

from collections.abc import Iterator, Mapping
from typing import Any, NamedTuple, Protocol

from rebirth.paper.api.client import Object

OPEN = "rebirth.dev/any-key"  # annotation: nobody knows which keys it will have, so it has whichever is asked for


class Keys(NamedTuple):
    """The keys of a Secret or ConfigMap."""

    texts: frozenset[str]
    all: frozenset[str]  # with those of binaryData
    open: bool = False

    def has(self, key: str, *, as_text: bool) -> bool:
        return self.open or key in (self.texts if as_text else self.all)


class There(Protocol):
    """What exists in a namespace."""

    def keys(self, kind: str, name: str) -> Keys | None:
        """Of a Secret or ConfigMap; None where there is none."""
        ...

    def claim(self, name: str) -> Object | None: ...


def keys_of(item: Object) -> Keys:
    texts = frozenset(item.get("data") or {})
    annotations = item["metadata"].get("annotations") or {}
    return Keys(texts, texts | frozenset(item.get("binaryData") or {}), OPEN in annotations)


def claims(pod: Object) -> list[str]:
    """The names of the claims that it mounts; those of ephemeral volumes are made by the controller manager."""
    found = []
    for volume in pod["spec"].get("volumes") or []:
        if name := (volume.get("persistentVolumeClaim") or {}).get("claimName"):
            found.append(name)
        elif "ephemeral" in volume:
            found.append(f"{pod['metadata']['name']}-{volume['name']}")
    return found


def unbound(pod: Object, there: There) -> str:
    """Why the scheduler does not bind it yet; "" where nothing holds it back."""
    for name in claims(pod):
        claim = there.claim(name)
        if claim is None:
            return f'persistentvolumeclaim "{name}" not found'
        phase = (claim.get("status") or {}).get("phase")
        if phase == "Lost":
            return f'persistentvolumeclaim "{name}" bound to non-existent persistentvolume "{claim["spec"].get("volumeName")}"'
        if phase != "Bound":
            return "pod has unbound immediate PersistentVolumeClaims"
    return ""


def unmounted(pod: Object, there: There) -> str:
    """Why its volumes cannot be set up: no container is created before they are."""
    for volume in pod["spec"].get("volumes") or []:
        sources = [volume, *((volume.get("projected") or {}).get("sources") or [])]
        for why in (_unmounted(source, there) for source in sources):
            if why:
                return f'MountVolume.SetUp failed for volume "{volume["name"]}" : {why}'
    return ""


def _unmounted(source: Mapping[str, Any], there: There) -> str:
    for field, kind, no_key in (
        ("secret", "Secret", "references non-existent secret key"),
        ("configMap", "ConfigMap", "configmap references non-existent config key"),
    ):
        named = source.get(field) or {}
        name = named.get("secretName") or named.get("name")
        if not name or named.get("optional"):
            continue
        keys = there.keys(kind, name)
        if keys is None:
            return f'{kind.lower()} "{name}" not found'
        for item in named.get("items") or []:
            if not keys.has(item["key"], as_text=False):
                return f"{no_key}: {item['key']}"
    return ""


def unset(container: Mapping[str, Any], namespace: str, there: There) -> str:
    """Why its environment cannot be made: what the kubelet says as CreateContainerConfigError."""
    for kind, name, key, optional in _environment(container):
        keys = there.keys(kind, name)
        if keys is None and not optional:
            return f'{kind.lower()} "{name}" not found'
        if keys is not None and key and not optional and not keys.has(key, as_text=True):
            return f"couldn't find key {key} in {kind} {namespace}/{name}"
    return ""


def _environment(container: Mapping[str, Any]) -> Iterator[tuple[str, str, str, bool]]:
    """Kind, name, key ("" for all) and whether it may be missing, in the order in which the kubelet reads them."""
    listed = [(entry, "configMapRef", "secretRef") for entry in container.get("envFrom") or []]
    listed += [
        (entry.get("valueFrom") or {}, "configMapKeyRef", "secretKeyRef") for entry in container.get("env") or []
    ]
    for entry, of_config_map, of_secret in listed:
        for field, kind in ((of_config_map, "ConfigMap"), (of_secret, "Secret")):
            if named := entry.get(field):
                yield kind, named.get("name", ""), named.get("key", ""), bool(named.get("optional"))


def wanted_labels(pod: Object, nodes: Mapping[str, Mapping[str, str]]) -> str:
    """The labels of nodes that it asks for and none has, as it writes them; "" where a node has them all.

    `nodes` are labels by name. Where it names nodes by their fields, as those of a DaemonSet do, nothing is missing.
    """
    selector = pod["spec"].get("nodeSelector") or {}
    required = ((pod["spec"].get("affinity") or {}).get("nodeAffinity") or {}).get(
        "requiredDuringSchedulingIgnoredDuringExecution"
    ) or {}
    terms = required.get("nodeSelectorTerms") or [{}]
    for labels in nodes.values():
        if selector.items() <= labels.items() and any(_fits(term, labels) for term in terms):
            return ""
    wanted = [f"{key}={value}" for key, value in selector.items()]
    wanted += [
        " ".join([one["key"], one["operator"], *map(str, one.get("values") or [])])
        for term in terms
        for one in term.get("matchExpressions") or []
    ]
    return ", ".join(dict.fromkeys(wanted))


def _fits(term: Mapping[str, Any], labels: Mapping[str, str]) -> bool:
    return all(holds(one, labels) for one in term.get("matchExpressions") or [])


def holds(one: Mapping[str, Any], labels: Mapping[str, str]) -> bool:
    """Whether an expression of a selector fits these labels."""
    value, values = labels.get(one["key"]), one.get("values") or []
    answers = {
        "In": value in values,
        "NotIn": value not in values,
        "Exists": value is not None,
        "DoesNotExist": value is None,
    }
    return answers.get(one["operator"], True)  # Gt and Lt compare numbers that only real nodes have
