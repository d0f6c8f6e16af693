"""A real ACME server at Let's Encrypt's names: pebble, Let's Encrypt's own for tests, with its validation as it is.

It asks the lab's resolver for a name that is to be proved, and then whoever answers there. Names of sites are none of the
lab's: lab.yaml's `names` says what the world's DNS has of them.
"""

import asyncio
import json
import ssl
from pathlib import Path

import httpx

from rebirth.errors import Broken
from rebirth.lab.ca import Authority
from rebirth.lab.network import RESOLVER
from rebirth.lab.systems.parts import Parts

HOSTS = ("acme-v02.api.letsencrypt.org", "acme-staging-v02.api.letsencrypt.org")
SERVER, _MANAGEMENT = "https://127.0.0.1:14000", "https://127.0.0.1:15000"
PATHS = {"/directory": "/dir"}  # Let's Encrypt's -> pebble's
_NO_SLEEP = {"PEBBLE_VA_NOSLEEP": "1"}  # it would wait up to 15 s before each validation


def trusted(ca: Authority) -> ssl.SSLContext:
    """What pebble's own certificate is checked with."""
    return ssl.create_default_context(cadata=ca.pem)


async def start(parts: Parts, program: str, ca: Authority, folder: Path) -> str:
    """Runs pebble; returns the root of its authority, which is another at each start (PEM). Raises Broken."""
    certificate, key = ca.issue_into(folder, "pebble", ["127.0.0.1"])
    settings = {
        "listenAddress": SERVER.removeprefix("https://"),
        "managementListenAddress": _MANAGEMENT.removeprefix("https://"),
        "certificate": str(certificate),
        "privateKey": str(key),
        "httpPort": 80,
        "tlsPort": 443,
        "keyAlgorithm": "ecdsa",
    }
    config = folder / "pebble.json"
    config.write_text(json.dumps({"pebble": settings}))
    parts.run("pebble", [program, "-config", str(config), "-dnsserver", f"{RESOLVER}:53"], _NO_SLEEP)
    return await _root(ca)


async def _root(ca: Authority) -> str:
    async with httpx.AsyncClient(base_url=_MANAGEMENT, verify=trusted(ca), trust_env=False) as client:
        for _ in range(300):
            try:
                return (await client.get("/roots/0")).text
            except httpx.TransportError:
                await asyncio.sleep(0.1)
    raise Broken("does not answer", system="pebble", operation="start", hint="See pebble.log.")
