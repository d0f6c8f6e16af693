"""A Corefile as CoreDNS of a version understands it: read, and rejected where CoreDNS would not start."""

from collections.abc import Mapping

from rebirth.proof.sources.outside.corefile.setups import SETUPS
from rebirth.proof.sources.outside.corefile.syntax import CorefileError, Cursor, Server, Zone, blocks
from rebirth.proof.sources.outside.corefile.words import Meaning, zones_of

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
        server.zones = [zone for key in server.keys for zone in zones_of(key, server.line)]
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
        if name in SETUPS:
            SETUPS[name](Cursor(tokens), meaning, version)
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
