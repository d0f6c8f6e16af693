"""Talos' image factory: it builds from lists that it knows."""

import ssl
from functools import cache

import httpx2 as httpx

from rebirth.errors import Broken, NoAnswer, understood
from rebirth.providers.certificates import mistrusted
from rebirth.run.waiting import asking

_SYSTEM, _OPERATION = "image factory", "register schematic"
_ENDPOINT = "talos.image_factory"


class ImageFactory:
    """`transport` carries its requests instead of a connection."""

    def __init__(self, *, url: str, transport: httpx.AsyncBaseTransport | None = None) -> None:
        self._url, self._transport = url, transport
        self._trust = cache(ssl.create_default_context)  # reading the public CAs takes longer than an answer

    async def register(self, *, schematic: str, identity: str) -> None:
        """Makes a schematic known there; once more does no harm. Raises Broken where it gets another id than ours."""
        try:
            client = httpx.AsyncClient(verify=self._trust(), timeout=30, trust_env=False, transport=self._transport)
            with asking(_SYSTEM, _OPERATION):
                async with client:
                    answer = await client.post(f"{self._url}/schematics", content=schematic)
        except httpx.HTTPError as error:
            if refused := mistrusted(error, system=_SYSTEM, operation=_OPERATION, address=_ENDPOINT):
                raise refused from None
            hint = f"Is {_ENDPOINT} right, and reachable from here?"
            raise NoAnswer(f"{_SYSTEM}: {_OPERATION}: {type(error).__name__}", hint=hint) from None
        if answer.status_code == httpx.codes.BAD_REQUEST:
            hint = "Does talos.schematic name official extensions only?"
            raise Broken("rejects the schematic", system=_SYSTEM, operation=_OPERATION, status=400, hint=hint)
        if not answer.is_success:
            raise NoAnswer(f"{_SYSTEM}: {_OPERATION}: HTTP {answer.status_code}", hint=f"Is {_ENDPOINT} right?")
        with understood(_SYSTEM, _OPERATION, _ENDPOINT):
            given = str(answer.json()["id"])
        if given != identity:
            hint = f"Write `schematic: {given}` instead of the list; and please report this, it is a bug."
            raise Broken(
                f"calls the schematic {given[:12]}, not {identity[:12]}",
                system=_SYSTEM,
                operation=_OPERATION,
                hint=hint,
            )
