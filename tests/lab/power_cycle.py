"""Run inside a lab, on a castle that is up: `python power_cycle.py CASTLE`.

Switches every machine off and on again through Proxmox. Then nobody helps: it looks until the sites answer and until Vault does
through the tailnet, and prints when that was.
"""

import asyncio
import sys
import time
from collections.abc import Awaitable, Callable
from contextlib import suppress
from pathlib import Path

from rebirth.castle import load
from rebirth.errors import NotYet
from rebirth.paths import paths_of
from rebirth.phases.connections import proxmox_api
from rebirth.phases.resolve_secrets import resolved
from rebirth.providers.cluster import Cluster, condition
from rebirth.providers.web import Web
from rebirth.secrets import Redaction

STORE = "external-secrets.io/v1", "ClusterSecretStore", "tazlab-secrets-vault"
EXTERNAL = "external-secrets.io/v1", "ExternalSecret", "grafana-db", "monitoring"
# Seconds. Nobody nudges here: the tailnet's nameserver gets the proxy's new address when the kubelet refreshes what its pod mounts,
# after a minute or two, and External Secrets looks again later still.
PATIENCE = 480.0


async def until(what: str, true: Callable[[], Awaitable[bool]], since: float) -> None:
    async with asyncio.timeout(PATIENCE):
        while True:
            with suppress(NotYet):
                if await true():
                    break
            await asyncio.sleep(0.5)
    sys.stdout.write(f"{what} after {time.monotonic() - since:.1f} s\n")


async def main(folder: Path) -> None:
    castle = load(folder)
    paths, redaction = paths_of(folder, castle.secrets), Redaction()
    proxmox = proxmox_api(castle.proxmox, resolved(castle.references(), paths, redaction))
    cluster, web = Cluster(paths=paths), Web()

    (balancer,) = (await cluster.find("v1", "Service", "traefik", "traefik"))["status"]["loadBalancer"]["ingress"]
    machines = await proxmox.machines()
    await asyncio.gather(*(proxmox.stop(node=vm.node, vm_id=vm.vm_id) for vm in machines))
    assert not [vm for vm in await proxmox.machines() if vm.running]
    since, moment = time.monotonic(), time.strftime("%Y-%m-%dT%H:%M:%SZ", time.gmtime())
    await asyncio.gather(*(proxmox.start(node=vm.node, vm_id=vm.vm_id) for vm in machines))

    async def answers() -> bool:
        (site,) = castle.sites
        page = await web.visit(host=site.host, path=site.path, address=balancer["ip"], ca=None)
        return page.status == site.status and site.contains in page.text

    async def reaches_vault() -> bool:
        store, external = await cluster.find(*STORE), await cluster.find(*EXTERNAL)
        if store is None or external is None:
            return False  # the API server does not serve them yet
        valid = condition(store)[0] == condition(external)[0] == "True"
        # They say what was true before until they have looked: one has to have found it true since then.
        (ready,) = store["status"]["conditions"]
        return valid and max(ready["lastTransitionTime"], external["status"]["refreshTime"]) > moment

    await asyncio.gather(until("the sites answer", answers, since), until("the store is valid", reaches_vault, since))
    await cluster.close()
    await proxmox.close()


asyncio.run(main(Path(sys.argv[1])))
