"""What pods on paper answer when the API server calls their Service: webhooks admit, conversions convert, API groups are empty.

An ASGI application. No patch is ever made and no field converted: nothing but `knowledge` says what an operator would do.
"""

from collections.abc import Mapping
from typing import Any

from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import JSONResponse, PlainTextResponse, Response
from starlette.routing import Route

_REVIEWS = {"AdmissionReview": "admission.k8s.io/v1", "ConversionReview": "apiextensions.k8s.io/v1"}
WORDS = "This Service is on paper: its pods only say that they are ready.\n"


def reviewed(review: Mapping[str, Any]) -> dict[str, Any] | None:
    """The answer to a review of the API server; None where it is none."""
    kind, request = review.get("kind"), review.get("request") or {}
    if kind == "AdmissionReview":
        response: dict[str, Any] = {"uid": request.get("uid", ""), "allowed": True}
    elif kind == "ConversionReview":
        version = request.get("desiredAPIVersion", "")
        converted = [{**item, "apiVersion": version} for item in request.get("objects") or []]
        response = {"uid": request.get("uid", ""), "result": {"status": "Success"}, "convertedObjects": converted}
    else:
        return None
    return {"apiVersion": review.get("apiVersion", _REVIEWS[kind]), "kind": kind, "response": response}


def discovered(path: str) -> dict[str, Any] | None:
    """The answer to discovery of an API group that an aggregated server serves; None for every other path."""
    parts = path.strip("/").split("/")
    if len(parts) == 3 and parts[0] == "apis":
        version = f"{parts[1]}/{parts[2]}"
        return {"kind": "APIResourceList", "apiVersion": "v1", "groupVersion": version, "resources": []}
    return None


def missing(path: str) -> dict[str, Any]:
    """The Status of an API path that nothing is behind."""
    return {
        "kind": "Status", "apiVersion": "v1", "metadata": {}, "status": "Failure", "reason": "NotFound", "code": 404,
        "message": f"{path}: the server of this API is on paper",
    }  # fmt: skip


async def _answer(request: Request) -> Response:
    path = request.url.path
    if request.method == "POST":
        try:
            review = await request.json()
        except ValueError:
            review = None
        found = reviewed(review) if isinstance(review, dict) else None
        return PlainTextResponse(WORDS) if found is None else JSONResponse(found)
    if found := discovered(path):
        return JSONResponse(found)
    if path.startswith(("/apis", "/openapi")):
        return JSONResponse(missing(path), status_code=404)
    return PlainTextResponse(WORDS)


def answering() -> Starlette:
    methods = ["GET", "HEAD", "POST", "PUT", "PATCH", "DELETE"]
    return Starlette(routes=[Route("/{path:path}", _answer, methods=methods)])
