"""Step 7 of the protocol: a password that is born in the cluster reaches Vault, and comes back to who waits for it."""

import base64
import time
from functools import partial

from rebirth.castle import Handover, Handovers
from rebirth.errors import NotYet
from rebirth.providers.cluster import Cluster, condition, ready_replicas
from rebirth.providers.vault import VaultApi
from rebirth.run.facts import Converged, HandedOver, Made, VaultStoreApplied
from rebirth.run.waiting import note, together, until
from rebirth.secrets import Redaction, Secret

LAYER = "waits"
PATIENCE = 1200
WAITS_FOR = (Converged,)  # the graph brings who makes the secret, and who waits for it
WAITS = True

_EXTERNAL = "external-secrets.io/v1", "ExternalSecret"


async def hand_over(
    handovers: Handovers, cluster: Cluster, vault: VaultApi, redaction: Redaction, store: VaultStoreApplied
) -> HandedOver:
    """Hand secrets born in the cluster to Vault."""
    await together(*(_one(handover, cluster, vault, redaction) for handover in handovers.handovers))
    return HandedOver(tuple(handover.name for handover in handovers.handovers))


async def found(handovers: Handovers) -> HandedOver:
    return HandedOver(tuple(handover.name for handover in handovers.handovers))


async def still(
    fact: HandedOver, handovers: Handovers, cluster: Cluster, vault: VaultApi, redaction: Redaction
) -> bool:
    async def holds(handover: Handover) -> bool:
        born = await _born(handover, cluster, redaction)
        if not await _in_vault(handover, vault, born):
            return False
        await _synced(handover, cluster)
        await _ready(handover, cluster)
        return True

    return all(await together(*map(holds, handovers.handovers)))


async def _one(handover: Handover, cluster: Cluster, vault: VaultApi, redaction: Redaction) -> None:
    place = handover.born_in
    born = await until(
        partial(_born, handover, cluster, redaction),
        what=f"the secret {place.namespace}/{place.secret} is born",
        every=3,
        changes=cluster.changes("v1", "Secret", place.namespace),
    )
    if not await _in_vault(handover, vault, born):
        await vault.set(path=handover.to.path, name=handover.to.property, value=born)
        note(f"handed {place.namespace}/{place.secret} over to Vault: {handover.to.path}")
    if waiting := handover.external_secret:
        await until(
            partial(_told, handover, cluster, time.time()),
            what=f"the ExternalSecret {waiting.namespace}/{waiting.name} has it",
            every=2,
            changes=cluster.changes(*_EXTERNAL, waiting.namespace),
        )
    if ready := handover.ready:
        await until(
            partial(_ready, handover, cluster),
            what=f"{ready.kind} {ready.namespace}/{ready.name} is ready",
            every=3,
            changes=cluster.changes("apps/v1", ready.kind, ready.namespace),
        )


async def _born(handover: Handover, cluster: Cluster, redaction: Redaction) -> Secret:
    place = handover.born_in
    secret = await cluster.find("v1", "Secret", place.secret, place.namespace)
    encoded = (secret or {}).get("data", {}).get(place.key)
    if not encoded:
        raise NotYet("is not there" if secret is None else f"has no key {place.key}")
    value = Secret(base64.b64decode(encoded).decode())
    redaction.learn(value)
    return value


async def _in_vault(handover: Handover, vault: VaultApi, born: Secret) -> bool:
    held = (await vault.read(path=handover.to.path)).get(handover.to.property)
    return held is not None and held.reveal() == born.reveal()


async def _told(handover: Handover, cluster: Cluster, since: float) -> None:
    """The ExternalSecret has read Vault since then; it is asked to where it has not."""
    name = handover.external_secret
    assert name is not None
    external = await cluster.find(*_EXTERNAL, name.name, name.namespace)
    if external is None:
        raise NotYet("is not there")
    status, message = condition(external)
    asked = float((external["metadata"].get("annotations") or {}).get("force-sync", "0"))
    if asked < since:
        change = {"metadata": {"annotations": {"force-sync": f"{time.time():.3f}"}}}
        await cluster.merge(*_EXTERNAL, name.name, name.namespace, change)
        raise NotYet("asked to look at Vault again")
    if status != "True":
        if time.time() - asked > 5:  # it backs off after failures that were only too early
            change = {"metadata": {"annotations": {"force-sync": f"{time.time():.3f}"}}}
            await cluster.merge(*_EXTERNAL, name.name, name.namespace, change)
        raise NotYet(message)
    if (external.get("status") or {}).get("refreshTime") is None:
        raise NotYet("has not looked at Vault yet")


async def _synced(handover: Handover, cluster: Cluster) -> None:
    if name := handover.external_secret:
        status, message = condition(await cluster.find(*_EXTERNAL, name.name, name.namespace))
        if status != "True":
            raise NotYet(message)


async def _ready(handover: Handover, cluster: Cluster) -> None:
    if ready := handover.ready:
        available, wanted = ready_replicas(await cluster.find("apps/v1", ready.kind, ready.name, ready.namespace))
        if available < wanted or not wanted:
            raise NotYet(f"{available} of {wanted} replicas are ready")


async def undo(handovers: Handovers) -> list[Made]:
    """What was handed over to Vault, which stays.

    Vault is the operator's, and outlives castles; and who has lost its token must be able to get rid of a castle.
    """
    why = "if it was handed over: Vault is not the castle's, and the next one writes over it"
    return [
        Made("value", f"{handover.to.property} of {handover.to.path}", "", stays=why)
        for handover in handovers.handovers
    ]
