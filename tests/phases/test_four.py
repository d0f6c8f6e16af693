"""Every phase has its four tests: from nothing; again, without a write; killed after each write, then again; refused.

By name: `test_from_nothing`, `test_again`, `test_killed` and `test_refused` (or these and more words) in `test_<phase>.py`, or
`test_<phase>_from_nothing` and so on in any file below `tests/phases/`.
"""

import ast
from pathlib import Path

import pytest

from rebirth.phases import (
    PHASES,
    boot_machines,
    configure_machines,
    create_machines,
    free_names,
    mint_node_key,
    reach_outside,
    read_repository,
    resolve_secrets,
    upload_image,
)

FOUR = ("from_nothing", "again", "killed", "refused")
# Phases of machines and of what is outside: theirs are still to come.
TO_COME = {
    module.__name__.rpartition(".")[2]
    for module in (resolve_secrets, read_repository, reach_outside, free_names, mint_node_key, upload_image,
                   create_machines, boot_machines, configure_machines)
}  # fmt: skip


def written():
    """Names of tests, each with the file that it stands in."""
    for file in Path(__file__).parent.rglob("test_*.py"):
        for node in ast.walk(ast.parse(file.read_text())):
            if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef) and node.name.startswith("test_"):
                yield file.stem, node.name


def missing(phase):
    found = set(written())
    for kind in FOUR:
        named = [name for file, name in found if file == f"test_{phase}" and name.startswith(f"test_{kind}")]
        if not named and not [name for _, name in found if name.startswith(f"test_{phase}_{kind}")]:
            yield kind


@pytest.mark.parametrize("phase", [phase.name for phase in PHASES if phase.name not in TO_COME])
def test_a_phase_has_its_four_tests(phase):
    assert not list(missing(phase))


def test_what_is_still_to_come_is_missing():
    """Whoever writes a phase's tests takes it off the list."""
    assert [phase for phase in sorted(TO_COME) if not list(missing(phase))] == []
