"""What CoreDNS' plugins take: the arguments and blocks of those that stand in Corefiles of clusters. Others are only named."""

import re
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, field
from ipaddress import ip_address, ip_network

from rebirth.sources.corefile import PORTS, CorefileError, Cursor, Server, Zone, blocks

# The plugins of the official image.
PLUGINS = frozenset(
    [
        "root",
        "metadata",
        "geoip",
        "cancel",
        "proxyproto",
        "quic",
        "grpc_server",
        "https",
        "https3",
        "timeouts",
        "multisocket",
        "reload",
        "nsid",
        "bufsize",
        "bind",
        "debug",
        "trace",
        "ready",
        "health",
        "pprof",
        "shed",
        "prometheus",
        "errors",
        "log",
        "dnstap",
        "local",
        "dns64",
        "any",
        "chaos",
        "loadbalance",
        "tsig",
        "rewrite",
        "autopath",
        "acl",
        "cache",
        "header",
        "dnssec",
        "tls",
        "minimal",
        "template",
        "transfer",
        "hosts",
        "route53",
        "azure",
        "clouddns",
        "k8s_external",
        "kubernetes",
        "file",
        "auto",
        "secondary",
        "etcd",
        "loop",
        "forward",
        "grpc",
        "erratic",
        "whoami",
        "on",
        "sign",
        "view",
        "nomad",
    ]
)
_DURATION = re.compile(r"[+-]?(0|((\d+(\.\d*)?|\.\d+)(ns|us|µs|μs|ms|s|m|h))+)")
_INTEGER = re.compile(r"[+-]?\d+")
_SHORT = re.compile(r"\+?0|[+-]?([01](\.\d*)?s|\d{1,3}(\.\d*)?ms|.*[nuµμ]s)|-.*")  # of a reload: less than two seconds
_HOSTNAMES_SINCE = (1, 14, 4)  # `forward` takes names from here on, and looks them up when it starts


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


def read(
    text: str, *, version: tuple[int, ...] = (), official: bool = True, beside: Mapping[str, str] | None = None
) -> list[Meaning]:
    """What the server blocks mean. Raises CorefileError where CoreDNS of that version would not start.

    `official` is false for images with plugins of their own: then unknown plugins are passed over. `beside` holds the files
    in the Corefile's folder, which it may import.
    """
    found = []
    taken: set[Zone] = set()
    servers = blocks(text, beside=beside, plugins=PLUGINS if official else None)
    for server in servers:
        server.zones = [zone for key in server.keys for zone in _zones(key, server.line)]
    for server in servers:
        found.append(_meaning(server, version))
        bound = "bind" in server.plugins or "view" in server.plugins
        for zone in server.zones:
            if not bound and zone in taken:
                words = f"cannot serve {zone.transport}://{zone.name}:{zone.port} - it is already defined"
                raise CorefileError(words, server.line)
            taken.add(zone)
    return found


def _meaning(server: Server, version: tuple[int, ...]) -> Meaning:
    meaning = Meaning(server)
    for name, tokens in server.plugins.items():
        if name in _SETUPS:
            _SETUPS[name](Cursor(tokens), meaning, version)
        elif (
            name
            in {
                "file",
                "auto",
                "secondary",
                "etcd",
                "route53",
                "azure",
                "clouddns",
                "template",
                "nomad",
                "k8s_external",
            }
            or name not in PLUGINS
        ):
            meaning.opens = True
    return meaning


# -- words


def _transport(text: str) -> tuple[str, str]:
    for transport in ("tls", "dns", "quic", "grpc", "https3", "https", "unix"):
        if text.startswith(f"{transport}://"):
            return transport, text.removeprefix(f"{transport}://")
    return "dns", text


def _zones(key: str, line: int) -> Iterable[Zone]:
    transport, rest = _transport(key)
    if rest.endswith(":"):
        raise CorefileError(f'expecting data after last colon: "{rest}"', line)
    host, colon, port = rest.rpartition(":")
    if not colon or not _INTEGER.fullmatch(port):
        host, port = rest, str(PORTS.get(transport, 53))
    if not _is_domain(host):
        raise CorefileError(f"zone is not a valid domain name: {host}", line)
    return [Zone(name, int(port), transport) for name in _reverse(host)]


def _is_domain(name: str) -> bool:
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
            return [_normal(host)]
        if network.version == 4:
            whole = -(-network.prefixlen // 8) * 8
            octets = [str(n.network_address).split(".")[: whole // 8] for n in network.subnets(new_prefix=whole)]
            return [f"{'.'.join(reversed(found))}{'.' if found else ''}in-addr.arpa." for found in octets]
    return [_normal(host)]


def _normal(name: str) -> str:
    return name.lower() if name.endswith(".") else f"{name.lower()}."


def _origins(arguments: list[str], server: Server) -> list[str]:
    names = [name for argument in arguments for name in _origin(argument)]
    return names if arguments else [zone.name for zone in server.zones]


def _origin(argument: str) -> list[str]:
    try:
        return [zone.name for zone in _zones(argument, 0)]
    except CorefileError:
        return []


def _duration(text: str, cursor: Cursor) -> None:
    if not _DURATION.fullmatch(text):
        raise cursor.error(f'time: invalid duration "{text}"')


def _number(text: str, cursor: Cursor, low: int | None = None, high: int | None = None) -> int:
    if not _INTEGER.fullmatch(text):
        raise cursor.error(f'strconv.Atoi: parsing "{text}": invalid syntax')
    number = int(text)
    if (low is not None and number < low) or (high is not None and number > high):
        raise cursor.error(f"{number} is out of range")
    return number


def _host_port(text: str, cursor: Cursor) -> None:
    host, colon, _ = text.rpartition(":")
    bare = host[1:-1] if host.startswith("[") and host.endswith("]") else host
    if not colon or (":" in bare and bare == host):
        raise cursor.error(f"address {text}: missing port in address, or too many colons")


# -- plugins

_Setup = Callable[[Cursor, Meaning, tuple[int, ...]], None]
_Rule = Callable[[list[str], Cursor], None]  # looks at the rest of the line


@dataclass(frozen=True, slots=True)
class _One:
    """A property that takes one word. What follows on its line is read as the next property."""

    check: Callable[[str, Cursor], object]

    def read(self, cursor: Cursor) -> None:
        if not cursor.next_argument():
            raise cursor.argument_error()
        self.check(cursor.value, cursor)


class _Nothing(_One):
    """A property that no word may follow on its line."""

    def read(self, cursor: Cursor) -> None:
        if cursor.next_argument():
            raise cursor.argument_error()


class _Health(_One):
    def read(self, cursor: Cursor) -> None:
        super().read(cursor)
        while cursor.next_argument():
            if cursor.value == "domain":
                if not cursor.next_argument():
                    raise cursor.argument_error()
            elif cursor.value != "no_rec":
                raise cursor.error(f"health_check: unknown option {cursor.value}")


_Rules = Mapping[str, _Rule | _One]


def _exactly(count: int) -> _Rule:
    def rule(arguments: list[str], cursor: Cursor) -> None:
        if len(arguments) != count:
            raise cursor.argument_error()

    return rule


def _some(arguments: list[str], cursor: Cursor) -> None:
    if not arguments:
        raise cursor.argument_error()


def _any(_arguments: list[str], _cursor: Cursor) -> None:
    return None


def _one_duration(arguments: list[str], cursor: Cursor) -> None:
    _exactly(1)(arguments, cursor)
    _duration(arguments[0], cursor)


def _one_number(arguments: list[str], cursor: Cursor) -> None:
    _exactly(1)(arguments, cursor)
    _number(arguments[0], cursor)


def _one_of(*words: str) -> _Rule:
    def rule(arguments: list[str], cursor: Cursor) -> None:
        _exactly(1)(arguments, cursor)
        if arguments[0] not in words:
            raise cursor.error(f"'{arguments[0]}' is none of {', '.join(words)}")

    return rule


def _block(cursor: Cursor, rules: _Rules) -> None:
    while cursor.next_in_block():
        name = cursor.value
        if name not in rules:
            raise cursor.error(f"unknown property '{name}'")
        rule = rules[name]
        if isinstance(rule, _One):
            rule.read(cursor)
        else:
            rule(cursor.arguments(), cursor)


def _plain(rules: _Rules, *, once: bool, check: _Rule) -> _Setup:
    """A plugin whose arguments `check` looks at, with a block of `rules`."""

    def setup(cursor: Cursor, _meaning: Meaning, _version: tuple[int, ...]) -> None:
        seen = False
        while cursor.next():
            if once and seen:
                raise cursor.error("this plugin can only be used once per Server Block")
            seen = True
            check(cursor.arguments(), cursor)
            _block(cursor, rules)

    return setup


def _address(arguments: list[str], cursor: Cursor) -> None:
    if len(arguments) > 1:
        raise cursor.argument_error()
    for argument in arguments:
        _host_port(argument, cursor)


def _classes(arguments: list[str], cursor: Cursor) -> None:
    _some(arguments, cursor)
    for argument in arguments:
        if argument not in {"all", "denial", "error", "success"}:
            raise cursor.error(f"invalid Class: {argument}")


def _errors(arguments: list[str], cursor: Cursor) -> None:
    if len(arguments) > 1:
        raise cursor.argument_error()
    if arguments not in ([], ["stdout"]):
        raise cursor.error(f"invalid log file: {arguments[0]}")


def _consolidate(arguments: list[str], cursor: Cursor) -> None:
    if not 2 <= len(arguments) <= 4:
        raise cursor.argument_error()
    _duration(arguments[0], cursor)


def _loop(cursor: Cursor, _meaning: Meaning, _version: tuple[int, ...]) -> None:
    cursor.next()
    if cursor.next_argument():
        raise cursor.argument_error()
    if cursor.next():
        raise cursor.error("this plugin can only be used once per Server Block")


def _reload(cursor: Cursor, _meaning: Meaning, _version: tuple[int, ...]) -> None:
    cursor.next()
    arguments = cursor.arguments()
    if len(arguments) > 2:
        raise cursor.argument_error()
    for argument in arguments:
        _duration(argument, cursor)
    if arguments and _SHORT.fullmatch(arguments[0]):
        raise cursor.error("interval value must be greater or equal to 2s")


def _loadbalance(arguments: list[str], cursor: Cursor) -> None:
    if arguments and arguments[0] not in {"round_robin", "weighted"}:
        raise cursor.error(f"unknown policy: {arguments[0]}")
    if arguments[:1] == ["round_robin"] and len(arguments) > 1:
        raise cursor.error("unknown property for round_robin")
    if arguments[:1] == ["weighted"] and len(arguments) != 2:
        raise cursor.error("missing weight file argument")


def _cache_arguments(arguments: list[str], cursor: Cursor) -> None:
    if arguments and _INTEGER.fullmatch(arguments[0]) and int(arguments[0]) <= 0:
        raise cursor.error(f"cache TTL can not be zero or negative: {arguments[0]}")


def _capacity(arguments: list[str], cursor: Cursor) -> None:
    _some(arguments, cursor)
    _number(arguments[0], cursor)
    for argument in arguments[1:2]:
        _number(argument, cursor, low=1)
    for argument in arguments[2:3]:
        _number(argument, cursor, low=0)


def _prefetch(arguments: list[str], cursor: Cursor) -> None:
    if not 1 <= len(arguments) <= 3:
        raise cursor.argument_error()
    _number(arguments[0], cursor, low=0)
    for argument in arguments[1:2]:
        _duration(argument, cursor)


def _disable(arguments: list[str], cursor: Cursor) -> None:
    _some(arguments, cursor)
    if arguments[0] not in {"success", "denial"}:
        raise cursor.error('cache type for disable must be "success" or "denial"')


def _word(*words: str) -> _One:
    def check(text: str, cursor: Cursor) -> None:
        if words and text not in words:
            raise cursor.error(f"'{text}' is none of {', '.join(words)}")

    return _One(check)


def _natural(text: str, cursor: Cursor) -> None:
    _number(text, cursor, low=0)


_FORWARD_BLOCK: _Rules = {
    "except": _some, "max_fails": _One(_natural), "max_connect_attempts": _One(_natural), "health_check": _Health(_duration),
    "force_tcp": _Nothing(_natural), "prefer_udp": _Nothing(_natural), "tls": _any, "tls_servername": _word(),
    "expire": _One(_duration), "max_age": _One(_duration), "max_idle_conns": _One(_natural), "read_timeout": _One(_duration),
    "doh_method": _word("POST", "GET"), "policy": _word("random", "round_robin", "sequential"),
    "max_concurrent": _One(_natural), "next": _some, "next_on_nodata": _Nothing(_natural),
    "failfast_all_unhealthy_upstreams": _exactly(0), "failover": _some, "resolver": _some, "source_address": _word(),
}  # fmt: skip


def _forward(cursor: Cursor, meaning: Meaning, version: tuple[int, ...]) -> None:
    while cursor.next():
        line = cursor.line
        if not cursor.next_argument():
            raise cursor.argument_error()
        zones = _origin(cursor.value)
        if not zones:
            raise cursor.error(f"unable to normalize '{cursor.value}'")
        to = cursor.arguments()
        if not to:
            raise cursor.argument_error()
        _block(cursor, _FORWARD_BLOCK)
        for target in to:
            _target(target, version, CorefileError("", line))
        if len(to) > 15:
            raise CorefileError(f"more than 15 TOs configured: {len(to)}", line)
        meaning.forwards.append(Forward(zones[0], tuple(to), line))


def address_of(target: str) -> str | None:
    """The address that a `forward` goes to; None where it names a file or a host."""
    _, rest = _transport(target)
    rest = rest.partition("%")[0] if "%" in rest else rest
    for text in (rest.strip("[]"), rest.rpartition(":")[0].strip("[]")):
        try:
            return str(ip_address(text))
        except ValueError:
            continue
    return None


def host_of(target: str) -> str | None:
    """The host name that a `forward` looks up when it starts; None for addresses and files."""
    _, rest = _transport(target)
    if address_of(target) or "/" in rest:
        return None
    return rest.partition("%")[0].rpartition(":")[0] or rest.partition("%")[0]


def _target(target: str, version: tuple[int, ...], error: CorefileError) -> None:
    name = host_of(target)
    if name is None:
        return
    if version and version < _HOSTNAMES_SINCE:
        raise CorefileError(f'not an IP address or file: "{target}"', error.line)
    if not _is_domain(name):
        raise CorefileError(f'not an IP address, file, or valid domain: "{target}"', error.line)
    if "." not in name.strip("."):
        raise CorefileError(
            f'failed to resolve "{name}": CoreDNS looks it up where it runs, before it answers itself', error.line
        )


def _hosts(cursor: Cursor, meaning: Meaning, _version: tuple[int, ...]) -> None:
    seen = False
    while cursor.next():
        if seen:
            raise cursor.error("this plugin can only be used once per Server Block")
        seen, falls = True, False
        meaning.opens |= bool(cursor.arguments())
        while cursor.next_in_block():
            word, arguments = cursor.value, cursor.arguments()
            if word == "fallthrough":
                falls = True
            elif word == "ttl":
                _some(arguments, cursor)
                _number(arguments[0], cursor, low=1, high=65535)
            elif word == "reload":
                _one_duration(arguments, cursor)
            elif word in {"no_reverse", "fallthrough_unsupported"}:
                continue
            elif falls:
                raise cursor.error(f"unknown property '{word}'")
            else:
                meaning.hosts |= {_normal(name) for name in arguments}


_KUBERNETES_BLOCK: _Rules = {
    "endpoint_pod_names": _exactly(0), "pods": _one_of("disabled", "insecure", "verified"), "namespaces": _some,
    "endpoint": _some, "tls": _exactly(3), "labels": _some, "namespace_labels": _some, "fallthrough": _any, "ttl": _some,
    "noendpoints": _exactly(0), "zonal": _exactly(0), "ignore": _any, "kubeconfig": _some, "multicluster": _any,
    "startup_timeout": _some, "apiserver_qps": _exactly(1), "apiserver_burst": _one_number, "apiserver_max_inflight": _one_number,
}  # fmt: skip


def _kubernetes(cursor: Cursor, meaning: Meaning, _version: tuple[int, ...]) -> None:
    seen = False
    while cursor.next():
        if seen:
            raise cursor.error("this plugin can only be used once per Server Block")
        seen = True
        zones = _origins(cursor.arguments(), meaning.server)
        forward = [zone for zone in zones if not zone.endswith((".in-addr.arpa.", ".ip6.arpa."))]
        if not forward:
            raise cursor.error("non-reverse zone name must be used")
        meaning.cluster += forward
        _block(cursor, _KUBERNETES_BLOCK)


_REWRITES = {"exact", "prefix", "suffix", "substring", "regex"}


def _rewrite(cursor: Cursor, meaning: Meaning, _version: tuple[int, ...]) -> None:
    while cursor.next():
        line, words = cursor.line, cursor.arguments()
        if len(words) < 2:
            while cursor.next_in_block():
                words.append(cursor.value)
        if not words:
            raise CorefileError("no rule type specified for rewrite", line)
        if words[0].lower() in {"continue", "stop"}:
            words = words[1:]
        kind = words[0].lower() if words else ""
        if kind not in {"name", "class", "type", "edns0", "ttl", "cname", "rcode"}:
            raise CorefileError(f'invalid rule type "{kind}"', line)
        if kind == "name":
            meaning.rewrites += _name_rule(words[1:], line)


def _name_rule(words: list[str], line: int) -> list[Rewrite]:
    if len(words) < 2:
        raise CorefileError("too few arguments for a name rule", line)
    if len(words) == 2:
        return [Rewrite("exact", _normal(words[0]), _normal(words[1]), line)]
    kind = words[0].lower()
    if kind not in _REWRITES:
        raise CorefileError(
            f"name rule supports only exact, prefix, suffix, substring, and regex, received: {kind}", line
        )
    if kind == "regex":
        return [Rewrite(kind, words[1], words[2], line)]
    return [Rewrite(kind, _normal(words[1]), _normal(words[2]), line)]


_SETUPS: Mapping[str, _Setup] = {
    "health": _plain({"lameduck": _one_duration}, once=False, check=_address),
    "ready": _plain({"monitor": _one_of("until-ready", "continuously")}, once=True, check=_address),
    "errors": _plain({"stacktrace": _any, "consolidate": _consolidate}, once=True, check=_errors),
    "prometheus": _plain({"runtime_metrics": _exactly(0), "tls": _exactly(1)}, once=True, check=_address),
    "log": _plain({"class": _classes}, once=False, check=_any),
    "loop": _loop,
    "loadbalance": _plain({"prefer": _any, "reload": _one_duration}, once=False, check=_loadbalance),
    "cache": _plain(
        {"success": _capacity, "denial": _capacity, "prefetch": _prefetch, "serve_stale": _any, "serve_stale_policy": _exactly(1),
         "servfail": _one_duration, "disable": _disable, "keepttl": _exactly(0)},
        once=True, check=_cache_arguments,
    ),
    "bind": _plain({"except": _some}, once=False, check=_some),
    "reload": _reload,
    "forward": _forward,
    "hosts": _hosts,
    "kubernetes": _kubernetes,
    "rewrite": _rewrite,
}  # fmt: skip
