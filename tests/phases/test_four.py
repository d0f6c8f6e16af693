"""Every phase has its four tests: from nothing; again, without a write; killed after each write, then again; refused.

A test says by its name which of the four it is: `from_nothing`, `again`, `killed` or `refused` (one test may be two of them),
in a file `test_<phase>.py`. Those of files that speak of several phases are in ELSEWHERE.
"""

import ast
import re
from pathlib import Path

import pytest

from rebirth.phases import (
    PHASES,
    boot_machines,
    create_machines,
    free_names,
    mint_node_key,
    reach_outside,
    read_repository,
    resolve_secrets,
    upload_image,
)

FOLDER = Path(__file__).parent
FOUR = ("from_nothing", "again", "killed", "refused")
# What only reads has no write to be killed after: that it writes nothing is what is shown.
ELSEWHERE = {
    resolve_secrets: {
        "killed": "test_resolve_secrets.py::test_from_nothing_and_again_without_a_write",
        "refused": "test_resolve_secrets.py::test_what_is_no_token",
    },
    read_repository: {"killed": "test_read_repository.py::test_cut_off_in_between_and_again"},
    reach_outside: {
        "from_nothing": "test_rights.py::test_from_nothing_and_again_without_a_write",
        "again": "test_rights.py::test_from_nothing_and_again_without_a_write",
        "killed": "test_rights.py::test_from_nothing_and_again_without_a_write",
        "refused": "test_rights.py::test_each_right_of_proxmox_that_is_missing_is_named",
    },
    free_names: {
        "from_nothing": "test_tailnet.py::test_stale_devices_of_ours_give_their_names_back",
        "again": "test_tailnet.py::test_stale_devices_of_ours_give_their_names_back",
        "killed": "test_tailnet.py::test_names_are_freed_after_a_kill_at_each_write",
        "refused": "test_tailnet.py::test_a_name_that_somebody_else_holds",
    },
    mint_node_key: {
        "from_nothing": "test_tailnet.py::test_a_key_as_the_castle_asks_for_it",
        "again": "test_tailnet.py::test_each_run_mints_its_own_key_and_revokes_what_nobody_has",
        "killed": "test_tailnet.py::test_a_key_is_minted_after_a_kill_at_the_write",
        "refused": "test_tailnet.py::test_tags_that_the_client_may_not_give",
    },
    upload_image: {
        "from_nothing": "test_upload_image.py::test_the_image_from_nothing_and_again",
        "again": "test_upload_image.py::test_the_image_from_nothing_and_again",
        "killed": "test_upload_image.py::test_the_image_after_a_kill_at_the_write",
        "refused": "test_upload_image.py::test_a_download_that_failed_is_started_again",
    },
    create_machines: {
        "from_nothing": "test_machines.py::test_from_nothing_and_again",
        "again": "test_machines.py::test_from_nothing_and_again",
        "killed": "test_machines.py::test_killed_after_each_write",
        "refused": "test_machines.py::test_a_machine_of_that_name_that_is_not_ours_is_not_touched",
    },
    boot_machines: {
        "from_nothing": "test_machines.py::test_boots_and_waits_for_the_machine_api",
        "again": "test_machines.py::test_machines_that_run_are_not_started_again",
        "killed": "test_machines.py::test_machines_that_run_are_not_started_again",
        "refused": "test_machines.py::test_machines_that_run_are_not_started_again",
    },
}


def named(file):
    """The names of a file's tests."""
    parsed = ast.walk(ast.parse(file.read_text()))
    functions = (node for node in parsed if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef))
    return {function.name for function in functions if function.name.startswith("test_")}


@pytest.mark.parametrize("kind", FOUR)
@pytest.mark.parametrize("phase", [phase.name for phase in PHASES])
def test_a_phase_has_its_four_tests(phase, kind):
    told = {module.__name__.rpartition(".")[2]: tests for module, tests in ELSEWHERE.items()}.get(phase, {})
    if kind in told:
        file, _, name = told[kind].partition("::")
        assert name in named(FOLDER / file)
        return
    files = list(FOLDER.rglob(f"test_{phase}.py"))
    assert files, f"tests/phases/test_{phase}.py is missing"
    said = re.compile(rf"_{kind}(_|$)")
    assert [name for file in files for name in named(file) if said.search(name)], (
        f"{files[0].name}: no test named {kind}"
    )
