"""What single plugins take: those that stand in Corefiles of clusters. Others are only named."""

import re
from collections.abc import Mapping

from rebirth.proof.sources.outside.corefile.properties import (
    Nothing,
    One,
    Rules,
    Setup,
    anything,
    block,
    exactly,
    one_duration,
    one_number,
    one_of,
    plain,
    some,
)
from rebirth.proof.sources.outside.corefile.syntax import CorefileError, Cursor
from rebirth.proof.sources.outside.corefile.words import (
    INTEGER,
    Forward,
    Meaning,
    Rewrite,
    duration,
    host_of,
    host_port,
    is_domain,
    normal,
    number,
    origin,
    origins,
)

_SHORT = re.compile(r"\+?0|[+-]?([01](\.\d*)?s|\d{1,3}(\.\d*)?ms|.*[nuµμ]s)|-.*")  # of a reload: less than two seconds
_HOSTNAMES_SINCE = (1, 14, 4)  # `forward` takes names from here on, and looks them up when it starts


class _Health(One):
    def read(self, cursor: Cursor) -> None:
        super().read(cursor)
        while cursor.next_argument():
            if cursor.value == "domain":
                if not cursor.next_argument():
                    raise cursor.argument_error()
            elif cursor.value != "no_rec":
                raise cursor.error(f"health_check: unknown option {cursor.value}")


def _address(arguments: list[str], cursor: Cursor) -> None:
    if len(arguments) > 1:
        raise cursor.argument_error()
    for argument in arguments:
        host_port(argument, cursor)


def _classes(arguments: list[str], cursor: Cursor) -> None:
    some(arguments, cursor)
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
    duration(arguments[0], cursor)


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
        duration(argument, cursor)
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
    if arguments and INTEGER.fullmatch(arguments[0]) and int(arguments[0]) <= 0:
        raise cursor.error(f"cache TTL can not be zero or negative: {arguments[0]}")


def _capacity(arguments: list[str], cursor: Cursor) -> None:
    some(arguments, cursor)
    number(arguments[0], cursor)
    for argument in arguments[1:2]:
        number(argument, cursor, low=1)
    for argument in arguments[2:3]:
        number(argument, cursor, low=0)


def _prefetch(arguments: list[str], cursor: Cursor) -> None:
    if not 1 <= len(arguments) <= 3:
        raise cursor.argument_error()
    number(arguments[0], cursor, low=0)
    for argument in arguments[1:2]:
        duration(argument, cursor)


def _disable(arguments: list[str], cursor: Cursor) -> None:
    some(arguments, cursor)
    if arguments[0] not in {"success", "denial"}:
        raise cursor.error('cache type for disable must be "success" or "denial"')


def _word(*words: str) -> One:
    def check(text: str, cursor: Cursor) -> None:
        if words and text not in words:
            raise cursor.error(f"'{text}' is none of {', '.join(words)}")

    return One(check)


def _natural(text: str, cursor: Cursor) -> None:
    number(text, cursor, low=0)


_FORWARD_BLOCK: Rules = {
    "except": some, "max_fails": One(_natural), "max_connect_attempts": One(_natural), "health_check": _Health(duration),
    "force_tcp": Nothing(_natural), "prefer_udp": Nothing(_natural), "tls": anything, "tls_servername": _word(),
    "expire": One(duration), "max_age": One(duration), "max_idle_conns": One(_natural), "read_timeout": One(duration),
    "doh_method": _word("POST", "GET"), "policy": _word("random", "round_robin", "sequential"),
    "max_concurrent": One(_natural), "next": some, "next_on_nodata": Nothing(_natural),
    "failfast_all_unhealthy_upstreams": exactly(0), "failover": some, "resolver": some, "source_address": _word(),
}  # fmt: skip


def _forward(cursor: Cursor, meaning: Meaning, version: tuple[int, ...]) -> None:
    while cursor.next():
        line = cursor.line
        if not cursor.next_argument():
            raise cursor.argument_error()
        zones = origin(cursor.value)
        if not zones:
            raise cursor.error(f"unable to normalize '{cursor.value}'")
        to = cursor.arguments()
        if not to:
            raise cursor.argument_error()
        block(cursor, _FORWARD_BLOCK)
        for target in to:
            _target(target, version, CorefileError("", line))
        if len(to) > 15:
            raise CorefileError(f"more than 15 TOs configured: {len(to)}", line)
        meaning.forwards.append(Forward(zones[0], tuple(to), line))


def _target(target: str, version: tuple[int, ...], error: CorefileError) -> None:
    name = host_of(target)
    if name is None:
        return
    if version and version < _HOSTNAMES_SINCE:
        raise CorefileError(f'not an IP address or file: "{target}"', error.line)
    if not is_domain(name):
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
                some(arguments, cursor)
                number(arguments[0], cursor, low=1, high=65535)
            elif word == "reload":
                one_duration(arguments, cursor)
            elif word in {"no_reverse", "fallthrough_unsupported"}:
                continue
            elif falls:
                raise cursor.error(f"unknown property '{word}'")
            else:
                meaning.hosts |= {normal(name) for name in arguments}


_KUBERNETES_BLOCK: Rules = {
    "endpoint_pod_names": exactly(0), "pods": one_of("disabled", "insecure", "verified"), "namespaces": some,
    "endpoint": some, "tls": exactly(3), "labels": some, "namespace_labels": some, "fallthrough": anything, "ttl": some,
    "noendpoints": exactly(0), "zonal": exactly(0), "ignore": anything, "kubeconfig": some, "multicluster": anything,
    "startup_timeout": some, "apiserver_qps": exactly(1), "apiserver_burst": one_number, "apiserver_max_inflight": one_number,
}  # fmt: skip


def _kubernetes(cursor: Cursor, meaning: Meaning, _version: tuple[int, ...]) -> None:
    seen = False
    while cursor.next():
        if seen:
            raise cursor.error("this plugin can only be used once per Server Block")
        seen = True
        zones = origins(cursor.arguments(), meaning.server)
        forward = [zone for zone in zones if not zone.endswith((".in-addr.arpa.", ".ip6.arpa."))]
        if not forward:
            raise cursor.error("non-reverse zone name must be used")
        meaning.cluster += forward
        block(cursor, _KUBERNETES_BLOCK)


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
        return [Rewrite("exact", normal(words[0]), normal(words[1]), line)]
    kind = words[0].lower()
    if kind not in _REWRITES:
        raise CorefileError(
            f"name rule supports only exact, prefix, suffix, substring, and regex, received: {kind}", line
        )
    if kind == "regex":
        return [Rewrite(kind, words[1], words[2], line)]
    return [Rewrite(kind, normal(words[1]), normal(words[2]), line)]


SETUPS: Mapping[str, Setup] = {
    "health": plain({"lameduck": one_duration}, once=False, check=_address),
    "ready": plain({"monitor": one_of("until-ready", "continuously")}, once=True, check=_address),
    "errors": plain({"stacktrace": anything, "consolidate": _consolidate}, once=True, check=_errors),
    "prometheus": plain({"runtime_metrics": exactly(0), "tls": exactly(1)}, once=True, check=_address),
    "log": plain({"class": _classes}, once=False, check=anything),
    "loop": _loop,
    "loadbalance": plain({"prefer": anything, "reload": one_duration}, once=False, check=_loadbalance),
    "cache": plain(
        {"success": _capacity, "denial": _capacity, "prefetch": _prefetch, "serve_stale": anything, "serve_stale_policy": exactly(1),
         "servfail": one_duration, "disable": _disable, "keepttl": exactly(0)},
        once=True, check=_cache_arguments,
    ),
    "bind": plain({"except": some}, once=False, check=some),
    "reload": _reload,
    "forward": _forward,
    "hosts": _hosts,
    "kubernetes": _kubernetes,
    "rewrite": _rewrite,
}  # fmt: skip
