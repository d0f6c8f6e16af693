"""The stand-in of the Kubernetes API as an ASGI app: paths, verbs and words of the real one."""

import asyncio
import json
import re
from collections.abc import AsyncIterator
from contextlib import suppress
from typing import Any

import yaml
from starlette.requests import Request
from starlette.responses import JSONResponse, PlainTextResponse, Response, StreamingResponse
from starlette.types import ASGIApp, Receive, Scope, Send

from standins import checks
from standins import kinds as discovery
from standins.kinds import Kind
from standins.kubernetes import Kept, Kubernetes, Object
from standins.statuses import WITHOUT_KIND, Refused, bad_request, invalid

_APPLY, _MERGE = "application/apply-patch+yaml", "application/merge-patch+json"
_VERSION = {"major": "1", "minor": "35", "gitVersion": "v1.35.4", "platform": "linux/amd64"}
_OPTIONS = Kind("meta.k8s.io", "v1", "PatchOptions", "patchoptions", namespaced=False, status=False)
_LIST = Kind("meta.k8s.io", "v1", "ListOptions", "listoptions", namespaced=False, status=False)


def kubernetes_app(kubernetes: Kubernetes) -> ASGIApp:
    """The API of a stood-in cluster, for whoever has its admin's credentials."""

    async def app(scope: Scope, receive: Receive, send: Send) -> None:
        request = Request(scope, receive)
        try:
            answer = await answered(kubernetes, request)
        except Refused as refused:
            answer = JSONResponse(refused.body(), refused.code)
        await answer(scope, receive, send)

    return app


async def answered(kubernetes: Kubernetes, request: Request) -> Response:
    """Raises Refused."""
    words = [word for word in request.url.path.split("/") if word]
    match words:
        case ["version"]:
            return JSONResponse(_VERSION)
        case ["healthz" | "readyz" | "livez"]:
            return PlainTextResponse("ok")
        case ["api"]:
            return JSONResponse({"kind": "APIVersions", "versions": ["v1"]})
        case ["apis"]:
            return JSONResponse(discovery.groups(kubernetes.kinds()))
        case ["apis", group]:
            listed = discovery.groups(kubernetes.kinds())["groups"]
            found = next((entry for entry in listed if entry["name"] == group), None)
            return JSONResponse({"kind": "APIGroup", "apiVersion": "v1", **found}) if found else _nowhere()
        case ["api", version] | ["apis", _, version]:
            api_version = version if words[0] == "api" else f"{words[1]}/{version}"
            found = discovery.resources(api_version, kubernetes.kinds())
            return JSONResponse(found) if found else _nowhere()
        case ["api", version, *rest]:
            return await _objects(kubernetes, request, version, rest)
        case ["apis", group, version, *rest]:
            return await _objects(kubernetes, request, f"{group}/{version}", rest)
    return _nowhere()


def _nowhere() -> Response:
    """What is served by nobody: the real one answers with a text, not with a Status."""
    return PlainTextResponse("404 page not found\n", 404)


async def _objects(kubernetes: Kubernetes, request: Request, api_version: str, rest: list[str]) -> Response:
    namespace = ""
    if rest[0] == "namespaces" and len(rest) > 2 and rest[2] not in ("status", "finalize"):
        namespace, rest = rest[1], rest[2:]
    plural, name, part = (*rest, "", "")[:3]
    kind = kubernetes.served(api_version, plural)
    if kind is None:
        known = any(found.api_version == api_version and not found.custom for found in kubernetes.kinds())
        if not known:
            return _nowhere()
        raise Refused(404, "NotFound", WITHOUT_KIND)
    if (kind.resource, part, request.method) == ("pods", "eviction", "POST"):
        checks.evictable(kubernetes, kubernetes.kept(kind, namespace, name).object)
        kubernetes.delete(kind, namespace, name)
        return JSONResponse({"kind": "Status", "apiVersion": "v1", "status": "Success"}, 201)
    if part not in ("", "status") or (part and not kind.status) or (namespace and not kind.namespaced):
        raise Refused(404, "NotFound", WITHOUT_KIND)
    verb = _verb(request, name)
    kubernetes.may(verb, kind, namespace, name)
    if verb == "list":
        return _list(kubernetes, request, kind, namespace)
    if verb == "watch":
        return await _watch(kubernetes, request, kind, namespace)
    if verb == "get" and "as=Table" in request.headers.get("accept", "") and _without_object(request):
        return JSONResponse(_row(kubernetes.kept(kind, namespace, name)))
    if verb == "get":
        return JSONResponse(_shown(kubernetes.kept(kind, namespace, name), kind))
    if (kind.namespaced and not namespace) or (verb == "create") == bool(name):
        raise Refused(405, "MethodNotAllowed", "the server does not allow this method on the requested resource")
    item = await _written(kubernetes, request, verb, kind, namespace, name, part)
    return JSONResponse({**item, "apiVersion": kind.api_version}, 201 if verb == "create" else 200)


def _verb(request: Request, name: str) -> str:
    if request.method == "GET":
        return "get" if name else "watch" if request.query_params.get("watch") in ("1", "true") else "list"
    return {"POST": "create", "PUT": "update", "PATCH": "patch", "DELETE": "delete"}[request.method]


async def _written(
    kubernetes: Kubernetes, request: Request, verb: str, kind: Kind, namespace: str, name: str, part: str
) -> Object:
    asked = request.query_params
    dry = "All" in asked.getlist("dryRun")
    manager = asked.get("fieldManager") or request.headers.get("user-agent", "").partition("/")[0]
    if verb == "delete":
        return kubernetes.delete(kind, namespace, name, dry=dry)
    body = await _body(request, kind)
    if verb == "create":
        return kubernetes.create(kind, namespace, body, manager=manager, dry=dry)
    if verb == "update":
        return kubernetes.update(kind, namespace, name, body, manager=manager, part=part, dry=dry)
    how = request.headers.get("content-type", "").partition(";")[0]
    if how == _MERGE or (how == "application/strategic-merge-patch+json" and not kind.custom):
        return kubernetes.merge(kind, namespace, name, body, manager=manager, part=part, dry=dry)
    if how != _APPLY:
        text = f"the body of the request was in an unknown format - accepted media types include: {_MERGE}, {_APPLY}"
        raise Refused(415, "UnsupportedMediaType", text)
    if not asked.get("fieldManager"):
        raise invalid(_OPTIONS, "", "fieldManager", "Required value: is required for apply patch")
    force = asked.get("force") in ("1", "true")
    return kubernetes.apply(kind, namespace, name, body, manager=manager, force=force, part=part, dry=dry)


async def _body(request: Request, kind: Kind) -> Object:
    raw = await request.body()
    body = None
    try:
        body = json.loads(raw)  # which YAML is, too, and much the faster to read
    except ValueError:
        if _APPLY in request.headers.get("content-type", ""):
            with suppress(yaml.YAMLError):
                body = yaml.safe_load(raw)
    if not isinstance(body, dict):
        raise bad_request("the object provided is unrecognized (must be of type " + kind.kind + ")")
    for key, right in (("apiVersion", kind.api_version), ("kind", kind.kind)):
        if body.get(key, right) != right:
            text = f"the {key} in the data ({body[key]}) does not match the expected {key} ({right})"
            raise bad_request(text)
    return body


def _without_object(request: Request) -> bool:
    return request.query_params.get("includeObject") == "None"


def _row(kept: Kept) -> Object:
    """A table of one row, as who prints it asks for it; only its name is made up of columns here."""
    columns = [{"name": "Name", "type": "string", "format": "name", "description": "", "priority": 0}]
    rows = [{"cells": [kept.object["metadata"]["name"]], "object": None}]
    return {"kind": "Table", "apiVersion": "meta.k8s.io/v1", "metadata": {}, "columnDefinitions": columns, "rows": rows}


def _shown(kept: Kept, kind: Kind) -> Object:
    return {**kept.object, "apiVersion": kind.api_version}


def _list(kubernetes: Kubernetes, request: Request, kind: Kind, namespace: str) -> Response:
    chosen = _selector(request)
    items = [_shown(kept, kind) for kept in kubernetes.listed(kind, namespace) if chosen(kept.object)]
    meta = {"resourceVersion": str(kubernetes.version)}
    return JSONResponse({"kind": f"{kind.kind}List", "apiVersion": kind.api_version, "metadata": meta, "items": items})


async def _watch(kubernetes: Kubernetes, request: Request, kind: Kind, namespace: str) -> Response:
    asked, chosen = request.query_params, _selector(request)
    if "sendInitialEvents" in asked:
        why = "Forbidden: sendInitialEvents is forbidden for watch unless the WatchList feature gate is enabled"
        raise invalid(_LIST, "", "sendInitialEvents", why)
    since = int(asked["resourceVersion"]) if asked.get("resourceVersion") else None
    seconds = float(asked.get("timeoutSeconds") or 1800)
    try:
        queue = kubernetes.watch(kind, since)
    except Refused as refused:  # the answer is a stream all the same
        return Response(json.dumps({"type": "ERROR", "object": refused.body()}) + "\n", media_type="application/json")

    async def lines() -> AsyncIterator[str]:
        try:
            async with asyncio.timeout(seconds):
                while (change := await queue.get()) is not None:
                    item = change.object
                    here = namespace in ("", item["metadata"].get("namespace", ""))
                    if change.table == kind.table and here and chosen(item):
                        shown = {**item, "apiVersion": kind.api_version}
                        shown["metadata"] = {**item["metadata"], "resourceVersion": str(change.version)}
                        yield json.dumps({"type": change.type, "object": shown}) + "\n"
        except TimeoutError:
            pass
        finally:
            kubernetes.changes.unwatch(queue)

    return StreamingResponse(lines(), media_type="application/json")


def _selector(request: Request) -> Any:
    """Whether an object is meant: by labels, by name, by namespace."""
    terms = [term for term in re.split(r",(?![^(]*\))", request.query_params.get("labelSelector", "")) if term]
    fields = dict(
        term.replace("==", "=").split("=") for term in request.query_params.get("fieldSelector", "").split(",") if term
    )

    def chosen(item: Object) -> bool:
        meta = item["metadata"]
        if any(meta.get(key.removeprefix("metadata."), "") != value for key, value in fields.items()):
            return False
        return all(_matches(term.strip(), meta.get("labels") or {}) for term in terms)

    return chosen


def _matches(term: str, labels: dict[str, str]) -> bool:
    if found := re.fullmatch(r"(\S+) (in|notin) \(([^)]*)\)", term):
        listed = {value.strip() for value in found[3].split(",")}
        return (labels.get(found[1]) in listed) == (found[2] == "in")
    if "!=" in term:
        key, _, value = term.partition("!=")
        return labels.get(key) != value
    if "=" in term:
        key, _, value = term.replace("==", "=").partition("=")
        return labels.get(key) == value
    return term[1:] not in labels if term.startswith("!") else term in labels
