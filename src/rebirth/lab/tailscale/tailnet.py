"""What a tailnet's API knows: OAuth clients, what they were granted, keys, and the devices as it shows them.

Who lets devices in and knows them is a control server behind it.
"""

import secrets
import time
from collections.abc import Callable, Iterable
from dataclasses import dataclass, field
from typing import Protocol

_TOKEN_SECONDS = 3600.0


class Refused(Exception):  # noqa: N818 - what happens, not what went wrong here
    """Answered as `{"message": ...}` with an HTTP status."""

    def __init__(self, message: str, status: int) -> None:
        super().__init__(message)
        self.status = status


@dataclass(frozen=True)
class OAuthClient:
    identity: str
    secret: str = field(repr=False)
    scopes: frozenset[str] = frozenset({"auth_keys", "devices:core"})
    tags: frozenset[str] = frozenset()


@dataclass(frozen=True)
class Grant:
    """An access token: it may do what its client may, or less."""

    scopes: frozenset[str]
    tags: frozenset[str]
    until: float

    def allows(self, scope: str, *, reading: bool) -> bool:
        enough = {scope, "all", scope.partition(":")[0]} | ({f"{scope}:read", "all:read"} if reading else set())
        return bool(self.scopes & enough)


@dataclass
class Key:
    """An auth key: with it, a device joins. The control server knows it by its secret."""

    identity: str
    secret: str = field(repr=False)
    tags: tuple[str, ...]
    reusable: bool
    ephemeral: bool
    expires: float
    created: float = 0.0
    description: str = ""
    preauthorized: bool = True
    revoked: float | None = None

    @property
    def value(self) -> str:
        return f"tskey-auth-{self.identity}-{self.secret}"


@dataclass(frozen=True)
class Node:
    """A device as the control server knows it."""

    identity: str  # which the device itself knows
    hostname: str
    name: str  # without the tailnet: a taken hostname gets a number
    addresses: tuple[str, ...]
    tags: tuple[str, ...]
    ephemeral: bool
    created: float
    seen: float
    connected: bool
    advertised_routes: tuple[str, ...] = ()
    enabled_routes: tuple[str, ...] = ()
    key: str = field(default="", repr=False)  # the secret of the key with which it joined


@dataclass(frozen=True)
class Device:
    """A node as the API shows it: with an older id, a number, beside the node's own; nothing of the one stands in the other."""

    identity: str
    node: Node
    authorized: bool = True


class ControlServer(Protocol):
    """What lets devices in, and knows them."""

    async def mint(self, *, tags: Iterable[str], reusable: bool, ephemeral: bool, expires: float) -> str:
        """The secret of a new key."""

    async def expire(self, secret: str) -> None:
        """From now on the key lets nobody in; who has joined with it stays."""

    async def used_up(self) -> frozenset[str]:
        """The secrets of keys that have let in whom they may."""

    async def nodes(self) -> list[Node]: ...

    async def remove(self, node: str) -> None:
        """By the id that the device itself knows."""


@dataclass
class Tailnet:
    """One tailnet. `now` is the clock, in seconds since the epoch."""

    name: str
    control: ControlServer
    clients: list[OAuthClient]
    owners: dict[str, frozenset[str]] = field(default_factory=dict)  # tag -> tags whose holders may assign it, too
    now: Callable[[], float] = time.time
    keys: dict[str, Key] = field(default_factory=dict)  # revoked ones stay: they answer that they are
    _grants: dict[str, Grant] = field(default_factory=dict)
    _numbers: dict[str, str] = field(default_factory=dict)  # node -> its device's older id

    # -- access

    def login(
        self, identity: str, secret: str, scopes: Iterable[str] = (), tags: Iterable[str] = ()
    ) -> tuple[str, Grant]:
        """An access token for a client; with `scopes` or `tags` for these alone. Raises Refused."""
        client = next((client for client in self.clients if client.identity == identity), None)
        if client is None or not secrets.compare_digest(client.secret.encode(), secret.encode()):
            raise Refused("API token invalid", 401)
        wanted_scopes, wanted_tags = frozenset(scopes) or client.scopes, frozenset(tags) or client.tags
        whole = Grant(client.scopes, client.tags, 0)
        if not all(
            whole.allows(scope.removesuffix(":read"), reading=scope.endswith(":read")) for scope in wanted_scopes
        ):
            raise Refused(f'OAuth client cannot grant scopes "{" ".join(sorted(wanted_scopes))}"', 403)
        if refused := [
            tag for tag in sorted(wanted_tags) if tag not in client.tags and not self._owned(tag, client.tags)
        ]:
            raise Refused(f"requested tags [{' '.join(refused)}] are invalid or not permitted", 400)
        token = f"tskey-api-{secrets.token_hex(8)}CNTRL-{secrets.token_hex(16)}"
        grant = self._grants[token] = Grant(wanted_scopes, wanted_tags, self.now() + _TOKEN_SECONDS)
        return token, grant

    def granted(self, token: str) -> Grant:
        """What an access token allows. Raises Refused."""
        grant = self._grants.get(token)
        if grant is None or grant.until <= self.now():
            raise Refused("API token invalid", 401)
        return grant

    def _owned(self, tag: str, by: frozenset[str]) -> bool:
        return bool(self.owners.get(tag, frozenset()) & by)

    # -- keys

    async def mint(
        self, grant: Grant, *, tags: tuple[str, ...], seconds: float, description: str = "", **flags: bool
    ) -> Key:
        """A key for devices with these tags: all of the grant's tags, or any that those own (a part of them alone is refused).

        Raises Refused.
        """
        if not tags:
            raise Refused("tailnet-owned auth key must have tags set", 400)
        if set(tags) != grant.tags and not all(self._owned(tag, grant.tags) for tag in tags):
            raise Refused(f"requested tags [{' '.join(tags)}] are invalid or not permitted", 400)
        moment = self.now()
        reusable, ephemeral = flags.get("reusable", False), flags.get("ephemeral", False)
        secret = await self.control.mint(tags=tags, reusable=reusable, ephemeral=ephemeral, expires=moment + seconds)
        key = Key(
            f"k{secrets.token_hex(8)}CNTRL",
            secret,
            tags,
            reusable=reusable,
            ephemeral=ephemeral,
            preauthorized=flags.get("preauthorized", False),
            expires=moment + seconds,
            created=moment,
            description=description,
        )
        self.keys[key.identity] = key
        return key

    async def revoke(self, identity: str) -> None:
        """Devices that have joined with the key stay. Raises Refused."""
        key = self.keys.get(identity)
        if key is None or key.revoked is not None:
            raise Refused("key not found", 404)
        key.revoked = self.now()
        await self.control.expire(key.secret)

    async def valid_keys(self) -> list[Key]:
        """Those that still let somebody in."""
        used = await self.control.used_up()
        moment = self.now()
        return [
            key for key in self.keys.values() if key.revoked is None and key.expires > moment and key.secret not in used
        ]

    # -- devices

    async def devices(self) -> list[Device]:
        """Every device, as the control server knows it at this moment."""
        preauthorized = {key.secret: key.preauthorized for key in self.keys.values()}
        return [
            Device(self._number(node.identity), node, preauthorized.get(node.key, True))
            for node in await self.control.nodes()
        ]

    def _number(self, node: str) -> str:
        return self._numbers.setdefault(node, str(10**15 + secrets.randbelow(10**15)))

    async def device(self, identity: str) -> Device:
        """By its id, old or new. Raises Refused."""
        for device in await self.devices():
            if identity in {device.identity, device.node.identity}:
                return device
        raise Refused("no such device", 404)

    async def remove(self, identity: str) -> None:
        """Raises Refused."""
        await self.control.remove((await self.device(identity)).node.identity)
