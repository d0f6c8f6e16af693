"""Vault's key-value store, version 2, as this machine reaches it."""

import asyncio
from collections.abc import Callable, Sequence
from functools import partial
from typing import TYPE_CHECKING, Any

from rebirth.errors import Broken, NoAnswer, NotYet, understood
from rebirth.providers.certificates import mistrusted
from rebirth.run.waiting import asking
from rebirth.secrets import Secret

if TYPE_CHECKING:
    from requests.adapters import BaseAdapter

_SYSTEM = "Vault"
_ADDRESS = "engine.vault.address"
_NEEDS = "The token of engine.vault.token needs create, read and update below the mount."
_RIGHTS = ("create", "read", "update")  # a write is made with check-and-set: read, then created or updated


class VaultApi:
    """One KV v2 mount, through a token. `transport` carries its requests instead of a connection."""

    def __init__(
        self, *, address: str, mount: str, token: Secret, ca: Secret | None, transport: "BaseAdapter | None" = None
    ) -> None:
        self._mount = mount
        self._client = client_of(address, token, ca, transport)

    async def close(self) -> None:
        self._client.adapter.close()

    async def reach(self) -> None:
        """Raises where the address, the certificate or the token is wrong."""
        try:
            said = await self._ask("look up token", self._client.auth.token.lookup_self)
        except NothingThereError:
            raise self._no_such("look up token") from None
        with understood(_SYSTEM, "look up token", _ADDRESS):
            said["data"]["policies"]

    async def lacks(self, *, writes: Sequence[str]) -> list[str]:
        """The rights that the token was not given at the paths that are written to. Nothing is written."""
        found = []
        for path in writes:
            full = f"{self._mount}/data/{path}"
            try:
                said = await self._ask("look up rights", partial(self._client.sys.get_capabilities, paths=[full]))
            except NothingThereError:
                raise self._no_such("look up rights") from None
            with understood(_SYSTEM, "look up rights", _ADDRESS):
                held = set((said.get("data") or said).get(full) or ())
            found += [f"{right} on {full}" for right in _RIGHTS if not {right, "root"} & held]
        return found

    async def read(self, *, path: str) -> dict[str, Secret]:
        """The properties at a path; empty where there is nothing."""
        values, _ = await self._versioned(path)
        return {name: Secret(str(value)) for name, value in values.items()}

    async def set(self, *, path: str, name: str, value: Secret) -> None:
        """Sets one property and leaves the others at that path as they are.

        Raises NotYet where somebody else wrote there in between: then it has to be read again.
        """
        values, version = await self._versioned(path)
        if values.get(name) == value.reveal():
            return
        write = partial(
            self._client.secrets.kv.v2.create_or_update_secret,
            path=path,
            secret={**values, name: value.reveal()},
            cas=version,
            mount_point=self._mount,
        )
        try:
            await self._ask("write", write)
        except NothingThereError:
            raise self._no_such("write") from None
        except Broken:
            if (await self._versioned(path))[1] != version:
                raise NotYet(f"{_SYSTEM}: write: somebody else wrote {self._mount}/{path} at the same time") from None
            raise

    async def _versioned(self, path: str) -> tuple[dict[str, Any], int]:
        """What stands at a path, and its version: 0 where there never was any."""
        kv = self._client.secrets.kv.v2
        call = partial(kv.read_secret_version, path=path, mount_point=self._mount, raise_on_deleted_version=False)
        try:
            answer = await self._ask("read", call)
        except NothingThereError as nothing:
            if nothing.complaints:
                raise self._no_such("read") from None
            return {}, 0
        with understood(_SYSTEM, "read", _ADDRESS):
            return dict(answer["data"]["data"] or {}), int(answer["data"]["metadata"]["version"])

    def _no_such(self, operation: str) -> Broken:
        hint = f"Is engine.vault.mount ({self._mount}) a KV store of version 2, and {_ADDRESS} the address of a Vault?"
        return Broken("no such path", system=_SYSTEM, operation=operation, status=404, hint=hint)

    async def _ask(self, operation: str, call: Callable[[], Any]) -> Any:
        return await ask(operation, call, _NEEDS)


class NothingThereError(Exception):
    """404. Vault complains where no engine is mounted, and does not where a path of one is empty."""

    def __init__(self, *, complaints: bool) -> None:
        super().__init__()
        self.complaints = complaints


def client_of(
    address: str,
    token: Secret | None,
    ca: Secret | None,
    transport: "BaseAdapter | None" = None,
    *,
    timeout: float = 15,
) -> Any:
    """A client of hvac's. `transport` carries its requests instead of a connection."""
    # Here, and not above: check imports phases for what they take, and has no time for their clients.
    import hvac
    import requests

    session = requests.Session()
    if ca is not None:
        from rebirth.providers.trust import trust_only

        trust_only(session, ca.reveal())
    if transport is not None:
        session.mount(address, transport)
    return hvac.Client(url=address, token=token.reveal() if token else "", session=session, timeout=timeout)


async def ask(operation: str, call: Callable[[], Any], needs: str) -> Any:
    """What a client answers, which has to be a mapping. `needs` is the hint where its token is rejected.

    Raises NothingThereError, Broken or NotYet.
    """
    import requests
    from hvac.exceptions import Forbidden, InvalidPath, InvalidRequest, Unauthorized, VaultDown, VaultError

    try:
        with asking(_SYSTEM, operation), understood(_SYSTEM, operation, _ADDRESS):
            answer = await asyncio.to_thread(call)
            if not isinstance(answer, dict):  # hvac's word for: that was no JSON
                raise TypeError
            return answer
    except InvalidPath as error:
        raise NothingThereError(complaints=error.errors != []) from None
    except (Forbidden, Unauthorized):
        raise Broken("the token was rejected", system=_SYSTEM, operation=operation, status=403, hint=needs) from None
    except InvalidRequest:
        hint = "See Vault's audit log."
        raise Broken("the request was rejected", system=_SYSTEM, operation=operation, status=400, hint=hint) from None
    except (VaultDown, requests.exceptions.RequestException) as error:
        if refused := mistrusted(error, system=_SYSTEM, operation=operation, address=_ADDRESS, ca="engine.vault.ca"):
            raise refused from None
        hint = f"Is {_ADDRESS} right, reachable from here, and unsealed?"
        raise NoAnswer(f"{_SYSTEM}: {operation}: {type(error).__name__}", hint=hint) from None
    except VaultError as error:
        hint = f"Is {_ADDRESS} right, and is Vault healthy?"
        raise NoAnswer(f"{_SYSTEM}: {operation}: {type(error).__name__}", hint=hint) from None
