"""Sites, asked at a given address under their own names: no DNS has to know them yet."""

import re
import ssl
from dataclasses import dataclass
from functools import cache
from html import unescape

import httpx2 as httpx

from rebirth.castle.model import bracketed
from rebirth.errors import NotYet
from rebirth.providers.certificates import mistrusted
from rebirth.secrets import Secret


@dataclass(frozen=True)
class Page:
    status: int
    text: str

    @property
    def heading(self) -> str:
        """The first heading or the title."""
        for tag in ("h1", "title", "h2"):
            if found := re.search(rf"<{tag}\b[^>]*>(.*?)</{tag}>", self.text, re.DOTALL | re.IGNORECASE):
                return unescape(re.sub(r"<[^>]+>", "", found[1])).strip()
        return ""


class Web:
    """An HTTPS client that is told the address. `transport` carries its requests instead of a connection."""

    def __init__(self, *, transport: httpx.AsyncBaseTransport | None = None) -> None:
        self._transport = transport
        self._trust = cache(_trust)  # reading the public CAs takes longer than most sites to answer

    async def visit(self, *, host: str, path: str, address: str, ca: Secret | None) -> Page:
        """One GET with the site's name in TLS and in the Host header. Raises NotYet where no page comes back."""
        trust = self._trust(ca.reveal() if ca else None)
        try:
            async with httpx.AsyncClient(
                verify=trust, timeout=10, trust_env=False, transport=self._transport
            ) as client:
                request = client.build_request(
                    "GET",
                    f"https://{bracketed(address)}{path}",
                    headers={"Host": host},
                    extensions={"sni_hostname": host},
                )
                answer = await client.send(request)
        except httpx.HTTPError as error:
            what = f"https://{host}{path} at {address}"
            if refused := mistrusted(error, system=what, operation="", address="online.sites", ca="online.sites.ca"):
                raise NotYet(str(refused), hint=refused.hint) from None
            hint = "Does the ingress have that address, and is it reachable from here?"
            raise NotYet(f"{what}: {str(error) or type(error).__name__}", hint=hint) from None
        return Page(answer.status_code, answer.text)


def _trust(ca: str | None) -> ssl.SSLContext:
    return ssl.create_default_context(cadata=ca)
