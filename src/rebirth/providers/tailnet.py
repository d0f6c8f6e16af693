"""Tailscale's API: devices and keys of one tailnet."""

from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Any

import httpx2 as httpx

from rebirth.errors import Broken, NotYet
from rebirth.secrets import Secret

_SYSTEM = "Tailscale"


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
    """One tailnet, through an OAuth client."""

    def __init__(self, *, api: str, tailnet: str, client_id: Secret, client_secret: Secret) -> None:
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
        )

    async def close(self) -> None:
        await self._client.aclose()

    async def devices(self) -> list[Device]:
        answer = await self._ask("list devices", "GET", f"/tailnet/{self._tailnet}/devices", params={"fields": "all"})
        return [
            Device(
                identity=entry["id"],
                node_identity=entry.get("nodeId", ""),
                name=entry["name"].partition(".")[0],
                hostname=entry["hostname"],
                tags=tuple(entry.get("tags") or ()),
                connected=bool(entry.get("connectedToControl", False)),
            )
            for entry in answer["devices"]
        ]

    async def delete_device(self, *, identity: str) -> None:
        await self._ask("delete device", "DELETE", f"/device/{identity}", gone_is_fine=True)

    async def mint_key(
        self, *, tags: Sequence[str], seconds: int, reusable: bool, ephemeral: bool, description: str
    ) -> AuthKey:
        create = {"reusable": reusable, "ephemeral": ephemeral, "preauthorized": True, "tags": list(tags)}
        body = {"capabilities": {"devices": {"create": create}}, "expirySeconds": seconds, "description": description}
        answer = await self._ask("mint key", "POST", f"/tailnet/{self._tailnet}/keys", json=body)
        return AuthKey(answer["id"], Secret(answer["key"]))

    async def keys(self) -> dict[str, str]:
        """Every key that is still valid: id -> description."""
        answer = await self._ask("list keys", "GET", f"/tailnet/{self._tailnet}/keys")
        return {entry["id"]: entry.get("description", "") for entry in answer["keys"]}

    async def delete_key(self, *, identity: str) -> None:
        await self._ask("delete key", "DELETE", f"/tailnet/{self._tailnet}/keys/{identity}", gone_is_fine=True)

    async def _ask(
        self, operation: str, method: str, path: str, *, gone_is_fine: bool = False, **options: Any
    ) -> dict[str, Any]:
        from authlib.integrations.base_client.errors import OAuthError

        try:
            if not self._client.token:
                await self._client.fetch_token()
            answer = await self._client.request(method, path, **options)
        except httpx.TransportError as error:
            raise NotYet(
                f"{_SYSTEM}: {operation}: {type(error).__name__}", hint="Is api.tailscale.com reachable from here?"
            ) from None
        except (OAuthError, httpx.HTTPStatusError):
            hint = "Check the OAuth client's id and secret in the vault directory."
            raise Broken(
                "the OAuth client was refused", system=_SYSTEM, operation="log in", status=401, hint=hint
            ) from None
        if answer.status_code == 404 and gone_is_fine:
            return {}
        if answer.status_code == 429 or answer.status_code >= 500:
            raise NotYet(f"{_SYSTEM}: {operation}: HTTP {answer.status_code}")
        if answer.status_code >= 400:
            hints = {
                400: "Are the tags of tailscale.node_key owned by the OAuth client's tags?",
                401: "Check the OAuth client's id and secret in the vault directory.",
                403: "The OAuth client needs the scopes auth_keys and devices:core.",
                404: "Is tailscale.tailnet spelled right?",
            }
            code = answer.status_code
            raise Broken(f"HTTP {code}", system=_SYSTEM, operation=operation, status=code, hint=hints.get(code, ""))
        found: dict[str, Any] = answer.json() if answer.content else {}
        return found
