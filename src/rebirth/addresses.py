"""Addresses of either family, ranges of them as people write them, and the host in a URL."""

from ipaddress import IPv4Address, IPv6Address, ip_address, ip_network
from urllib.parse import urlsplit

IPAddress = IPv4Address | IPv6Address


def span_of(value: str) -> tuple[IPAddress, IPAddress] | None:
    """First and last address of FIRST-LAST or of a network; None where the last is before the first.

    Raises ValueError for anything else.
    """
    if "-" not in value:
        network = ip_network(value)
        return network[0], network[-1]
    first, last = (ip_address(part.strip()) for part in value.split("-", 1))
    if first.version != last.version:
        raise ValueError
    return (first, last) if int(first) <= int(last) else None


def host_of(url: str) -> str:
    """The host name of a URL that has been validated."""
    return urlsplit(url).hostname or ""
