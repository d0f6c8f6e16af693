"""The lab's control API, on a Unix socket in its folder: what runs, what was written to, what shall go wrong."""

from collections.abc import Awaitable, Callable
from typing import Any

from pydantic import TypeAdapter, ValidationError
from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import JSONResponse, Response
from starlette.routing import Route

from rebirth.lab.faults import Fault, Faults
from rebirth.lab.proxmox import Pve
from rebirth.lab.tailscale import Tailnet

_FAULT = TypeAdapter(Fault)


def control_app(
    describe: Callable[[], Awaitable[dict[str, Any]]], faults: Faults, pve: Pve, tailnet: Tailnet
) -> Starlette:
    """GET /status, GET /writes, POST /faults/{system}, DELETE /faults, POST /devices, POST /machines/{name}/stop."""

    async def status(_: Request) -> Response:
        return JSONResponse(await describe())

    async def writes(_: Request) -> Response:
        """How many writes each system has seen."""
        return JSONResponse(dict(faults.writes))

    async def fault(request: Request) -> Response:
        if request.method == "DELETE":
            faults.clear()
            return JSONResponse({})
        try:
            wanted = _FAULT.validate_json(await request.body())
        except ValidationError as error:
            return JSONResponse({"message": str(error)}, 400)
        faults.set(request.path_params["system"], wanted)
        return JSONResponse({})

    async def device(request: Request) -> Response:
        """A device that another castle left behind."""
        body = await request.json()
        added = tailnet.add_device(str(body["hostname"]), tags=tuple(body.get("tags", ())))
        return JSONResponse({"name": added.name, "address": added.address})

    async def power(request: Request) -> Response:
        """The power button: what happens to a machine behind Proxmox' back."""
        name, action = request.path_params["name"], request.path_params["action"]
        vmid = next((vmid for vmid, options in pve.machines.items() if options["name"] == name), None)
        if vmid is None or action != "stop":
            return JSONResponse({"message": f"no machine {name}, or no way to {action} it"}, 404)
        await pve.hypervisor.stop(vmid)
        return JSONResponse({})

    return Starlette(
        routes=[
            Route("/status", status),
            Route("/writes", writes),
            Route("/faults", fault, methods=["DELETE"]),
            Route("/faults/{system}", fault, methods=["POST"]),
            Route("/devices", device, methods=["POST"]),
            Route("/machines/{name}/{action}", power, methods=["POST"]),
        ]
    )
