"""Snapshots of a Vault whose storage is Raft: taken, and given to one that is new and empty."""

from functools import partial
from typing import TYPE_CHECKING, Any, Literal

from rebirth.errors import Broken, NoAnswer, understood
from rebirth.providers.vault import NothingThereError, ask, client_of
from rebirth.secrets import Secret

if TYPE_CHECKING:
    from requests.adapters import BaseAdapter

_SYSTEM = "Vault"
_ADDRESS = "engine.vault.address"
_NEEDS = (
    "The token of anchors.vault needs read on sys/storage/raft/snapshot to take one, update on "
    "sys/storage/raft/snapshot (or -force, with unseal_keys) and read on sys/mounts to restore one, and list on the "
    "mount's metadata."
)
_OWN = {"cubbyhole", "identity", "system", "ns_cubbyhole", "ns_identity", "ns_system"}  # what every Vault mounts
_PATIENCE = 120.0  # seconds for a snapshot to come, or to go

_GZIP = b"\x1f\x8b"  # how every snapshot begins

State = Literal["sealed", "empty", "full"]


class VaultSnapshots:
    """One Vault, and one KV v2 mount of it, by which is known whether it holds anything."""

    def __init__(
        self,
        *,
        address: str,
        mount: str,
        ca: Secret | None,
        token: Secret,
        restore_token: Secret | None,
        unseal_keys: list[Secret],
        transport: "BaseAdapter | None" = None,
    ) -> None:
        self._mount, self._unseal_keys = mount, unseal_keys
        self._has_own_token = restore_token is not None
        self._client = client_of(address, token, ca, transport, timeout=_PATIENCE)
        self._new = client_of(address, restore_token or token, ca, transport, timeout=_PATIENCE)

    async def close(self) -> None:
        self._client.adapter.close()
        self._new.adapter.close()

    async def state(self) -> State:
        """Whether it holds anything at the mount. Raises Broken where it was never initialised, or the token is rejected."""
        if await self._is_sealed():
            return "sealed"
        if self._has_own_token and not await self._is_new():
            return "full"  # it does not know the token of a new one: it is another one, or was restored
        list_mount = partial(self._new.secrets.kv.v2.list_secrets, path="", mount_point=self._mount)
        try:
            await ask("list", list_mount, _NEEDS)
        except NothingThereError:
            return "empty"
        return "full"

    async def refuse_what_would_be_lost(self) -> None:
        """A snapshot replaces everything. Raises Broken where nobody has said that this Vault is new, or others use it."""
        if not self._has_own_token:
            text = f"nothing is at {self._mount}, and nobody has said that this Vault is new"
            hint = "If it is, and may be replaced as a whole: name a token of it with anchors.vault.restore_token."
            raise Broken(text, system=_SYSTEM, operation="restore a snapshot", hint=hint)
        said = await ask("list mounts", self._new.sys.list_mounted_secrets_engines, _NEEDS)
        with understood(_SYSTEM, "list mounts", _ADDRESS):
            mounts = {path.rstrip("/"): one["type"] for path, one in said["data"].items()}
        if others := sorted(path for path, kind in mounts.items() if kind not in _OWN and path != self._mount):
            text = f"it holds other mounts, which a snapshot would replace: {', '.join(others)}"
            hint = "Restore into a Vault that holds nothing."
            raise Broken(text, system=_SYSTEM, operation="restore a snapshot", hint=hint)

    async def take(self) -> bytes:
        """A snapshot of all that it holds, as Vault encrypts it."""

        def take() -> dict[str, bytes]:
            answer = self._client.sys.take_raft_snapshot()
            return {"snapshot": answer.content}

        taken = await self._raft("take a snapshot", take)
        snapshot: bytes = taken["snapshot"]
        if not snapshot.startswith(_GZIP):
            raise NoAnswer(f"{_SYSTEM}: take a snapshot: the answer is no snapshot", hint=f"Is {_ADDRESS} right?")
        return snapshot

    async def restore(self, snapshot: bytes) -> None:
        """Replaces all that it holds, where that is nothing. With unseal keys the snapshot may be another Vault's, and this one is sealed then."""

        def restore() -> dict[str, bool]:
            system = self._new.sys
            (system.force_restore_raft_snapshot if self._unseal_keys else system.restore_raft_snapshot)(snapshot)
            return {"done": True}

        await self.refuse_what_would_be_lost()
        await self._raft("restore a snapshot", restore)

    async def open(self) -> None:
        """Unseals it where it is sealed and the keys are known. Raises NoAnswer while it is sealed."""
        if not await self._is_sealed():
            return
        for key in self._unseal_keys:
            said = await ask("unseal", partial(self._client.sys.submit_unseal_key, key.reveal()), _NEEDS)
            with understood(_SYSTEM, "unseal", _ADDRESS):
                if not said["sealed"]:
                    return
        hint = "Unseal it, or name as many unseal keys as its threshold with anchors.vault.unseal_keys."
        raise NoAnswer(f"{_SYSTEM}: it is sealed", hint=hint)

    async def _is_sealed(self) -> bool:
        said = await ask("ask whether it is sealed", self._client.sys.read_seal_status, _NEEDS)
        with understood(_SYSTEM, "ask whether it is sealed", _ADDRESS):
            if not said["initialized"]:
                hint = "Initialise and unseal it (`vault operator init`); its root token may be anchors.vault.restore_token."
                raise Broken("it was never initialised", system=_SYSTEM, operation="restore", hint=hint)
            return bool(said["sealed"])

    async def _is_new(self) -> bool:
        try:
            await ask("look up token", self._new.auth.token.lookup_self, _NEEDS)
        except Broken as error:
            if error.status == 403:
                return False
            raise
        return True

    async def _raft(self, operation: str, call: Any) -> dict[str, Any]:
        try:
            found: dict[str, Any] = await ask(operation, call, _NEEDS)
        except NothingThereError:
            hint = "Snapshots are of Raft (integrated storage): another storage has backups of its own."
            raise Broken(
                "its storage is not Raft", system=_SYSTEM, operation=operation, status=404, hint=hint
            ) from None
        return found
