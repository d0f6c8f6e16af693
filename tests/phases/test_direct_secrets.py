"""What is taken for a secret."""

from pathlib import Path

import pytest

from rebirth.castle import Castle, load
from rebirth.errors import SpecError
from rebirth.lab import canaries
from rebirth.lab.ca import Authority
from rebirth.lab.spec import Lab
from rebirth.paths import paths_of
from rebirth.phases.resolve_secrets import resolve_secrets
from rebirth.secrets import Redaction

EXAMPLE = Path(__file__).parents[2] / "examples" / "castle"
_MORE = "    - namespace: flux-system\n      name: more\n      data: {known_hosts: {secret: more}}\n"


@pytest.fixture
def castle(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Castle:
    """The example castle with one Secret more, and a value for every secret."""
    monkeypatch.setenv("REBIRTH_VAULT_DIRECTORY", str(tmp_path / "vault"))
    text = (EXAMPLE / "castle.yaml").read_text().replace("  direct_secrets:\n", f"  direct_secrets:\n{_MORE}")
    (tmp_path / "castle.yaml").write_text(text)
    made = load(tmp_path)
    ca = Authority("test")
    canaries.write(canaries.make(made, Lab(), ca=ca, vault_ca=ca), tmp_path / "vault")
    return made


async def resolved(castle: Castle, folder: Path) -> dict[str, str]:
    found = await resolve_secrets(castle, paths_of(folder, castle.secrets), Redaction())
    return {name: secret.reveal() for name, secret in found.values.items()}


@pytest.mark.parametrize("text", ["github.com ssh-ed25519 AAAA\n", "# created: today\nAGE-SECRET-KEY-1ABC\n"])
async def test_a_direct_secret_may_hold_a_whole_file(castle, tmp_path, text):
    (tmp_path / "vault" / "more").write_text(text)
    assert (await resolved(castle, tmp_path))["more"] == text.removesuffix("\n")


async def test_a_token_with_white_space_inside_is_none(castle, tmp_path):
    (tmp_path / "vault" / "tailscale-oauth-client-secret").write_text("tskey client")
    with pytest.raises(SpecError, match="tailscale-oauth-client-secret: the secret holds white space inside"):
        await resolved(castle, tmp_path)


async def test_the_labs_own_are_taken(castle, tmp_path):
    assert (await resolved(castle, tmp_path))["more"].startswith("github.com ssh-ed25519 ")
