"""What the API server of the castle asks about every new pod: the lab answers with the stubs that stand in for missing images."""

from collections.abc import Awaitable, Callable, Sequence
from dataclasses import dataclass
from typing import Any

from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import JSONResponse, Response
from starlette.routing import Route

from rebirth.lab.paper.choice import Choice
from rebirth.lab.paper.pods import Object, on_paper
from rebirth.paper.serving.admission import admitted, mutating
from rebirth.paper.workloads import workload_of

NAME = "paper.rebirth.lab"
PATH = "/pods"
_PATIENCE = 5  # seconds that the API server waits for an answer


@dataclass(frozen=True)
class Admission:
    """`services` reads those of a namespace; `told` are arguments of every stub."""

    choice: Choice
    services: Callable[[str], Awaitable[Sequence[Object]]]
    told: Sequence[str] = ()

    def app(self) -> Starlette:
        return Starlette(routes=[Route(PATH, self._pods, methods=["POST"])])

    async def _pods(self, request: Request) -> Response:
        review = await request.json()
        asked = review["request"]
        patch = await self._patch(asked["object"], str(asked.get("namespace") or ""))
        return JSONResponse(admitted(review, patch))

    async def _patch(self, pod: Object, namespace: str) -> list[dict[str, Any]]:
        metadata = pod["metadata"]
        named = {"name": metadata.get("generateName", "").rstrip("-"), **metadata, "namespace": namespace}
        workload = workload_of({**pod, "metadata": named})

        def replaced(image: str) -> bool:
            return self.choice.on_paper(image, workload)

        if not on_paper(pod, replaced):
            return []
        return on_paper(pod, replaced, await self.services(namespace), self.told)


def configuration(url: str, authority: str) -> dict[str, Any]:
    """The MutatingWebhookConfiguration that sends new pods to the lab, at a URL below the `authority` (PEM).

    Where the lab does not answer, pods are made as they are. Asked again where another webhook adds containers.
    """
    rule = {"apiGroups": [""], "apiVersions": ["v1"], "operations": ["CREATE"], "resources": ["pods"]}
    more = {"failurePolicy": "Ignore", "reinvocationPolicy": "IfNeeded", "timeoutSeconds": _PATIENCE}
    return mutating(NAME, url + PATH, authority, [rule], **more)
