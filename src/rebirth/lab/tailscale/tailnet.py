"""The state of one tailnet: OAuth clients and what they were granted, keys, devices."""

import re
import secrets
import time
from collections.abc import Callable, Iterable
from dataclasses import dataclass, field
from ipaddress import IPv4Address

_TOKEN_SECONDS = 3600.0
_CONNECTED = 60.0  # seconds after the last heartbeat in which a device counts as connected
_FIRST_ADDRESS = IPv4Address("100.64.1.2")  # the addresses below are for devices that the lab places itself
_HOME_SUFFIXES = (".local", ".localdomain", ".lan")


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
    """An auth key: with it, a device joins."""

    identity: str
    value: str = field(repr=False)
    tags: tuple[str, ...]
    reusable: bool
    ephemeral: bool
    expires: float
    created: float = 0.0
    description: str = ""
    preauthorized: bool = True
    used: bool = False
    revoked: float | None = None


@dataclass
class Device:
    identity: str  # the older id, a number
    node_identity: str  # the newer one, which the device itself knows; nothing of the one stands in the other
    hostname: str
    name: str  # without the tailnet: a taken hostname gets a number
    address: str
    tags: tuple[str, ...]
    ephemeral: bool
    created: float
    seen: float
    authorized: bool = True
    lan_address: str = ""  # from which it registered


@dataclass
class Tailnet:
    """One tailnet. `now` is the clock, in seconds since the epoch; `on_change` is called when devices come or go."""

    name: str
    clients: list[OAuthClient]
    owners: dict[str, frozenset[str]] = field(default_factory=dict)  # tag -> tags whose holders may assign it, too
    ephemeral_timeout: float = 120.0  # seconds of silence after which an ephemeral device goes
    now: Callable[[], float] = time.time
    keys: dict[str, Key] = field(default_factory=dict)  # revoked ones stay: they answer that they are
    devices: dict[str, Device] = field(default_factory=dict)
    on_change: Callable[[], None] = lambda: None
    _grants: dict[str, Grant] = field(default_factory=dict)
    _last: int = int(_FIRST_ADDRESS) - 1

    # -- access

    def login(
        self, identity: str, secret: str, scopes: Iterable[str] = (), tags: Iterable[str] = ()
    ) -> tuple[str, Grant]:
        """An access token for a client; with `scopes` or `tags` for these alone. Raises Refused."""
        client = next((client for client in self.clients if client.identity == identity), None)
        if client is None or not _same(client.secret, secret):
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

    def mint(self, grant: Grant, *, tags: tuple[str, ...], seconds: float, description: str = "", **flags: bool) -> Key:
        """A key for devices with these tags: all of the grant's tags, or any that those own (a part of them alone is refused).

        Raises Refused.
        """
        if not tags:
            raise Refused("tailnet-owned auth key must have tags set", 400)
        if set(tags) != grant.tags and not all(self._owned(tag, grant.tags) for tag in tags):
            raise Refused(f"requested tags [{' '.join(tags)}] are invalid or not permitted", 400)
        identity, moment = f"k{secrets.token_hex(8)}CNTRL", self.now()
        value = f"tskey-auth-{identity}-{secrets.token_hex(16)}"
        key = self.keys[identity] = Key(
            identity,
            value,
            tags,
            reusable=flags.get("reusable", False),
            ephemeral=flags.get("ephemeral", False),
            preauthorized=flags.get("preauthorized", False),
            expires=moment + seconds,
            created=moment,
            description=description,
        )
        return key

    def revoke(self, identity: str) -> None:
        """Devices that have joined with the key stay. Raises Refused."""
        key = self.keys.get(identity)
        if key is None or key.revoked is not None:
            raise Refused("key not found", 404)
        key.revoked = self.now()

    def invalid(self, key: Key) -> str | None:
        """Why the key lets nobody in."""
        if key.revoked is not None:
            return "it was deleted"
        if key.expires <= self.now():
            return "it has expired"
        return "it was already used, and is not reusable" if key.used and not key.reusable else None

    # -- devices

    def register(self, value: str, hostname: str, tags: tuple[str, ...] = (), lan_address: str = "") -> Device:
        """A new device by its key. Raises Refused."""
        key = next((key for key in self.keys.values() if _same(key.value, value)), None)
        if key is None:
            raise Refused("invalid key: unable to validate API key", 401)
        if reason := self.invalid(key):
            raise Refused(f"invalid key: API key {key.identity} not valid: {reason}", 401)
        if not set(tags) <= set(key.tags):
            raise Refused(f"requested tags [{' '.join(tags)}] are invalid or not permitted", 403)
        key.used = True
        return self.add_device(
            hostname, tags=key.tags, ephemeral=key.ephemeral, authorized=key.preauthorized, lan_address=lan_address
        )

    def add_device(
        self,
        hostname: str,
        *,
        address: str | None = None,
        tags: tuple[str, ...] = (),
        ephemeral: bool = False,
        authorized: bool = True,
        seen: float | None = None,
        lan_address: str = "",
    ) -> Device:
        """A device, under its hostname or, where that is taken, under the hostname with a number."""
        self.sweep()
        wanted = label(hostname)
        taken, name, number = {device.name for device in self.devices.values()}, wanted, 0
        while name in taken:
            number += 1
            name = f"{wanted}-{number}"
        identity, moment = str(10**15 + secrets.randbelow(10**15)), self.now()
        self.devices[identity] = device = Device(
            identity,
            f"n{secrets.token_hex(6)}CNTRL",
            hostname,
            name,
            address or self._free_address(),
            tags,
            ephemeral,
            created=moment,
            seen=moment if seen is None else seen,
            authorized=authorized,
            lan_address=lan_address,
        )
        self.on_change()
        return device

    def _free_address(self) -> str:
        self._last += 1
        return str(IPv4Address(self._last))

    def device(self, identity: str) -> Device:
        """By its id, old or new. Raises Refused."""
        self.sweep()
        device = next((one for one in self.devices.values() if identity in {one.identity, one.node_identity}), None)
        if device is None:
            raise Refused("no such device", 404)
        return device

    def remove(self, identity: str) -> None:
        """Raises Refused."""
        del self.devices[self.device(identity).identity]
        self.on_change()

    def connected(self, device: Device) -> bool:
        return self.now() - device.seen < _CONNECTED

    def resolve(self, fqdn: str) -> str | None:
        """The address of a device by its full name."""
        self.sweep()
        name, _, tailnet = fqdn.lower().rstrip(".").partition(".")
        if tailnet != self.name.lower():
            return None
        return next((device.address for device in self.devices.values() if device.name == name), None)

    def sweep(self) -> None:
        """Ephemeral devices that fell silent go away."""
        silent = [d for d in self.devices.values() if d.ephemeral and self.now() - d.seen > self.ephemeral_timeout]
        for device in silent:
            del self.devices[device.identity]
        if silent:
            self.on_change()


def label(hostname: str) -> str:
    """The name of a device with this hostname."""
    lowered = hostname.lower()
    for suffix in _HOME_SUFFIXES:
        lowered = lowered.removesuffix(suffix)
    return re.sub(r"[^a-z0-9]+", "-", lowered).strip("-")[:63] or "device"


def _same(known: str, given: str) -> bool:
    return secrets.compare_digest(known.encode(), given.encode())
