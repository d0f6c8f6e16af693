"""Vault's key-value store, version 2, as this machine reaches it."""

import asyncio
from collections.abc import Callable, Sequence
from functools import partial
from typing import Any

from rebirth.errors import Broken, NoAnswer
from rebirth.secrets import Secret

_SYSTEM = "Vault"


class VaultApi:
    """One KV v2 mount, through a token."""

    def __init__(self, *, address: str, mount: str, token: Secret, ca: Secret | None) -> None:
        # Here, and not above: check imports phases for what they take, and has no time for their clients.
        import hvac
        import requests

        self._mount = mount
        session = requests.Session()
        if ca is not None:
            from rebirth.trust import trust_only

            trust_only(session, ca.reveal())
        self._client = hvac.Client(url=address, token=token.reveal(), session=session, timeout=15)

    async def close(self) -> None:
        self._client.adapter.close()

    async def reach(self, *, writes: Sequence[str]) -> None:
        """Raises where the address, the certificate or the token is wrong, or the token may not write at those paths."""
        await self._ask("look up token", self._client.auth.token.lookup_self)
        for path in writes:
            full = f"{self._mount}/data/{path}"
            answer = await self._ask("look up rights", partial(self._client.sys.get_capabilities, paths=[full]))
            if not set((answer.get("data") or answer).get(full) or ()) & {"root", "update"}:
                hint = "Is engine.vault.mount right? Handovers need read, create, update and patch there."
                raise Broken(f"the token may not write {full}", system=_SYSTEM, operation="look up rights", hint=hint)

    async def read(self, *, path: str) -> dict[str, Secret]:
        """The properties at a path; empty where there is nothing."""
        kv = self._client.secrets.kv.v2
        call = lambda: kv.read_secret_version(path=path, mount_point=self._mount, raise_on_deleted_version=True)  # noqa: E731
        try:
            answer = await self._ask("read", call)
        except _NothingThereError:
            return {}
        return {name: Secret(str(value)) for name, value in (answer["data"]["data"] or {}).items()}

    async def set(self, *, path: str, name: str, value: Secret) -> None:
        """Sets one property and leaves the others at that path as they are."""
        kv = self._client.secrets.kv.v2
        secret = {name: value.reveal()}
        if await self.read(path=path):
            await self._ask("patch", lambda: kv.patch(path=path, secret=secret, mount_point=self._mount))
        else:
            await self._ask(
                "write", lambda: kv.create_or_update_secret(path=path, secret=secret, mount_point=self._mount)
            )

    async def _ask(self, operation: str, call: Callable[[], Any]) -> Any:
        import requests
        from hvac.exceptions import Forbidden, InvalidPath, InvalidRequest, Unauthorized, VaultDown, VaultError

        try:
            return await asyncio.to_thread(call)
        except InvalidPath:
            raise _NothingThereError from None
        except (Forbidden, Unauthorized):
            hint = "The token of engine.vault.token needs read, create, update and patch below the mount."
            raise Broken("the token was refused", system=_SYSTEM, operation=operation, status=403, hint=hint) from None
        except InvalidRequest:
            raise Broken("the request was refused", system=_SYSTEM, operation=operation, status=400) from None
        except requests.exceptions.SSLError:
            hint = "Name the CA that signed it with engine.vault.ca."
            raise Broken("its certificate is not trusted", system=_SYSTEM, operation=operation, hint=hint) from None
        except (VaultDown, requests.exceptions.RequestException) as error:
            hint = "Is engine.vault.address right, reachable from here, and unsealed?"
            raise NoAnswer(f"{_SYSTEM}: {operation}: {type(error).__name__}", hint=hint) from None
        except VaultError as error:
            raise NoAnswer(f"{_SYSTEM}: {operation}: {type(error).__name__}") from None


class _NothingThereError(Exception):
    pass
