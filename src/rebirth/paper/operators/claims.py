"""Volumes on paper, as a provisioner beside the cluster makes them: for claims that the real controller says are to be provisioned.

The controller manager finds the class, says what is wrong with it, and asks for a volume by an annotation; a class that waits for
the first consumer has to be told its node first (`scheduling`). It is the controller, too, that binds the volume.
"""

from collections.abc import Callable

from rebirth.paper.api.client import Api, Kind, Object, Refused
from rebirth.paper.api.kinds import CLAIM, STORAGE_CLASS, VOLUME
from rebirth.paper.api.seen import Key, Seen, key_of
from rebirth.paper.api.work import Work
from rebirth.paper.operators.running import Running
from rebirth.proof.charts import knowledge

_PROVISIONER = "volume.kubernetes.io/storage-provisioner"
_MADE_BY = "pv.kubernetes.io/provisioned-by"
_NOBODY = "kubernetes.io/no-provisioner"  # of classes whose volumes a person makes
_PAPER = "rebirth.dev/on-paper"


def provisioner_of(claim: Object) -> str:
    """Who is to make a volume for it; "" where nobody is asked, or nobody ever makes one."""
    if "deletionTimestamp" in claim["metadata"] or claim["spec"].get("volumeName"):
        return ""
    found = str((claim["metadata"].get("annotations") or {}).get(_PROVISIONER, ""))
    return "" if found == _NOBODY else found


def volume_for(claim: Object, storage_class: Object, provisioner: str) -> Object:
    """The PersistentVolume that a provisioner makes of a claim."""
    meta, spec = claim["metadata"], claim["spec"]
    name = f"pvc-{meta['uid']}"
    return {
        "apiVersion": "v1",
        "kind": "PersistentVolume",
        "metadata": {"name": name, "annotations": {_MADE_BY: provisioner, _PAPER: "true"}},
        "spec": {
            "capacity": {"storage": spec["resources"]["requests"]["storage"]},
            "accessModes": spec["accessModes"],
            "volumeMode": spec.get("volumeMode", "Filesystem"),
            "storageClassName": storage_class["metadata"]["name"],
            "persistentVolumeReclaimPolicy": storage_class.get("reclaimPolicy", "Delete"),
            "claimRef": {
                "apiVersion": "v1", "kind": "PersistentVolumeClaim", "namespace": meta["namespace"],
                "name": meta["name"], "uid": meta["uid"],
            },
            "hostPath": {"path": f"/paper/{name}"},
        },
    }  # fmt: skip


class Claims:
    """All claims of the cluster."""

    def __init__(
        self, api: Api, seen: Seen, running: Running, refused: Callable[[Key, str], None],
        volume: Callable[[Object, Object, str], Object] = volume_for, unknown: Callable[[Object], bool] = lambda _: True,
    ) -> None:  # fmt: skip
        """`volume` is made of a claim, its class and the provisioner. `unknown`: whether that of a class is on paper, where nobody
        knows it.
        """
        self._api, self._seen, self._running = api, seen, running
        self._volume, self._unknown = volume, unknown
        self.work: Work[Key] = Work(self._look, refused, at_once=2)
        running.listeners.append(lambda _: self._all())

    def heard(self, kind: Kind, item: Object, gone: bool) -> None:
        if kind in {CLAIM, VOLUME} and not gone:
            self.work.add(key_of(item))
        elif kind == STORAGE_CLASS:
            self._all()

    def _all(self) -> None:
        for key in self._seen.of(CLAIM):
            self.work.add(key)

    async def _look(self, key: Key) -> None:
        if not key[0]:
            await self._release(key[1])
            return
        claim = self._seen.get(CLAIM, *key)
        provisioner = provisioner_of(claim) if claim else ""
        found = self._seen.get(STORAGE_CLASS, "", claim["spec"].get("storageClassName") or "") if claim else None
        if claim is None or found is None or not provisioner or not self._serves(found, provisioner):
            return
        try:
            await self._api.create(VOLUME, self._volume(claim, found, provisioner))
        except Refused as refused:
            if refused.status != 409:
                raise

    def _serves(self, storage_class: Object, provisioner: str) -> bool:
        """Whether its operator runs."""
        known = next((one for one in knowledge.operators() if provisioner in one.provisioners), None)
        return self._running.namespace(known.name) is not None if known else self._unknown(storage_class)

    async def _release(self, name: str) -> None:
        volume = self._seen.get(VOLUME, "", name)
        if volume is None or _PAPER not in (volume["metadata"].get("annotations") or {}):
            return
        released = (volume.get("status") or {}).get("phase") == "Released"
        if released and volume["spec"].get("persistentVolumeReclaimPolicy") == "Delete":
            await self._api.delete(VOLUME, "", name, volume["metadata"]["uid"])
