"""Machines and volumes: what everything else runs on. The words are those of Kubernetes 1.35."""

from collections.abc import Iterator

from rebirth.diagnosis.cause import Cause, Outlook
from rebirth.diagnosis.named import said
from rebirth.diagnosis.search import Search
from rebirth.diagnosis.wanted import Key, Object
from rebirth.providers.cluster import condition

_NO_NETWORK = "network not ready"  # containerd's and CRI-O's word, which the kubelet passes on
_WAITS_FOR_POD = "WaitForFirstConsumer"  # of a StorageClass
_DEFAULT = "storageclass.kubernetes.io/is-default-class"
_CLASSES = "StorageClass"


def node(search: Search, key: Key, item: Object) -> Iterator[Cause]:
    status, message = condition(item)
    if status == "True":
        return
    # A network that pods of the host bring is what a kubelet without one waits for.
    bringers = search.kinds("DaemonSet") if status == "False" and _NO_NETWORK in message.lower() else ()
    below = [cause for one, there in bringers if _of_host(there) for cause in search.of(one)]
    yield from below or said(search, key, f"is not Ready: {message}", Outlook.STUCK)


def claim(search: Search, key: Key, item: Object) -> Iterator[Cause]:
    if (item.get("status") or {}).get("phase") == "Bound":
        return
    spec, classes = item.get("spec") or {}, dict(search.kinds(_CLASSES))
    name = spec.get("storageClassName")
    kind = classes.get((_CLASSES, "", name or ""), {})
    if kind.get("volumeBindingMode") == _WAITS_FOR_POD and not _is_used(search, key):
        return
    words = f"no volume yet (storage class: {name or 'the default'})"
    if name and search.is_absent((_CLASSES, "", name)):
        yield from search.missing((_CLASSES, "", name), "claims ask for it")
    elif name is None and classes and not any(_is_default(one) for one in classes.values()):
        yield Cause(key, f"{words}: it names no storage class, and none is the default", Outlook.STUCK)
    else:
        why = search.said(key) or search.said(key, "ExternalProvisioning", "FailedBinding")
        yield from said(search, key, f"{words}{why and f': {why}'}", Outlook.STUCK)


STEPS = {"Node": node, "PersistentVolumeClaim": claim}


def _of_host(workload: Object) -> bool:
    template = ((workload.get("spec") or {}).get("template") or {}).get("spec") or {}
    return bool(template.get("hostNetwork"))


def _is_used(search: Search, key: Key) -> bool:
    return any(
        (volume.get("persistentVolumeClaim") or {}).get("claimName") == key[2]
        for one, pod in search.kinds("Pod")
        if one[1] == key[1]
        for volume in (pod.get("spec") or {}).get("volumes") or []
    )


def _is_default(storage_class: Object) -> bool:
    return bool((storage_class["metadata"].get("annotations") or {}).get(_DEFAULT) == "true")
