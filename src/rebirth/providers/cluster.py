"""The Kubernetes API of the castle: server-side apply, reads, watches. Objects are plain mappings, as in their YAML."""

import time
from collections.abc import AsyncIterator, Iterable, Mapping
from contextlib import suppress
from functools import cache
from typing import Any

import httpx2 as httpx  # what lightkube is built on
from lightkube import ApiError, AsyncClient, KubeConfig
from lightkube.core.exceptions import ConfigError, LoadResourceError
from lightkube.core.resource import NamespacedResource
from lightkube.generic_resource import (
    create_global_resource,
    create_namespaced_resource,
)
from lightkube.types import PatchType
from yaml import YAMLError

from rebirth.errors import Broken, NoAnswer, NotYet
from rebirth.place import Place

MANAGER = "rebirth"
_SYSTEM = "Kubernetes"
Object = Mapping[str, Any]
_Kind = Any  # a class that lightkube makes at run time

# Kinds whose plural is not the lower-case kind and an s.
_PLURALS = {"Ingress": "ingresses", "IngressClass": "ingressclasses", "StorageClass": "storageclasses", "NetworkPolicy": "networkpolicies",
            "Endpoints": "endpoints", "ResourceQuota": "resourcequotas", "PriorityClass": "priorityclasses", "HelmRepository": "helmrepositories",
            "GitRepository": "gitrepositories", "L2Advertisement": "l2advertisements"}  # fmt: skip
_GLOBAL = frozenset(
    [
        "Namespace",
        "Node",
        "ClusterRole",
        "ClusterRoleBinding",
        "CustomResourceDefinition",
        "StorageClass",
        "IngressClass",
        "PriorityClass",
        "ClusterSecretStore",
        "ValidatingWebhookConfiguration",
        "MutatingWebhookConfiguration",
        "PersistentVolume",
        "APIService",
    ]
)


@cache
def kind_of(api_version: str, kind: str) -> _Kind:
    """Lightkube's resource for a kind."""
    group, _, version = api_version.rpartition("/")
    plural = _PLURALS.get(kind, f"{kind.lower()}s")
    if kind in _GLOBAL:
        return create_global_resource(group, version, kind, plural)
    return create_namespaced_resource(group, version, kind, plural)


class Cluster:
    """One cluster, with the admin's rights."""

    def __init__(self, *, place: Place) -> None:
        try:
            self._config = KubeConfig.from_file(str(place.kubeconfig))
        except (OSError, ValueError, TypeError, AttributeError, LookupError, YAMLError, ConfigError):
            hint = "Remove that file: `rebirth create` writes it again."
            text = f"{place.kubeconfig} is no kubeconfig"
            raise Broken(text, system=_SYSTEM, operation="connect", hint=hint) from None
        self._api = AsyncClient(config=self._config, field_manager=MANAGER, timeout=httpx.Timeout(20, read=30))

    async def close(self) -> None:
        with suppress(RuntimeError):
            await self._api.close()

    async def ready(self) -> None:
        """Raises NotYet until the API server answers and has made the namespace of the system."""
        if await self.find("v1", "Namespace", "kube-system") is None:
            raise NotYet("the API server has not made kube-system yet")

    async def apply(self, *objects: Object) -> None:
        """Server-side apply, in order, as the field manager `rebirth`; what others own of the same fields is taken."""
        for item in objects:
            await self._patch(item, dry_run=False)

    async def admits(self, item: Object) -> None:
        """Whether the API server, with its webhooks, would take the object: a server-side dry run. Raises NotYet or Broken."""
        await self._patch(item, dry_run=True)

    async def _patch(self, item: Object, *, dry_run: bool) -> None:
        meta = item["metadata"]
        name, namespace = meta["name"], meta.get("namespace")
        resource = kind_of(item["apiVersion"], item["kind"])
        what = f"{'admit' if dry_run else 'apply'} {item['kind']} {namespace + '/' if namespace else ''}{name}"
        options: dict[str, Any] = {
            "patch_type": PatchType.APPLY,
            "field_manager": MANAGER,
            "force": True,
            "dry_run": dry_run,
        }
        if issubclass(resource, NamespacedResource):
            options["namespace"] = namespace
        await self._ask(what, self._api.patch(resource, name, dict(item), **options))

    async def find(self, api_version: str, kind: str, name: str, namespace: str | None = None) -> dict[str, Any] | None:
        """The object, or None."""
        resource = kind_of(api_version, kind)
        options = {"namespace": namespace} if namespace else {}
        try:
            found = await self._ask(f"get {kind} {name}", self._api.get(resource, name, **options))
        except Broken as error:
            if error.status == 404:
                return None
            raise
        return found.to_dict()  # type: ignore[no-any-return]

    async def all(self, api_version: str, kind: str, namespace: str | None = None) -> list[dict[str, Any]]:
        """Every object of a kind, in one namespace or in all; none where the kind is not known yet."""
        resource = kind_of(api_version, kind)
        options: dict[str, Any] = {} if kind in _GLOBAL else {"namespace": namespace or "*"}
        try:
            found = [item.to_dict() async for item in self._api.list(resource, **options)]
        except ApiError as error:
            if error.status.code == 404:
                return []
            raise self._translated(error, f"list {kind}", "") from None
        except httpx.HTTPError as error:
            raise NoAnswer(f"{_SYSTEM}: list {kind}: {type(error).__name__}") from None
        return found

    async def merge(self, api_version: str, kind: str, name: str, namespace: str | None, change: Object) -> None:
        """A merge patch, for what belongs to somebody else (an annotation that asks for a reconciliation)."""
        options: dict[str, Any] = {"patch_type": PatchType.MERGE, "field_manager": MANAGER}
        if namespace:
            options["namespace"] = namespace
        await self._ask(
            f"patch {kind} {name}", self._api.patch(kind_of(api_version, kind), name, dict(change), **options)
        )

    async def delete(self, api_version: str, kind: str, name: str, namespace: str) -> None:
        """Deletes an object; that it is not there is success."""
        resource = kind_of(api_version, kind)
        try:
            await self._ask(f"delete {kind} {name}", self._api.delete(resource, name, namespace=namespace))
        except Broken as error:
            if error.status != 404:
                raise

    async def wake_pods(self, namespace: str) -> None:
        """Makes the kubelets look at the pods of a namespace now.

        A kubelet mounts what a Secret has become only when it looks at the pod again: by itself within a minute or more, at once
        when the pod object changes. Webhooks whose certificate is made after their pod has started wait for just that.
        """
        stamp = {"metadata": {"annotations": {"rebirth.dev/woken-at": f"{time.time():.3f}"}}}
        for pod in await self.all("v1", "Pod", namespace):
            await self.merge("v1", "Pod", pod["metadata"]["name"], namespace, stamp)

    async def changes(self, api_version: str, kind: str, namespace: str | None = None) -> AsyncIterator[str]:
        """A watch: yields a name for every change. Ends when the server ends it; `until` asks by itself, too."""
        options: dict[str, Any] = {} if kind in _GLOBAL else {"namespace": namespace or "*"}
        try:
            async for _, item in self._api.watch(kind_of(api_version, kind), **options):
                yield str(item.metadata.name if item.metadata else "")
        except (ApiError, httpx.HTTPError, LoadResourceError) as error:
            raise NotYet(f"watch {kind}: {type(error).__name__}") from None

    async def _ask(self, what: str, call: Any) -> Any:
        try:
            return await call
        except ApiError as error:
            raise self._translated(error, what, "") from None
        except httpx.HTTPError as error:
            raise NoAnswer(f"{_SYSTEM}: {what}: {type(error).__name__}") from None

    def _translated(self, error: ApiError, what: str, hint: str) -> Broken | NotYet:
        """What may mend by itself is NotYet: a webhook without endpoints, a kind or namespace that is still to come."""
        code, message = error.status.code or 0, error.status.message or ""
        webhook = "failed calling webhook" in message
        unborn = code == 404 and (
            "could not find the requested resource" in message or what.startswith(("apply", "admit", "patch"))
        )
        if code in {409, 429} or code >= 500 or webhook or unborn:
            return NotYet(f"{_SYSTEM}: {what}: {message}")
        return Broken(message, system=_SYSTEM, operation=what, status=code, hint=hint)


def condition(item: Object | None, kind: str = "Ready") -> tuple[str, str]:
    """Status (True, False, Unknown, or "" where there is none) and message of a condition that speaks of the current generation."""
    if item is None:
        return "", "is not there"
    status = item.get("status") or {}
    for entry in status.get("conditions") or []:
        if entry["type"] == kind:
            observed = entry.get("observedGeneration", status.get("observedGeneration"))
            if observed is not None and 0 <= observed < item["metadata"].get("generation", 0):
                return "", "not looked at yet"
            return entry["status"], " ".join((entry.get("message") or entry.get("reason") or "").split())
    return "", "says nothing yet"


def ready_replicas(item: Object | None) -> tuple[int, int]:
    """How many replicas of a workload are available at its current generation, and how many are wanted."""
    if item is None:
        return 0, 1
    status, spec = item.get("status") or {}, item.get("spec") or {}
    wanted = status.get("desiredNumberScheduled", spec.get("replicas", 1))
    if status.get("observedGeneration", 0) < item["metadata"].get("generation", 0):
        return 0, wanted
    available = status.get("availableReplicas", status.get("numberAvailable", status.get("readyReplicas", 0)))
    updated = status.get("updatedReplicas", status.get("updatedNumberScheduled", available))
    return min(available or 0, updated or 0), wanted


def split_documents(objects: Iterable[Object]) -> tuple[list[Object], list[Object]]:
    """Objects in two parts: what others need to exist first (namespaces, CRDs), and the rest."""
    first_kinds = {"Namespace", "CustomResourceDefinition"}
    listed = [item for item in objects if item]
    return [i for i in listed if i["kind"] in first_kinds], [i for i in listed if i["kind"] not in first_kinds]
