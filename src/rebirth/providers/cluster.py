"""The Kubernetes API of the castle: server-side apply, reads, watches. Objects are plain mappings, as in their YAML."""

import re
import time
from collections.abc import AsyncIterable, AsyncIterator, Awaitable, Iterable, Mapping
from contextlib import suppress
from pathlib import Path
from typing import Any, TypeVar

import httpx2 as httpx  # what lightkube is built on
import msgspec  # what it reads answers with
from lightkube import ApiError, AsyncClient, KubeConfig
from lightkube.config.client_adapter import ConnectionParams
from lightkube.core.exceptions import ConfigError, LoadResourceError
from lightkube.types import PatchType
from yaml import YAMLError

from rebirth.errors import Broken, NoAnswer, NotYet
from rebirth.paths import Paths
from rebirth.providers.advice import SYSTEM, Advice
from rebirth.providers.kinds import Kinds, NotServed, is_namespaced
from rebirth.providers.shapes import shaped
from rebirth.run.waiting import asking

MANAGER = "rebirth"
_NAMESPACE_ENDS = (
    "NamespaceTerminating"  # the API's word for why it takes nothing new into a namespace that is being deleted
)
_DISPUTED = "FieldManagerConflict"  # the API's word for a field that another manager owns with another value
# Who applies what this castle says, besides the product; and the API's name for fields whose owner nobody has noted.
_SHARED = {MANAGER, "kustomize-controller", "helm-controller", "flux-operator", "flux", "helm", "before-first-apply"}
Object = Mapping[str, Any]
_T = TypeVar("_T")


class _DisputedError(Exception):
    """Others own fields that were to get other values: who, and which fields."""

    def __init__(self, causes: Iterable[Any]) -> None:
        super().__init__()
        found = list(causes)
        named = (re.search('conflict with "(.*?)"', cause.message or "") for cause in found)
        self.managers = {name[1] if name else "somebody else" for name in named}
        self.fields = sorted({str(cause.field) for cause in found})[:3]


_UNKNOWN_FIELD = re.compile(r"\.[\w.\[\]=\"-]+: field not declared in schema")


class Cluster:
    """One cluster: a castle's with the admin's rights, or the one that a context of some `kubeconfig` means.

    `server` is asked in the place of the one that the kubeconfig names; `transport` carries requests instead of a connection.
    """

    def __init__(
        self,
        *,
        paths: Paths | None = None,
        kubeconfig: Path | None = None,
        context: str | None = None,
        server: str = "",
        transport: httpx.AsyncBaseTransport | None = None,
    ) -> None:
        timeout = httpx.Timeout(20, read=30)
        file = kubeconfig or (paths and paths.kubeconfig) or Path()
        try:
            config = KubeConfig.from_file(str(file)).get(context)
            if config is None:
                raise ConfigError("no current context")
            config.cluster.server = server or config.cluster.server
            self._api = AsyncClient(config=config, field_manager=MANAGER, timeout=timeout, transport=transport)
            connection = ConnectionParams(timeout=timeout, transport=transport)  # type: ignore[arg-type]  # of either client
            self._advice = Advice(file, castles=paths is not None)
            self._kinds = Kinds(config, connection, self._advice)
        except (OSError, ValueError, TypeError, AttributeError, LookupError, AssertionError, YAMLError, ConfigError):
            hint = "Remove that file: `rebirth create` writes it again."
            if kubeconfig:
                hint = "`kubectl config get-contexts` lists what there is; --kubeconfig and --context choose."
            text = f"{file} is not a kubeconfig{f' with a context {context}' if context else ''}"
            raise Broken(text, system=SYSTEM, operation="connect", hint=hint) from None
        self.context = config.context_name

    async def close(self) -> None:
        with suppress(RuntimeError):
            await self._api.close()
            await self._kinds.close()

    async def ready(self) -> None:
        """Raises NotYet until the API server answers and has made the namespace of the system."""
        if await self.find("v1", "Namespace", "kube-system") is None:
            raise NotYet("the API server has not created kube-system yet")

    async def apply(self, *objects: Object) -> None:
        """Server-side apply, in order, as the field manager `rebirth`.

        Fields that Flux or Helm own are taken: they apply what the same castle says. Those of anybody else are refused, with
        whose they are (Broken).
        """
        for item in objects:
            await self._patch(item, dry_run=False)

    async def admits(self, item: Object) -> None:
        """Whether the API server, with its webhooks, would take the object: a server-side dry run. Raises NotYet or Broken."""
        await self._patch(item, dry_run=True)

    async def unknown_field(self, item: Object) -> str:
        """What the API server says of a field that the object's kind does not have; "" where it says nothing of such."""
        try:
            await self.admits(item)
        except (NotYet, Broken) as error:
            found = _UNKNOWN_FIELD.search(str(error))
            return found[0] if found else ""
        return ""

    async def _patch(self, item: Object, *, dry_run: bool) -> None:
        meta = item["metadata"]
        name, namespace = meta["name"], meta.get("namespace")
        kind = item["kind"]
        what = f"{'admit' if dry_run else 'apply'} {kind} {namespace + '/' if namespace else ''}{name}"
        resource = await self._kinds.of(item["apiVersion"], kind)
        options: dict[str, Any] = {
            "patch_type": PatchType.APPLY,
            "field_manager": MANAGER,
            "force": False,
            "dry_run": dry_run,
        }
        if is_namespaced(resource):
            options["namespace"] = namespace
        try:
            await self._ask(what, _one(kind, self._api.patch(resource, name, dict(item), **options)), creates=True)
        except _DisputedError as disputed:
            if foreign := sorted(disputed.managers - _SHARED):
                hint = self._advice.disputed(kind, name, namespace if is_namespaced(resource) else None)
                text = f"{', '.join(foreign)} owns {', '.join(disputed.fields)}, with other values"
                raise Broken(text, system=SYSTEM, operation=what, status=409, hint=hint) from None
            options["force"] = True
            await self._ask(what, _one(kind, self._api.patch(resource, name, dict(item), **options)), creates=True)

    async def served(self) -> frozenset[tuple[str, str]]:
        """Every apiVersion and kind that the API server serves now. Raises NotYet."""
        return await self._kinds.everything()

    async def find(self, api_version: str, kind: str, name: str, namespace: str | None = None) -> dict[str, Any] | None:
        """The object, or None; None, too, where the kind is not known yet."""
        try:
            resource = await self._kinds.of(api_version, kind)
            options = {"namespace": namespace} if namespace else {}
            found = await self._ask(f"get {kind} {name}", _one(kind, self._api.get(resource, name, **options)))
        except NotServed:
            return None
        except Broken as error:
            if error.status == 404 and error.operation != "discovery":
                return None
            raise
        return found

    async def all(self, api_version: str, kind: str, namespace: str | None = None) -> list[dict[str, Any]]:
        """Every object of a kind, in one namespace or in all; none where the kind is not known yet."""
        try:
            resource = await self._kinds.of(api_version, kind)
            options: dict[str, Any] = {"namespace": namespace or "*"} if is_namespaced(resource) else {}
            return await self._ask(f"list {kind}", _listed(kind, self._api.list(resource, **options)))
        except NotServed:
            return []
        except Broken as error:
            if error.status == 404 and error.operation != "discovery":
                return []
            raise

    async def exists(self, api_version: str, kind: str, name: str, namespace: str | None = None) -> bool:
        """Whether an object is there. Nothing of the object itself is asked for: a Secret's values stay where they are."""
        try:
            resource = await self._kinds.of(api_version, kind)
            return await self._kinds.is_there(resource, name, namespace)
        except NotServed:
            return False

    async def merge(
        self, api_version: str, kind: str, name: str, namespace: str | None, change: Object
    ) -> dict[str, Any]:
        """A merge patch, for what belongs to somebody else (an annotation that asks for a reconciliation).

        Returns the object as it is afterwards.
        """
        options: dict[str, Any] = {"patch_type": PatchType.MERGE, "field_manager": MANAGER}
        if namespace:
            options["namespace"] = namespace
        resource = await self._kinds.of(api_version, kind)
        call = self._api.patch(resource, name, dict(change), **options)
        return await self._ask(f"patch {kind} {name}", _one(kind, call), creates=True)

    async def delete(
        self, api_version: str, kind: str, name: str, namespace: str | None = None, *, grace: int | None = None
    ) -> None:
        """Deletes an object; that it is not there is success. Raises NotYet where it is there, and does not go.

        `grace` is in seconds: 0 waits for no kubelet.
        """
        before = await self.find(api_version, kind, name, namespace)
        if before is None:
            return
        resource = await self._kinds.of(api_version, kind)
        options: dict[str, Any] = {"namespace": namespace} if namespace else {}
        try:
            await self._ask(f"delete {kind} {name}", self._api.delete(resource, name, grace_period=grace, **options))
        except Broken as error:
            if error.status != 404:
                raise
        left = await self.find(api_version, kind, name, namespace)  # or another, which somebody has made in its place
        if left and left["metadata"].get("uid") == before["metadata"].get("uid") and not _goes(left):
            raise NotYet(f"{SYSTEM}: delete {kind} {name}: it is still there", hint=self._advice.elsewhere)

    async def evict(self, name: str, namespace: str) -> str:
        """Asks a pod to leave its node. Why it may not yet, in the words of the API; "" where it goes, or is gone."""
        return await self._kinds.evict(name, namespace)

    async def wake_pods(self, namespace: str, *, mounting: str | None = None) -> None:
        """Makes the kubelets look at the pods of a namespace now; with `mounting` only at those that mount that ConfigMap.

        A kubelet mounts what a Secret or ConfigMap has become only when it looks at the pod again: by itself within a minute or
        more, at once when the pod object changes. Who reads what changes after its pod has started waits for just that.
        """
        woken = {"metadata": {"annotations": {"rebirth.dev/woken-at": stamp()}}}
        for pod in await self.all("v1", "Pod", namespace):
            if mounting and not _mounts(pod, mounting):
                continue
            with suppress(NotYet):  # it has gone meanwhile
                await self.merge("v1", "Pod", pod["metadata"]["name"], namespace, woken)

    async def restart_pods(self, namespace: str, *, mounting: str) -> None:
        """Deletes the pods of a namespace that mount that ConfigMap: whoever keeps them makes others."""
        for pod in await self.all("v1", "Pod", namespace):
            if _mounts(pod, mounting):
                await self.delete("v1", "Pod", pod["metadata"]["name"], namespace)

    async def changes(self, api_version: str, kind: str, namespace: str | None = None) -> AsyncIterator[str]:
        """A watch: yields a name for every change. Ends when the server ends it; `until` asks by itself, too."""
        try:
            resource = await self._kinds.of(api_version, kind)
            options: dict[str, Any] = {"namespace": namespace or "*"} if is_namespaced(resource) else {}
            async for _, item in self._api.watch(resource, **options):
                yield str(item.metadata.name if item.metadata else "")
        except (Broken, ApiError, httpx.HTTPError, LoadResourceError, msgspec.MsgspecError) as error:
            # What does not fix itself is said by whoever asks without a watch.
            raise NotYet(f"watch {kind}: {type(error).__name__}") from None

    async def _ask(self, what: str, call: Awaitable[_T], *, creates: bool = False) -> _T:
        """`creates`: that something is not found (its namespace) may mend by itself."""
        try:
            with asking(SYSTEM, what):
                return await call
        except ApiError as error:
            code = error.response.status_code
            # What is no Status comes from a proxy or load balancer in between: its words are nobody's. (The client takes
            # any mapping for one, so the answer itself is looked at.)
            ours = error.response.json().get("kind") == "Status"
            message = (error.status.message if ours else "") or f"HTTP {code}"
            causes = (error.status.details and error.status.details.causes) or ()
            if disputed := [cause for cause in causes if cause.reason == _DISPUTED]:
                raise _DisputedError(disputed) from None
            ends = any(cause.reason == _NAMESPACE_ENDS for cause in causes)
            # A webhook that cannot be called is a 500, too.
            if code in {409, 429} or code >= 500 or (creates and code == 404) or ends:
                raise NotYet(f"{SYSTEM}: {what}: {message}", hint=self._advice.unwell) from None
            hint = self._advice.refused(code)
            raise Broken(message, system=SYSTEM, operation=what, status=code, hint=hint) from None
        except ConfigError:  # what a program that is to bring credentials said may hold them
            raise Broken("the kubeconfig's credentials cannot be had", system=SYSTEM, operation="log in") from None
        except httpx.HTTPError as error:
            raise self._advice.no_answer(f"{SYSTEM}: {what}", error) from None
        except (
            msgspec.MsgspecError, httpx.InvalidURL, AttributeError, LookupError, RecursionError, TypeError, ValueError,
        ):  # fmt: skip
            # A load balancer or proxy in between that answers by itself.
            text = f"{SYSTEM}: {what}: the answer is not a Kubernetes object"
            raise NoAnswer(text, hint=self._advice.elsewhere) from None


async def _one(kind: str, call: Awaitable[Any]) -> dict[str, Any]:
    return shaped((await call).to_dict(), kind)


async def _listed(kind: str, found: AsyncIterable[Any]) -> list[dict[str, Any]]:
    return [shaped(item.to_dict(), kind) async for item in found]


def _goes(item: Object) -> bool:
    return "deletionTimestamp" in item["metadata"]


def _mounts(pod: Object, config_map: str) -> bool:
    return any(
        (volume.get("configMap") or {}).get("name") == config_map
        for volume in (pod.get("spec") or {}).get("volumes") or ()
    )


def stamp() -> str:
    """What an annotation says that asks somebody to look again: never the same twice, the time in seconds."""
    return f"{time.time():.6f}"


def condition(item: Object | None, kind: str = "Ready") -> tuple[str, str]:
    """Status (True, False, Unknown, or "" where there is none) and message of a condition that speaks of the current generation."""
    if item is None:
        return "", "does not exist"
    status = item.get("status") or {}
    for entry in status.get("conditions") or []:
        if entry["type"] == kind:
            observed = entry.get("observedGeneration", status.get("observedGeneration"))
            if observed is not None and 0 <= observed < (item["metadata"].get("generation") or 0):
                return "", "not processed yet"
            return entry["status"], " ".join((entry.get("message") or entry.get("reason") or "").split())
    return "", "no status yet"


def reason(item: Object | None, kind: str = "Ready") -> str:
    """The reason of a condition, one word that programs may compare; "" where there is none."""
    for entry in ((item or {}).get("status") or {}).get("conditions") or []:
        if entry["type"] == kind:
            return str(entry.get("reason") or "")
    return ""


def missing_replicas(item: Object | None) -> str:
    """Why a workload is not available as it is wanted now; "" where it is. None of none wanted is available."""
    if item is None:
        return "does not exist"
    status, spec = item.get("status") or {}, item.get("spec") or {}
    if (status.get("observedGeneration") or 0) < (item["metadata"].get("generation") or 0):
        return "not processed yet"
    said = (status.get("desiredNumberScheduled"), spec.get("replicas"))
    wanted = next((number for number in said if number is not None), 1)
    available = status.get("availableReplicas", status.get("numberAvailable", 0)) or 0
    updated = status.get("updatedReplicas", status.get("updatedNumberScheduled", available)) or 0
    ready = min(available, updated)
    return "" if ready >= wanted else f"{ready} of {wanted} replicas are available"


def split_documents(objects: Iterable[Object]) -> tuple[list[Object], list[Object]]:
    """Objects in two parts: what others need to exist first (namespaces, CRDs), and the rest."""
    first_kinds = {"Namespace", "CustomResourceDefinition"}
    listed = [item for item in objects if item]
    return [i for i in listed if i["kind"] in first_kinds], [i for i in listed if i["kind"] not in first_kinds]
