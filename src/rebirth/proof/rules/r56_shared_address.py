"""Two Services ask for one address, and cannot both have it.

What it finds:
    Two Services of type LoadBalancer that name the same address and have no sharing key in common, or share it and listen
    on the same port.

Why it cannot work:
    Whichever comes first gets the address; the other gets none, and whatever waits for it waits forever.

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
            why="Each port of an address goes to one Service; the other Service gets no address.",
            instead="Give them two addresses, or one sharing key and different ports.",
            cause=remark["address"],
        )
