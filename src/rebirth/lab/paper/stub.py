"""The stub's image: one small program, and an authority that lets it answer over TLS under whatever name it is asked for."""

import json
from collections.abc import Iterable

from rebirth.castle import Site
from rebirth.lab.building.images import Image
from rebirth.lab.ca import Authority
from rebirth.lab.paper.pods import STUB

_PROGRAM = "/.rebirth/paper"  # where no chart mounts anything


def image(authority: Authority) -> Image:
    certificate, key = authority.below("Rebirth lab, on paper")
    own = {".rebirth/ca.crt": certificate.encode(), ".rebirth/ca.key": key.encode()}
    return Image(STUB, {_PROGRAM: "binary:paper"}, (_PROGRAM,), "65532:65532", own=own)


def told(sites: Iterable[Site]) -> list[str]:
    """The arguments of every stub: what is expected of the castle's sites, behind which it may stand."""
    expected = [{"host": site.host, "status": site.status, "contains": site.contains} for site in sites]
    return [f"--sites={json.dumps(expected)}"] if expected else []
