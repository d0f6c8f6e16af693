"""What is restored is read as a whole before anything is made."""

from types import SimpleNamespace

import pytest

from anchored import all_bytes, archive_in, new_key
from rebirth.castle import CredentialsAnchor, Restore, Vault, VaultAnchor
from rebirth.castle.reference import SecretRef
from rebirth.errors import Broken
from rebirth.phases import read_archive
from rebirth.phases.made.kept import TALOS_SECRETS, VAULT

TOKEN = SecretRef(secret="token")
SPEC = Vault(address="https://vault.test:8200", mount="secret", token=TOKEN)


@pytest.fixture
def kept(tmp_path):
    """`await kept.write(...)`: a generation; `await kept.read(...)`: the phase."""
    archive = archive_in(tmp_path, new_key())

    async def write(*places):
        return await archive.write([await archive.keep(*place, repr(place).encode()) for place in places])

    async def read(generation="latest", *, vault=True):
        anchor = VaultAnchor(token=TOKEN) if vault else None
        return await read_archive.read_archive(
            Restore(generation=generation), CredentialsAnchor(), SPEC, anchor, None, archive
        )

    return SimpleNamespace(write=write, read=read, folder=tmp_path)


async def test_from_nothing_and_again_without_a_write(kept):
    made = await kept.write(TALOS_SECRETS, (VAULT, "secret"))
    before = all_bytes(kept.folder)
    for _ in range(2):  # a run that was killed has written nothing either
        found = await kept.read()
        assert (found.generation, {*found.contents}) == (made.name, {TALOS_SECRETS, (VAULT, "secret")})
        assert "credentials" not in repr(found), "what it holds is shown nowhere"
    assert all_bytes(kept.folder) == before


async def test_killed_while_it_was_written(kept):
    with pytest.raises(Broken, match="there is no generation"):
        await kept.read()


async def test_refused_where_something_is_not_in_it(kept):
    await kept.write(TALOS_SECRETS)
    with pytest.raises(Broken, match="has no vault secret") as caught:
        await kept.read()
    assert "leave them out" in caught.value.hint
    await kept.read(vault=False)
