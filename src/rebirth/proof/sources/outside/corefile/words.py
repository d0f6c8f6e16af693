"""What a server block of a Corefile means, and the words in it: zones, addresses, durations."""

import re
from collections.abc import Iterable
from dataclasses import dataclass, field
from ipaddress import ip_address, ip_network

from rebirth.proof.sources.outside.corefile.syntax import PORTS, CorefileError, Cursor, Server, Zone

_DURATION = re.compile(r"[+-]?(0|((\d+(\.\d*)?|\.\d+)(ns|us|µs|μs|ms|s|m|h))+)")
INTEGER = re.compile(r"[+-]?\d+")


@dataclass(frozen=True, slots=True)
class Forward:
    zone: str
    to: tuple[str, ...]  # as written
    line: int


@dataclass(frozen=True, slots=True)
class Rewrite:
    kind: str  # exact, suffix, prefix, substring, regex
    before: str
    after: str
    line: int


@dataclass
class Meaning:
    """What a server block does with names."""

    server: Server
    forwards: list[Forward] = field(default_factory=list)
    rewrites: list[Rewrite] = field(default_factory=list)
    hosts: set[str] = field(default_factory=set)  # names that it holds itself
    opens: bool = False  # hosts come from a file that is not known, or zones from plugins that are not read
    cluster: list[str] = field(default_factory=list)  # zones of the kubernetes plugin


def transport_of(text: str) -> tuple[str, str]:
    for transport in ("tls", "dns", "quic", "grpc", "https3", "https", "unix"):
        if text.startswith(f"{transport}://"):
            return transport, text.removeprefix(f"{transport}://")
    return "dns", text


def zones_of(key: str, line: int) -> Iterable[Zone]:
    transport, rest = transport_of(key)
    if rest.endswith(":"):
        raise CorefileError(f'expecting data after last colon: "{rest}"', line)
    host, colon, port = rest.rpartition(":")
    if not colon or not INTEGER.fullmatch(port):
        host, port = rest, str(PORTS.get(transport, 53))
    if not is_domain(host):
        raise CorefileError(f"zone is not a valid domain name: {host}", line)
    return [Zone(name, int(port), transport) for name in _reverse(host)]


def is_domain(name: str) -> bool:
    """As the DNS library tells it: labels of 63 bytes, 255 in all, none empty."""
    if name in {".", ""}:
        return name == "."
    labels = name.removesuffix(".").split(".")
    return all(0 < len(label.encode()) < 64 for label in labels) and len(name.encode()) < 255


def _reverse(host: str) -> list[str]:
    """A network in CIDR form means its reverse zones, one an octet."""
    if "/" in host:
        try:
            network = ip_network(host, strict=False)
        except ValueError:
            return [normal(host)]
        if network.version == 4:
            whole = -(-network.prefixlen // 8) * 8
            octets = [str(n.network_address).split(".")[: whole // 8] for n in network.subnets(new_prefix=whole)]
            return [f"{'.'.join(reversed(found))}{'.' if found else ''}in-addr.arpa." for found in octets]
    return [normal(host)]


def normal(name: str) -> str:
    return name.lower() if name.endswith(".") else f"{name.lower()}."


def origins(arguments: list[str], server: Server) -> list[str]:
    names = [name for argument in arguments for name in origin(argument)]
    return names if arguments else [zone.name for zone in server.zones]


def origin(argument: str) -> list[str]:
    try:
        return [zone.name for zone in zones_of(argument, 0)]
    except CorefileError:
        return []


def duration(text: str, cursor: Cursor) -> None:
    if not _DURATION.fullmatch(text):
        raise cursor.error(f'time: invalid duration "{text}"')


def number(text: str, cursor: Cursor, low: int | None = None, high: int | None = None) -> int:
    if not INTEGER.fullmatch(text):
        raise cursor.error(f'strconv.Atoi: parsing "{text}": invalid syntax')
    number = int(text)
    if (low is not None and number < low) or (high is not None and number > high):
        raise cursor.error(f"{number} is out of range")
    return number


def host_port(text: str, cursor: Cursor) -> None:
    host, colon, _ = text.rpartition(":")
    bare = host[1:-1] if host.startswith("[") and host.endswith("]") else host
    if not colon or (":" in bare and bare == host):
        raise cursor.error(f"address {text}: missing port in address, or too many colons")


def address_of(target: str) -> str | None:
    """The address that a `forward` goes to; None where it names a file or a host."""
    _, rest = transport_of(target)
    rest = rest.partition("%")[0] if "%" in rest else rest
    for text in (rest.strip("[]"), rest.rpartition(":")[0].strip("[]")):
        try:
            return str(ip_address(text))
        except ValueError:
            continue
    return None


def host_of(target: str) -> str | None:
    """The host name that a `forward` looks up when it starts; None for addresses and files."""
    _, rest = transport_of(target)
    if address_of(target) or "/" in rest:
        return None
    return rest.partition("%")[0].rpartition(":")[0] or rest.partition("%")[0]
