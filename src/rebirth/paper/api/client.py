"""The Kubernetes API as what stands in for kubelets needs it: lists that go over into watches, patches of a status, bindings.

On lightkube's connection, without its objects: what comes in by thousands stays the mapping that it is.
"""

from collections.abc import AsyncIterator
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import httpx2 as httpx  # what lightkube is built on
import msgspec
from lightkube import KubeConfig
from lightkube.config.client_adapter import ConnectionParams

from rebirth.errors import Broken, NotYet

Object = dict[str, Any]
MANAGER = "rebirth-paper"  # whom the API server notes as the one who wrote a field
_SYSTEM = "Kubernetes"
_MERGE, _JSON = "application/merge-patch+json", "application/json-patch+json"
_TIMEOUT = httpx.Timeout(20, read=30)
_WATCHES = httpx.Timeout(20, read=None)
_PAUSE = 330  # seconds after which the server ends a watch by itself


@dataclass(frozen=True, slots=True)
class Kind:
    """A kind as the API server serves it."""

    group: str
    version: str
    name: str
    plural: str
    namespaced: bool = True

    @property
    def api_version(self) -> str:
        return f"{self.group}/{self.version}" if self.group else self.version

    def path(self, namespace: str = "", *below: str) -> str:
        root = f"/apis/{self.group}/{self.version}" if self.group else f"/api/{self.version}"
        parts = [f"namespaces/{namespace}"] if namespace and self.namespaced else []
        return "/".join([root, *parts, self.plural, *(part for part in below if part)])


class Refused(NotYet):
    """The API server did not take it; with its status and its own words."""

    def __init__(self, message: str, status: int) -> None:
        super().__init__(message)
        self.status = status


class Api:
    """One API server, asked with the rights of a kubeconfig. Every method raises Refused, or NotYet where nothing answers."""

    def __init__(self, kubeconfig: Path, transport: httpx.AsyncBaseTransport | None = None) -> None:
        config = KubeConfig.from_file(str(kubeconfig)).get()
        if config is None:
            raise Broken(f"{kubeconfig} has no current context", system=_SYSTEM, operation="connect")
        parameters = ConnectionParams(timeout=_TIMEOUT, transport=transport, trust_env=False)  # type: ignore[arg-type]
        # Each watch keeps a connection; how many ask at once is for whoever asks to say.
        limits = httpx.Limits(max_connections=None, max_keepalive_connections=32)
        self._http = httpx.AsyncClient(
            **parameters.httpx_params(config), limits=limits, headers={"User-Agent": MANAGER}
        )

    async def close(self) -> None:
        with suppress(RuntimeError):
            await self._http.aclose()

    async def find(self, kind: Kind, namespace: str, name: str) -> Object | None:
        try:
            return await self._ask("GET", kind.path(namespace, name))
        except Refused as refused:
            if refused.status == 404:
                return None
            raise

    async def create(self, kind: Kind, item: Object, *below: str) -> Object:
        """Of what stands below an object (a Pod's binding) the namespace and name are the item's, too."""
        meta = item["metadata"]
        path = kind.path(meta.get("namespace", ""), *((meta["name"], *below) if below else ()))
        return await self._ask("POST", path, item)

    async def merge(self, kind: Kind, namespace: str, name: str, change: Object, below: str = "") -> Object:
        """A merge patch of an object, or of its `status`."""
        return await self._ask("PATCH", kind.path(namespace, name, below), change, _MERGE)

    async def edit(self, kind: Kind, namespace: str, name: str, steps: list[Object]) -> Object:
        """A JSON patch: all of its steps or none."""
        return await self._ask("PATCH", kind.path(namespace, name), steps, _JSON)

    async def delete(self, kind: Kind, namespace: str, name: str, uid: str) -> None:
        """Deletes that very object at once; that it is not there is success."""
        options = {"kind": "DeleteOptions", "apiVersion": "v1", "gracePeriodSeconds": 0, "preconditions": {"uid": uid}}
        try:
            await self._ask("DELETE", kind.path(namespace, name), options)
        except Refused as refused:
            if refused.status not in {404, 409}:  # 409: it is another one of the same name
                raise

    async def all(self, kind: Kind) -> tuple[list[Object], str]:
        """Every object of a kind, and the version from which a watch goes on."""
        found = await self._ask("GET", kind.path())
        items = [{"apiVersion": kind.api_version, "kind": kind.name, **item} for item in found.get("items") or []]
        return items, found["metadata"]["resourceVersion"]

    async def changes(self, kind: Kind, since: str) -> AsyncIterator[tuple[str, Object]]:
        """A watch: ADDED, MODIFIED or DELETED, and the object. Ends when the server ends it; Refused if `since` is too old."""
        options = {"watch": "1", "resourceVersion": since, "allowWatchBookmarks": "true", "timeoutSeconds": str(_PAUSE)}
        decoder = msgspec.json.Decoder()
        try:
            async with self._http.stream("GET", kind.path(), params=options, timeout=_WATCHES) as answer:
                if answer.status_code >= 400:
                    raise _refused(f"watch {kind.plural}", answer.status_code, await answer.aread())
                async for line in _lines(answer):
                    event = decoder.decode(line)
                    if event["type"] == "ERROR":
                        raise Refused(
                            f"watch {kind.plural}: {event['object'].get('message')}", event["object"].get("code", 500)
                        )
                    yield event["type"], event["object"]
        except (httpx.HTTPError, msgspec.DecodeError) as error:
            raise NotYet(f"{_SYSTEM}: watch {kind.plural}: {type(error).__name__}") from None

    async def _ask(self, method: str, path: str, body: Any = None, content: str = "application/json") -> Object:
        what = f"{method} {path}"
        sent = None if body is None else msgspec.json.encode(body)
        try:
            answer = await self._http.request(method, path, content=sent, headers={"Content-Type": content})
        except httpx.HTTPError as error:
            raise NotYet(f"{_SYSTEM}: {what}: {type(error).__name__}") from None
        if answer.status_code >= 400:
            raise _refused(what, answer.status_code, answer.content)
        found: Object = msgspec.json.decode(answer.content)
        return found


async def _lines(answer: httpx.Response) -> AsyncIterator[bytes]:
    """One JSON document a line; some of them are long, and come in many pieces."""
    pieces: list[bytes] = []
    async for piece in answer.aiter_bytes():
        *whole, rest = piece.split(b"\n")
        for end in whole:
            if line := b"".join([*pieces, end]):
                yield line
            pieces = []
        if rest:
            pieces.append(rest)


def _refused(what: str, status: int, content: bytes) -> Refused:
    try:
        message = str(msgspec.json.decode(content)["message"])
    except (msgspec.DecodeError, LookupError, TypeError):
        message = f"HTTP {status}"
    return Refused(f"{_SYSTEM}: {what}: {message}", status)
