"""Which kinds the API server serves, under which names and in which scope: it is asked, never guessed."""

import asyncio
from collections import defaultdict
from difflib import get_close_matches
from functools import cache
from typing import Any

import httpx2 as httpx
from lightkube.config.client_adapter import AsyncClient, ConnectionParams
from lightkube.config.kubeconfig import SingleConfig
from lightkube.core.exceptions import ConfigError
from lightkube.core.resource import NamespacedResource
from lightkube.generic_resource import GenericGlobalResource, GenericNamespacedResource, create_api_info

from rebirth.errors import Broken, NotYet
from rebirth.providers.advice import SYSTEM, Advice
from rebirth.providers.shapes import listed
from rebirth.run.waiting import asking

_EVERYTHING = "application/json;g=apidiscovery.k8s.io;v=v2;as=APIGroupDiscoveryList"
_A_ROW = "application/json;as=Table;v=v1;g=meta.k8s.io"
Kind = Any  # a class that is made at run time; what lightkube calls a resource


class NotServed(NotYet):
    """No API server serves that kind: its CRD, or the server behind its group, may still come."""


class Kinds:
    """The kinds of one API server, asked for once each. What is not served is asked for again each time."""

    def __init__(self, config: SingleConfig, connection: ConnectionParams, advice: Advice) -> None:
        self._advice = advice
        self._http = AsyncClient(config, connection)
        self._known: dict[tuple[str, str], Kind] = {}
        self._asking: defaultdict[str, asyncio.Lock] = defaultdict(asyncio.Lock)

    async def close(self) -> None:
        await self._http.aclose()

    async def of(self, api_version: str, kind: str) -> Kind:
        """The resource that objects of this kind are kept in.

        Raises NotServed where nobody serves it yet, and Broken where nobody ever will: the API server's own groups (their
        names have no dot) do not grow while it runs.
        """
        key = api_version, kind
        if key not in self._known:
            async with self._asking[api_version]:  # many phases ask at once: the first one's answer does for all
                if key not in self._known:
                    self._known |= await self._served(api_version)
        if key in self._known:
            return self._known[key]
        served = [name for version, name in self._known if version == api_version]
        raise self._missing(api_version, kind, served)

    async def is_there(self, kind: Kind, name: str, namespace: str | None) -> bool:
        """Whether an object of that kind exists: asked for as a row of a table that leaves the object out. Raises NotYet, Broken."""
        info = kind._api_info  # noqa: SLF001 - lightkube's own name for it
        group = f"/apis/{info.resource.api_version}" if info.resource.group else f"/api/{info.resource.version}"
        where = f"/namespaces/{namespace}" if namespace else ""
        path, what = f"{group}{where}/{info.plural}/{name}", f"get {kind.__name__} {name}"
        try:
            answer = await self._http.get(path, params={"includeObject": "None"}, headers={"Accept": _A_ROW})
            if (code := answer.status_code) == 200 and answer.json()["kind"] != "Table":
                raise TypeError
        except httpx.InvalidURL:  # no object can have that name
            return False
        except httpx.HTTPError as error:
            raise NotYet(f"{SYSTEM}: {what}: {type(error).__name__}") from None
        except (ValueError, TypeError, LookupError, RecursionError):
            raise NotYet(f"{SYSTEM}: {what}: the answer is not a row of a table", hint=self._advice.elsewhere) from None
        if code in {200, 404}:
            return code == 200
        raise Broken(f"HTTP {code}", system=SYSTEM, operation=what, status=code)

    async def evict(self, name: str, namespace: str) -> str:
        """Why the pod may not go yet, by its disruption budgets; "" where it goes, or is gone. Raises NotYet, Broken."""
        what, meta = f"evict Pod {namespace}/{name}", {"name": name, "namespace": namespace}
        body = {"apiVersion": "policy/v1", "kind": "Eviction", "metadata": meta}
        try:
            answer = await self._http.post(f"/api/v1/namespaces/{namespace}/pods/{name}/eviction", json=body)
            if answer.is_success or answer.status_code == 404:
                return ""
            said = answer.json()
            causes = [cause["message"] for cause in (said.get("details") or {}).get("causes") or ()]
            words = " ".join([said["message"], *causes])
        except httpx.HTTPError as error:
            raise self._advice.no_answer(f"{SYSTEM}: {what}", error) from None
        except (ValueError, TypeError, LookupError, AttributeError):
            raise NotYet(f"{SYSTEM}: {what}: HTTP {answer.status_code}", hint=self._advice.unwell) from None
        if answer.status_code in {429, 500}:  # 500: the pod has several budgets, which nobody can tell apart
            return words
        hint = self._advice.refused(answer.status_code)
        raise Broken(words, system=SYSTEM, operation=what, status=answer.status_code, hint=hint)

    async def everything(self) -> frozenset[tuple[str, str]]:
        """Every apiVersion and kind that is served now. Raises NotYet."""
        found = set[tuple[str, str]]()
        try:
            for path in ("/api", "/apis"):
                answer = await self._http.get(path, headers={"Accept": _EVERYTHING})
                for group in answer.raise_for_status().json()["items"]:
                    name = group["metadata"].get("name")
                    for one in group.get("versions", ()):
                        version = f"{name}/{one['version']}" if name else one["version"]
                        found |= {(version, entry["responseKind"]["kind"]) for entry in one.get("resources", ())}
        except httpx.HTTPError as error:
            raise self._advice.no_answer(f"{SYSTEM}: discovery", error) from None
        except (ValueError, TypeError, LookupError, RecursionError):
            raise NotYet(
                f"{SYSTEM}: discovery: the answer is not a list of kinds", hint=self._advice.elsewhere
            ) from None
        return frozenset(found)

    def _missing(self, api_version: str, kind: str, served: list[str]) -> Broken | NotServed:
        near = get_close_matches(kind, served, n=1)
        meant = f"; did you mean {near[0]}?" if near else ""
        if "." not in api_version.rpartition("/")[0]:
            text = f"no such kind {kind} in {api_version}{meant}"
            hint = self._advice.elsewhere
            return Broken(text, system=SYSTEM, operation="discovery", status=404, hint=hint)
        hint = "What brings the CRD has not done so: its chart, or the Kustomization that holds it."
        if served:
            return NotServed(
                f"{SYSTEM}: no such kind {kind} in {api_version} yet: its CRD is missing{meant}", hint=hint
            )
        text = f"{SYSTEM}: nothing serves {api_version} yet, so no {kind} either: its CRD is missing"
        return NotServed(text, hint=hint)

    async def _served(self, api_version: str) -> dict[tuple[str, str], Kind]:
        what = f"{SYSTEM}: discovery of {api_version}"
        try:
            with asking(SYSTEM, "discovery"):
                answer = await self._http.get(f"/{'apis' if '/' in api_version else 'api'}/{api_version}")
            if (code := answer.status_code) == 404:
                return {}
            if code in {401, 403}:
                text = "the credentials were rejected"
                raise Broken(text, system=SYSTEM, operation="discovery", status=code, hint=self._advice.refused(code))
            if not answer.is_success:
                raise NotYet(f"{what}: HTTP {code}", hint=self._advice.unwell)
            return {
                (api_version, entry["kind"]): _resource(
                    api_version, entry["kind"], entry["name"], namespaced=entry["namespaced"]
                )
                for entry in map(listed, answer.json()["resources"])
                if "/" not in entry["name"]  # status, scale
            }
        except ConfigError:  # what a program that is to bring credentials said may hold them
            raise Broken("the kubeconfig's credentials cannot be had", system=SYSTEM, operation="log in") from None
        except httpx.InvalidURL:  # a version that somebody's object names, and nobody can ask for
            return {}
        except httpx.HTTPError as error:
            raise self._advice.no_answer(what, error) from None
        except (ValueError, TypeError, LookupError, RecursionError):
            raise NotYet(f"{what}: the answer is not a list of kinds", hint=self._advice.elsewhere) from None


@cache  # lightkube keeps something of each class for ever
def _resource(api_version: str, kind: str, plural: str, *, namespaced: bool) -> Kind:
    group, _, version = api_version.rpartition("/")
    base = GenericNamespacedResource if namespaced else GenericGlobalResource
    return type(kind, (base,), {"_api_info": create_api_info(group, version, kind, plural)})


def is_namespaced(kind: Kind) -> bool:
    return issubclass(kind, NamespacedResource)
