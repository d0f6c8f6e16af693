"""Tailscale's API: devices and keys of one tailnet."""

from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Any

import httpx2 as httpx

from rebirth.errors import Broken, NotYet, understood
from rebirth.providers.certificates import mistrusted
from rebirth.run.waiting import asking
from rebirth.secrets import Secret

_SYSTEM = "Tailscale"
_LOGIN = "log in"
_CHECK_CLIENT = "Check the OAuth client's id and secret in the vault directory."
_SCOPES = ("auth_keys", "devices:core")  # mint and remove keys; list and remove devices


@dataclass(frozen=True)
class Device:
    identity: str  # the API's older id, a number
    node_identity: str  # such as n1234567CNTRL: what the device itself knows, and the operator's Secrets hold
    name: str  # without the tailnet
    hostname: str
    tags: tuple[str, ...]
    connected: bool


@dataclass(frozen=True)
class AuthKey:
    identity: str
    value: Secret = field(repr=False)


class TailnetApi:
    """One tailnet, through an OAuth client. `transport` carries its requests instead of a connection."""

    def __init__(
        self,
        *,
        api: str,
        tailnet: str,
        client_id: Secret,
        client_secret: Secret,
        transport: httpx.AsyncBaseTransport | None = None,
    ) -> None:
        # Here, and not above: check imports phases for what they take, and has no time for their clients.
        from authlib.integrations.httpx_client import AsyncOAuth2Client

        self._tailnet = tailnet
        self._client = AsyncOAuth2Client(
            client_id=client_id.reveal(),
            client_secret=client_secret.reveal(),
            token_endpoint=f"{api}/api/v2/oauth/token",
            token_endpoint_auth_method="client_secret_post",  # noqa: S106 - a method, no secret
            grant_type="client_credentials",
            base_url=f"{api}/api/v2",
            timeout=20,
            transport=transport,
        )
        self._client.register_compliance_hook("access_token_response", _granted)

    async def close(self) -> None:
        await self._client.aclose()

    async def devices(self) -> list[Device]:
        answer = await self._ask("list devices", "GET", f"/tailnet/{self._tailnet}/devices", params={"fields": "all"})
        with understood(_SYSTEM, "list devices", "tailscale.api"):
            return [_device(entry) for entry in answer["devices"]]

    async def lacks(self) -> list[str]:
        """The scopes that the OAuth client was not given. Nothing is written."""
        if not self._client.token:
            await self._log_in(_LOGIN)
        granted = str(self._client.token.get("scope") or "").replace(",", " ").split()
        if not granted:  # an answer that does not say what was granted: the requests themselves will
            return []
        return [scope for scope in _SCOPES if not {scope, scope.partition(":")[0], "all"} & set(granted)]

    async def delete_device(self, *, identity: str) -> None:
        await self._ask("delete device", "DELETE", f"/device/{identity}", gone_is_fine=True)

    async def mint_key(
        self, *, tags: Sequence[str], seconds: int, reusable: bool, ephemeral: bool, description: str
    ) -> AuthKey:
        create = {"reusable": reusable, "ephemeral": ephemeral, "preauthorized": True, "tags": list(tags)}
        body = {"capabilities": {"devices": {"create": create}}, "expirySeconds": seconds, "description": description}
        answer = await self._ask("mint key", "POST", f"/tailnet/{self._tailnet}/keys", json=body)
        with understood(_SYSTEM, "mint key", "tailscale.api"):
            return AuthKey(str(answer["id"]), Secret(str(answer["key"])))

    async def keys(self) -> dict[str, str]:
        """Every key that is still valid: id -> description."""
        answer = await self._ask("list keys", "GET", f"/tailnet/{self._tailnet}/keys")
        with understood(_SYSTEM, "list keys", "tailscale.api"):
            return {str(entry["id"]): str(entry.get("description", "")) for entry in answer["keys"]}

    async def delete_key(self, *, identity: str) -> None:
        await self._ask("delete key", "DELETE", f"/tailnet/{self._tailnet}/keys/{identity}", gone_is_fine=True)

    async def _ask(
        self, operation: str, method: str, path: str, *, gone_is_fine: bool = False, **options: Any
    ) -> dict[str, Any]:
        fresh = not self._client.token
        try:
            with asking(_SYSTEM, operation):
                if fresh:
                    await self._log_in(operation)
                answer = await self._client.request(method, path, **options)
                if answer.status_code == 401 and not fresh:  # the token has ended before its time
                    await self._log_in(operation)
                    answer = await self._client.request(method, path, **options)
        except httpx.TransportError as error:
            raise _unreachable(operation, error) from None
        if answer.status_code == 404 and gone_is_fine:
            return {}
        _passing(operation, answer)
        if answer.status_code >= 300:
            hints = {
                400: "Are the tags of tailscale.node_key owned by the OAuth client's tags?",
                401: _CHECK_CLIENT,
                403: f"The OAuth client needs the scopes {' and '.join(_SCOPES)}.",
                404: "Is tailscale.tailnet spelled correctly?",
            }
            code = answer.status_code
            hint = hints.get(code, "Is tailscale.api right?")
            raise Broken(f"HTTP {code}", system=_SYSTEM, operation=operation, status=code, hint=hint)
        if not answer.content:
            return {}
        with understood(_SYSTEM, operation, "tailscale.api"):
            return dict(answer.json())

    async def _log_in(self, operation: str) -> None:
        from authlib.integrations.base_client.errors import OAuthError

        try:
            with asking(_SYSTEM, operation):
                await self._client.fetch_token()
        except httpx.TransportError as error:
            raise _unreachable(operation, error) from None
        except OAuthError:
            raise _refused_client(401) from None


def _device(entry: dict[str, Any]) -> Device:
    """Raises LookupError or TypeError where it is none."""
    tags = tuple(entry.get("tags") or ())
    if not all(isinstance(tag, str) for tag in tags):
        raise TypeError
    return Device(
        identity=str(entry["id"]),
        node_identity=str(entry.get("nodeId", "")),
        name=str(entry["name"]).partition(".")[0],
        hostname=str(entry["hostname"]),
        tags=tags,
        connected=bool(entry.get("connectedToControl", False)),
    )


def _granted(answer: httpx.Response) -> httpx.Response:
    """The token endpoint's answer. authlib takes whatever is JSON for a token, and an outage for wrong credentials."""
    _passing(_LOGIN, answer)
    if answer.status_code in {400, 401, 403}:
        raise _refused_client(answer.status_code)
    if (code := answer.status_code) >= 300:
        raise Broken(f"HTTP {code}", system=_SYSTEM, operation=_LOGIN, status=code, hint="Is tailscale.api right?")
    with understood(_SYSTEM, _LOGIN, "tailscale.api"):
        said = answer.json()
        if not isinstance(said["access_token"], str) or said.get("token_type", "Bearer").lower() != "bearer":
            raise TypeError
        float(said.get("expires_in") or 0)
    return answer


def _refused_client(status: int) -> Broken:
    return Broken("the OAuth client was rejected", system=_SYSTEM, operation=_LOGIN, status=status, hint=_CHECK_CLIENT)


def _unreachable(operation: str, error: Exception) -> Broken | NotYet:
    if refused := mistrusted(error, system=_SYSTEM, operation=operation, address="tailscale.api"):
        return refused
    return NotYet(f"{_SYSTEM}: {operation}: {type(error).__name__}", hint="Is tailscale.api reachable from here?")


def _passing(operation: str, answer: httpx.Response) -> None:
    """Raises NotYet for what passes by itself."""
    if answer.status_code == 429 or answer.status_code >= 500:
        hint = "An outage, or too many requests: https://status.tailscale.com."
        raise NotYet(f"{_SYSTEM}: {operation}: HTTP {answer.status_code}", hint=hint)
