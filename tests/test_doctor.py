"""What the doctor sees, and what it says to do."""

from pathlib import Path

import pytest

from rebirth.castle import load
from rebirth.doctor import Check, examine, show
from rebirth.errors import SpecError

EXAMPLE = Path(__file__).parents[1] / "examples" / "castle"


@pytest.fixture
def vault(tmp_path: Path) -> dict[str, Path]:
    """Every secret of the example castle, sound; name -> file."""
    files = {reference.secret: tmp_path / reference.secret for _, reference in load(EXAMPLE).references()}
    for file in files.values():
        file.parent.mkdir(parents=True, exist_ok=True)
        file.write_text("value")
        file.chmod(0o600)
    return files


async def secrets_of(vault: dict[str, Path], **environment: str) -> dict[str, Check]:
    folder = vault["github-token"].parent
    checks = await examine(EXAMPLE, {"REBIRTH_VAULT_DIRECTORY": str(folder), **environment})
    return {check.what.split()[1]: check for check in checks if check.what.startswith("secret ")}


async def test_the_machine_is_looked_at():
    checks = {check.what.split()[0]: check for check in await examine(None, {})}
    assert {"Linux", "root", "Debian", "control", "disk", "memory", "namespaces", "Go"} == set(checks)
    assert checks["Linux"].sound
    assert all(check.fix for check in checks.values() if not check.sound)


async def test_secrets_that_are_there(vault):
    checks = await secrets_of(vault)
    assert set(checks) == set(vault)
    assert all(check.sound for check in checks.values())


async def test_a_secret_that_is_missing_or_empty(vault):
    vault["github-token"].unlink()
    vault["proxmox-api-token"].write_text("")
    checks = await secrets_of(vault)
    assert {name for name, check in checks.items() if not check.sound} == {"github-token", "proxmox-api-token"}
    assert str(vault["github-token"]) in checks["github-token"].fix
    assert "REBIRTH_SECRET_GITHUB_TOKEN" in checks["github-token"].fix


async def test_a_secret_from_the_environment(vault):
    vault["github-token"].unlink()
    checks = await secrets_of(vault, REBIRTH_SECRET_GITHUB_TOKEN="x")
    assert checks["github-token"].sound
    assert "REBIRTH_SECRET_GITHUB_TOKEN" in checks["github-token"].what


@pytest.mark.parametrize(
    ("mode", "sound"), [(0o600, True), (0o400, True), (0o640, False), (0o604, False), (0o660, False)]
)
async def test_a_secret_that_others_may_read(vault, mode, sound):
    vault["github-token"].chmod(mode)
    check = (await secrets_of(vault))["github-token"]
    assert check.sound is sound
    assert sound or check.fix == f"Others may read it: chmod 600 {vault['github-token']}"


async def test_a_castle_that_cannot_be_read(tmp_path: Path):
    with pytest.raises(SpecError):
        await examine(tmp_path, {})


@pytest.mark.parametrize(("sound", "code"), [(True, 0), (False, 1)])
def test_the_exit_code(sound, code, capsys):
    assert show([Check("a", True), Check("b", sound, "Mend b.")]) == code
    assert ("Mend b." in capsys.readouterr().out) is not sound
