"""A password that is generated in the cluster reaches Vault, and comes back to who waits for it."""

import base64
import re
from collections.abc import Mapping
from functools import partial
from typing import Any

from rebirth.castle import Handover, Handovers, Store
from rebirth.castle.handovers import ObjectName, VaultPlace
from rebirth.errors import Broken, NotYet
from rebirth.phases.made.lost_claims import UnlessLost
from rebirth.phases.made.vault_store import Kind, external_secret
from rebirth.providers.cluster import Cluster, condition, missing_replicas, stamp
from rebirth.providers.vault import VaultApi
from rebirth.run.facts import Converged, DatabasesRestored, HandedOver, Made, VaultRestored, VaultStoreApplied
from rebirth.run.waiting import note, now, nudged, together, until
from rebirth.secrets import Redaction, Secret

LAYER = "waits"
PATIENCE = 3600
WAITS_FOR = (Converged,)  # the graph brings who makes the secret, and who waits for it
WAITS = True
HINT = "See who makes the Secret, and `kubectl describe externalsecrets` where it is used."

_AGAIN = 5.0  # seconds: the operator backs off after failures that were only too early


async def hand_over(
    handovers: Handovers,
    store: Store | None,
    cluster: Cluster,
    vault: VaultApi,
    redaction: Redaction,
    applied: VaultStoreApplied | None,
    restored: VaultRestored | None,
    databases: DatabasesRestored | None,
) -> HandedOver:
    """Hand secrets generated in the cluster to Vault."""
    kind = external_secret(store)
    await together(*(_one(handover, kind, cluster, vault, redaction) for handover in handovers.handovers))
    return HandedOver(tuple(handover.name for handover in handovers.handovers))


async def found(handovers: Handovers) -> HandedOver:
    return HandedOver(tuple(handover.name for handover in handovers.handovers))


async def still(
    fact: HandedOver,
    handovers: Handovers,
    store: Store | None,
    cluster: Cluster,
    vault: VaultApi,
    redaction: Redaction,
) -> bool:
    kind = external_secret(store)

    async def holds(handover: Handover) -> bool:
        born = await _born(handover, cluster, redaction)
        if not await _in_vault(handover, vault, born):
            return False
        await _synced(handover, kind, cluster, born)
        await _ready(handover, cluster)
        return True

    return all(await together(*map(holds, handovers.handovers)))


async def _one(handover: Handover, kind: Kind, cluster: Cluster, vault: VaultApi, redaction: Redaction) -> None:
    place = handover.born_in
    born = await until(
        UnlessLost(partial(_born, handover, cluster, redaction), cluster, {place.namespace}).look,
        what=f"the secret {place.namespace}/{place.secret} is generated",
        every=3,
        changes=cluster.changes("v1", "Secret", place.namespace),
    )
    if not await _in_vault(handover, vault, born):
        await vault.set(path=handover.to.path, name=handover.to.property, value=born)
        if not await _in_vault(handover, vault, born):
            text = f"Vault: write: {handover.to.path} does not hold what was written"
            raise NotYet(text, hint="Is engine.vault.address the Vault itself, and not a cache or a standby's proxy?")
        note(f"handed {place.namespace}/{place.secret} over to Vault: {handover.to.path}")
    if waiting := handover.external_secret:
        await until(
            _Refresh(cluster, kind, waiting, handover.to, born).look,
            what=f"the ExternalSecret {waiting.namespace}/{waiting.name} has the value",
            every=2,
            changes=cluster.changes(*kind, waiting.namespace),
        )
    if ready := handover.ready:
        await until(
            UnlessLost(partial(_ready, handover, cluster), cluster, {ready.namespace}).look,
            what=f"{ready.kind} {ready.namespace}/{ready.name} is ready",
            every=3,
            changes=cluster.changes("apps/v1", ready.kind, ready.namespace),
        )


async def _born(handover: Handover, cluster: Cluster, redaction: Redaction) -> Secret:
    place = handover.born_in
    secret = await cluster.find("v1", "Secret", place.secret, place.namespace)
    if secret is None:
        raise NotYet("does not exist")
    encoded = (secret.get("data") or {}).get(place.key)
    if not encoded:
        raise NotYet(f"has no key {place.key}" if encoded is None else f"its key {place.key} is empty")
    try:
        value = Secret(base64.b64decode(encoded).decode())
    except ValueError:
        text = f"the key {place.key} of Secret {place.namespace}/{place.secret} is not text, and Vault stores text"
        hint = f"Name a key with text (UTF-8) in the hand-over {handover.name}."
        raise Broken(text, operation="hand over", hint=hint) from None
    redaction.learn(value)
    return value


async def _in_vault(handover: Handover, vault: VaultApi, born: Secret) -> bool:
    held = (await vault.read(path=handover.to.path)).get(handover.to.property)
    return held is not None and held.reveal() == born.reveal()


class _Refresh:
    """An ExternalSecret takes a value that has just been written to Vault.

    That it is Ready says nothing of when it looked. What it has synced is named by its generation, labels and annotations
    (`syncedResourceVersion`, written together with `refreshTime`): another annotation makes it look again, and name another
    once it has. So nobody's clocks are compared.
    """

    def __init__(self, cluster: Cluster, kind: Kind, name: ObjectName, source: VaultPlace, value: Secret) -> None:
        self._cluster, self._kind, self._name, self._source, self._value = cluster, kind, name, source, value
        self._asked: tuple[float, str] | None = None  # when, and what it had synced until then

    async def look(self) -> None:
        external = await self._cluster.find(*self._kind, self._name.name, self._name.namespace)
        if external is None:
            raise NotYet("does not exist")
        status, message = condition(external)
        holds = await _holds(external, self._source, self._value, self._cluster)
        if status == "True" and (holds or (holds is None and self._has_looked(external))):
            return
        if status == "True" and holds is False and (never := _never_again(external)):
            text = f"ExternalSecret {self._name.namespace}/{self._name.name} keeps an earlier value: {never}"
            hint = (
                "Let it refresh (refreshPolicy: OnChange, or an interval), or delete it, so that it is created again."
            )
            raise Broken(text, operation="hand over", hint=hint)
        if self._asked is None or (
            now() - self._asked[0] > _AGAIN and (status == "False" or self._has_looked(external))
        ):
            self._asked = now(), _synced_version(external)
            # Any annotation does; this one is what its documentation tells people to use. What stood there is nobody's data.
            asked = {"metadata": {"annotations": {"force-sync": stamp()}}}
            await self._cluster.merge(*self._kind, self._name.name, self._name.namespace, asked)
            nudged(f"asked ExternalSecret {self._name.namespace}/{self._name.name} to sync again")
        raise NotYet(message if status == "False" else "has not synced since it was asked to")

    def _has_looked(self, external: Mapping[str, Any]) -> bool:
        """Whether it has synced since it was asked; what never looks again has looked for good."""
        if _never_again(external):
            return True
        return self._asked is not None and _synced_version(external) != self._asked[1]


def _synced_version(external: Mapping[str, Any]) -> str:
    return str((external.get("status") or {}).get("syncedResourceVersion") or "")


def _never_again(external: Mapping[str, Any]) -> str:
    """Why an ExternalSecret does not look at its store again, whatever it is asked; "" where it does."""
    spec = external["spec"]
    if not _synced_version(external):
        return ""
    if spec.get("refreshPolicy") == "CreatedOnce":
        return "its refreshPolicy is CreatedOnce"
    every = str(spec.get("refreshInterval") or "")
    if spec.get("refreshPolicy", "Periodic") == "Periodic" and re.fullmatch(r"0[0hms]*", every):
        return f"its refreshInterval is {every}"
    return ""


async def _holds(external: Mapping[str, Any], source: VaultPlace, value: Secret, cluster: Cluster) -> bool | None:
    """Whether the Secret that it makes holds the value; None where that cannot be told from here."""
    spec = external["spec"]
    target = spec.get("target") or {}
    template = target.get("template") or {}
    if target.get("creationPolicy") == "None" or template.get("data") or template.get("templateFrom"):
        return None
    keys = [
        entry["secretKey"]
        for entry in spec.get("data") or []
        if (remote := entry.get("remoteRef") or {}).get("property") == source.property
        and remote.get("key") == source.path
        and remote.get("decodingStrategy", "None") == "None"
    ]
    if not keys:
        return None
    meta = external["metadata"]
    made = await cluster.find("v1", "Secret", target.get("name") or meta["name"], meta["namespace"])
    encoded = base64.b64encode(value.reveal().encode()).decode()
    return all(((made or {}).get("data") or {}).get(key) == encoded for key in keys)


async def _synced(handover: Handover, kind: Kind, cluster: Cluster, born: Secret) -> None:
    if name := handover.external_secret:
        external = await cluster.find(*kind, name.name, name.namespace)
        status, message = condition(external)
        if external is None or status != "True":
            raise NotYet(message)
        if await _holds(external, handover.to, born, cluster) is False:
            raise NotYet("has another value")


async def _ready(handover: Handover, cluster: Cluster) -> None:
    if ready := handover.ready:
        found = await cluster.find("apps/v1", ready.kind, ready.name, ready.namespace)
        if missing := missing_replicas(found):
            raise NotYet(missing)


async def undo(handovers: Handovers) -> list[Made]:
    """What was handed over to Vault, which stays.

    Vault is the operator's, and outlives castles; and who has lost its token must be able to get rid of a castle.
    """
    why = "if it was handed over: Vault outlives the castle, and the next one overwrites it"
    return [
        Made("value", f"{handover.to.property} of {handover.to.path}", "", stays=why)
        for handover in handovers.handovers
    ]
