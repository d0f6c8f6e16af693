"""Whom CoreDNS asks for a name: the server block of the longest zone that the name is in, and there the longest forward."""

from collections.abc import Iterable

from rebirth.proof.sources.outside.corefile.words import Forward, Meaning


def _below(host: str, zone: str) -> bool:
    """Whether a name with its last dot is in a zone."""
    return zone in {".", host} or host.endswith(f".{zone}")


def server_of(meanings: Iterable[Meaning], host: str) -> Meaning | None:
    """The server block with the longest zone; the first of those that are alike."""
    fitting = [
        (len(zone.name), meaning)
        for meaning in meanings
        for zone in meaning.server.zones
        if zone.transport == "dns" and _below(host, zone.name)
    ]
    return max(fitting, key=lambda one: one[0])[1] if fitting else None


def forward_of(server: Meaning | None, host: str) -> Forward | None:
    """The forward with the longest zone in that block."""
    found = [forward for forward in server.forwards if _below(host, forward.zone)] if server else []
    return max(found, key=lambda forward: len(forward.zone), default=None)
