"""Run inside a lab, on a castle that is up: `python pending_release.py CASTLE`.

Makes MetalLB's release look as a helm leaves it that was killed in the middle, and lets the product install it again.
"""

import asyncio
import base64
import gzip
import json
import sys
from pathlib import Path

import pytest

from rebirth.castle import load
from rebirth.commands import Commands
from rebirth.errors import NotYet
from rebirth.paths import paths_of
from rebirth.providers.cluster import Cluster
from rebirth.providers.helm import Helm
from rebirth.secrets import Redaction


async def pend(cluster: Cluster, namespace: str, updated: str) -> None:
    """The record of revision 1 says that it is being installed since then."""
    name = "sh.helm.release.v1.metallb.v1"
    record = await cluster.find("v1", "Secret", name, namespace)
    release = json.loads(gzip.decompress(base64.b64decode(base64.b64decode(record["data"]["release"]))))
    release["info"] |= {"status": "pending-install", "last_deployed": updated}
    packed = base64.b64encode(base64.b64encode(gzip.compress(json.dumps(release).encode()))).decode()
    change = {"metadata": {"labels": {"status": "pending-install"}}, "data": {"release": packed}}
    await cluster.merge("v1", "Secret", name, namespace, change)


async def main(folder: Path) -> None:
    castle = load(folder)
    paths = paths_of(folder, castle.secrets)
    cluster, chart = Cluster(paths=paths), castle.networking.metallb
    helm = Helm(paths=paths, commands=Commands(Redaction()), cluster=cluster)
    wanted = {"name": "metallb", "namespace": chart.namespace, "chart": "metallb", "version": chart.version,
              "repository": chart.repository, "values": {"speaker": {"frr": {"enabled": False}}}}  # fmt: skip

    async def uids() -> set[str]:
        kinds = (("apps/v1", "Deployment"), ("apps/v1", "DaemonSet"), ("metallb.io/v1beta1", "IPAddressPool"))
        found = [item for version, kind in kinds for item in await cluster.all(version, kind, chart.namespace)]
        return {item["metadata"]["uid"] for item in found}

    before = await uids()
    assert len(before) == 3
    await pend(cluster, chart.namespace, "2999-01-01T00:00:00.000000000Z")
    with pytest.raises(NotYet, match="pending-install"):  # somebody may still be working on it
        await helm.ensure(**wanted)
    await pend(cluster, chart.namespace, "2026-01-01T00:00:00.000000000Z")
    await helm.ensure(**wanted)
    release = await helm.release(name="metallb", namespace=chart.namespace)
    assert (release.status, release.revision) == ("deployed", 1), release
    assert await uids() == before, "what was there is taken over, not made anew"
    await cluster.close()


asyncio.run(main(Path(sys.argv[1])))
