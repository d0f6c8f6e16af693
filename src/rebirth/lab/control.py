"""The lab's control API, on a Unix socket in its folder: what runs, what was written to, what shall go wrong."""

from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from typing import Any

from pydantic import TypeAdapter, ValidationError
from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import JSONResponse, Response
from starlette.routing import Route

from rebirth.lab.proxmox import Pve
from rebirth.lab.systems.faults import Fault, Faults
from rebirth.lab.tailscale.headscale import Headscale

_FAULT = TypeAdapter(Fault)


@dataclass(frozen=True)
class Control:
    """What the control API looks at and acts upon."""

    describe: Callable[[], Awaitable[dict[str, Any]]]
    take: Callable[[], Awaitable[dict[str, str]]]
    report: Callable[[], Awaitable[dict[str, Any]]]
    faults: Faults
    pve: Pve
    devices: Headscale | None

    def app(self) -> Starlette:
        return Starlette(
            routes=[
                Route("/status", self._status),
                Route("/writes", self._writes),
                Route("/workloads", self._workloads),
                Route("/repositories", self._repositories, methods=["POST"]),
                Route("/faults", self._fault, methods=["DELETE"]),
                Route("/faults/{system}", self._fault, methods=["POST"]),
                Route("/devices", self._device, methods=["POST"]),
                Route("/machines/{name}/{action}", self._power, methods=["POST"]),
            ]
        )

    async def _status(self, _: Request) -> Response:
        return JSONResponse(await self.describe())

    async def _workloads(self, _: Request) -> Response:
        """What of the castle runs for real, and what on paper."""
        return JSONResponse(await self.report())

    async def _writes(self, _: Request) -> Response:
        """How many writes each system has seen."""
        return JSONResponse(dict(self.faults.writes))

    async def _repositories(self, _: Request) -> Response:
        """The Git host takes what the folders hold now; answers with the new commit of each that changed."""
        try:
            return JSONResponse(await self.take())
        except (RuntimeError, OSError) as error:
            return JSONResponse({"message": str(error)}, 409)

    async def _fault(self, request: Request) -> Response:
        if request.method == "DELETE":
            return JSONResponse(self.faults.clear())
        try:
            wanted = _FAULT.validate_json(await request.body())
        except ValidationError as error:
            return JSONResponse({"message": str(error)}, 400)
        self.faults.set(request.path_params["system"], wanted)
        return JSONResponse({})

    async def _device(self, request: Request) -> Response:
        """A device that another castle left behind."""
        body = await request.json()
        if self.devices is None:
            return JSONResponse({"error": "this castle has no tailnet"}, 409)
        await self.devices.leave_behind(str(body["hostname"]), body.get("tags", ()))
        return JSONResponse({})

    async def _power(self, request: Request) -> Response:
        """The power button: what happens to a machine behind Proxmox' back."""
        name, action = request.path_params["name"], request.path_params["action"]
        vmid = next((vmid for vmid, options in self.pve.machines.items() if options["name"] == name), None)
        if vmid is None or action != "stop":
            return JSONResponse({"message": f"no machine {name}, or no way to {action} it"}, 404)
        await self.pve.hypervisor.stop(vmid)
        return JSONResponse({})
