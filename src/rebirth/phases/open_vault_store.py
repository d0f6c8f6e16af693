"""The store is Valid: its server's name resolves inside the cluster, its CA is trusted, its token is taken.

Where that name is a tailnet's, this becomes true only when Flux has brought the Tailscale operator and its nameserver, and when
that nameserver has read the name. Its operator's NameserverReady says less: that there is a Deployment.
"""

from rebirth.castle import Store, Vault, host_of
from rebirth.errors import NotYet
from rebirth.phases.made.lost_claims import UnlessLost
from rebirth.phases.made.vault_store import STORE_KIND, external_secret, version
from rebirth.providers.cluster import Cluster, condition, stamp
from rebirth.run.facts import VaultStoreApplied, VaultStoreOpened
from rebirth.run.waiting import now, nudged, until

LAYER = "waits"
PATIENCE = 3600
WAITS = True
HINT = (
    "`kubectl describe clustersecretstores` says more: does Vault's name resolve for pods, do they reach "
    "it, is its token valid?"
)

_NAMESERVER = {
    "tailscale.com/managed": "true",
    "tailscale.com/parent-resource-type": "nameserver",
}  # labels of what it reads
# Times that a nameserver is shown its records: if it has not read them then, it is started anew; and again after twice as many,
# and so on, since while it starts it answers nobody: on a slow machine for longer than a fixed pause.
_DEAF = 4
_NUDGE_EVERY = 3.0  # seconds: the operator backs off for minutes after failures that were only too early


async def open_vault_store(
    store: Store, vault: Vault, cluster: Cluster, applied: VaultStoreApplied
) -> VaultStoreOpened:
    """Wait for the Vault store to be valid."""
    kind = version(store), STORE_KIND
    asked_at, shown = now(), 0

    async def valid() -> None:
        nonlocal asked_at, shown
        status, message = condition(await cluster.find(*kind, applied.name))
        if status == "True":
            return
        if now() - asked_at > _NUDGE_EVERY:
            asked_at = now()
            shown += await _show_records(cluster, host_of(vault.address), restart=_is_deaf(shown + 1))
            asked = {"metadata": {"annotations": {"rebirth.dev/asked-at": stamp()}}}
            await cluster.merge(*kind, applied.name, None, asked)
        raise NotYet(message)

    look = UnlessLost(valid, cluster, None).look  # a Vault in the cluster may lie anywhere
    await until(look, what=f"the store {applied.name} is valid", every=2, changes=cluster.changes(*kind))
    await _wake(cluster, store)
    return VaultStoreOpened(applied.name)


async def _show_records(cluster: Cluster, host: str, *, restart: bool) -> bool:
    """Tailscale's nameserver reads the name from a ConfigMap mounted in its pod (cmd/k8s-nameserver, 1.90), and the kubelet
    refreshes that only when it looks at the pod again, after a minute or more.

    With the ConfigMap's first record the file appears a moment after the change that the nameserver watches for: one that looks in
    between finds nothing, and never looks again. Then only a new one helps. Whether there is anything to read.
    """
    there = False
    for records in await cluster.all("v1", "ConfigMap"):
        meta = records["metadata"]
        if not _NAMESERVER.items() <= (meta.get("labels") or {}).items():
            continue
        if any(host in text for text in (records.get("data") or {}).values()):
            there = True
            if restart:
                await cluster.restart_pods(meta["namespace"], mounting=meta["name"])
                nudged(f"restarted the tailnet's nameserver, which has not read its records: they have {host}")
            else:
                await cluster.wake_pods(meta["namespace"], mounting=meta["name"])
                nudged(f"made the kubelet show the tailnet's nameserver its records, which have {host} now")
    return there


def _is_deaf(shown: int) -> bool:
    """Whether it has been shown them 4, 8, 16 ... times."""
    return shown >= _DEAF and shown.bit_count() == 1


async def _wake(cluster: Cluster, store: Store) -> None:
    """ExternalSecrets that failed while the store was not valid yet would try again only after their back-off."""
    asked = {"metadata": {"annotations": {"force-sync": stamp()}}}
    kind = external_secret(store)
    for item in await cluster.all(*kind):
        mine = item["spec"].get("secretStoreRef", {}).get("name") == store.name
        if mine and condition(item)[0] == "False":
            meta = item["metadata"]
            await cluster.merge(*kind, meta["name"], meta["namespace"], asked)


async def found(applied: VaultStoreApplied) -> VaultStoreOpened:
    return VaultStoreOpened(applied.name)


async def still(fact: VaultStoreOpened, store: Store, cluster: Cluster) -> bool:
    return condition(await cluster.find(version(store), STORE_KIND, fact.name))[0] == "True"
