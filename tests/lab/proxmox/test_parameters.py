"""docs/proxmox.md has every parameter of the VM resource of OpenTofu's provider, as the provider itself says it."""

import json
import os
import re
import subprocess
from pathlib import Path

import pytest

from rebirth.lab.building.toolchain import Toolchain, components

pytestmark = pytest.mark.lab
PAGE = Path(__file__).parents[3] / "docs" / "proxmox.md"
ASKED = 'terraform {\n  required_providers {\n    proxmox = {\n      source = "bpg/proxmox"\n    }\n  }\n}\n'
OTHERS = {"timeouts"}  # of OpenTofu itself


def parameters(block, above=""):
    yield from (f"{above}{name}" for name in block.get("attributes", {}))
    for name, inner in block.get("block_types", {}).items():
        yield from parameters(inner["block"], f"{above}{name}.")


def rows(title):
    """The parameters of one table: what stands in its first column."""
    section = PAGE.read_text(encoding="utf-8").partition(f"\n## {title}")[2].partition("\n## ")[0]
    return [
        name for row in re.findall(r"^\| (`.*?) \|", section, re.MULTILINE) for name in re.findall(r"`([^`]+)`", row)
    ]


async def test_every_parameter_has_a_row(tmp_path):
    toolchain = Toolchain()
    for component in components():
        if component.name in {"opentofu", "bpg-proxmox"}:
            await toolchain.build(component)
    programs = await toolchain.programs()
    folder = Path(programs["terraform-provider-proxmox"]).parent
    settings = tmp_path / "tofu.rc"
    settings.write_text(
        f'provider_installation {{\n  dev_overrides {{ "bpg/proxmox" = "{folder}" }}\n  direct {{}}\n}}\n'
    )
    (tmp_path / "main.tf").write_text(ASKED)
    told = subprocess.run(
        [programs["tofu"], f"-chdir={tmp_path}", "providers", "schema", "-json"],
        env=os.environ | {"TF_CLI_CONFIG_FILE": str(settings)}, check=True, capture_output=True, text=True,
    )  # fmt: skip
    (provider,) = json.loads(told.stdout)["provider_schemas"].values()
    known = parameters(provider["resource_schemas"]["proxmox_virtual_environment_vm"]["block"])
    said = rows("`proxmox_virtual_environment_vm`")
    assert len(said) == len(set(said)), "one row each"
    assert set(said) == {name for name in known if name.partition(".")[0] not in OTHERS}
