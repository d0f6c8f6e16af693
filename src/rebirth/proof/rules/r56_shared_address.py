"""Two Services ask for one address, and cannot both have it.

What it finds:
    Two Services of type LoadBalancer that name the same address and have no sharing key in common, or share it and listen on
    the same port.

Why it cannot work:
    One of them gets the address, by chance of who comes first; the other stays without any, and what waits for it with it.

Example:
    Traefik and the DNS server both ask MetalLB for 192.168.50.200 with port 443/TCP.

Instead:
    Give them two addresses, or one sharing key (metallb.io/allow-shared-ip) and different ports.
"""

from collections.abc import Iterator

from rebirth.proof.graph import Graph
from rebirth.proof.rules.finding import Finding, Severity


def r56_shared_address(graph: Graph) -> Iterator[Finding]:
    for remark in graph.marked("shared-address"):
        yield Finding(
            "R56",
            Severity.ERROR,
            remark.words,
            remark.place,
            why="An address is given to one Service for each port; the other stays without any.",
            instead="Give them two addresses, or one sharing key and different ports.",
        )
