"""Laws of the tree that neither ruff nor the import contracts can keep."""

import ast
from functools import cache
from pathlib import Path

import pytest

from rebirth.phases import PHASES

SOURCE = Path(__file__).parents[1] / "src" / "rebirth"
FILES = sorted(file for file in SOURCE.rglob("*.py") if not file.name.endswith("_pb2.py"))
# Who may turn a secret into plain text: who hands it to the system that it is for, and who looks whether it is one.
REVEALS = {
    "secrets.py",  # redaction has to know what it takes out
    "phases/resolve_secrets.py",
    "phases/place_secrets.py",
    "phases/hand_over.py",
    "phases/made/machine_patches.py",
    "fetch/logins.py",
    "providers/anchors/s3.py",
    "providers/anchors/sealing.py",
    "providers/anchors/snapshots.py",
    "providers/git_access.py",
    "providers/proxmox.py",
    "providers/tailnet.py",
    "providers/vault.py",
    "providers/web.py",
}


def shown(file):
    return str(file.relative_to(SOURCE))


@cache
def tree(file):
    return ast.parse(file.read_text(encoding="utf-8"))


TESTS = sorted(Path(__file__).parent.rglob("*.py"))


@pytest.mark.parametrize("file", [*FILES, *TESTS], ids=lambda file: str(file.relative_to(SOURCE.parents[1])))
def test_no_file_is_too_long(file):
    assert len(file.read_text(encoding="utf-8").splitlines()) <= 350


def test_no_folder_is_too_full():
    full = {"phases": 40, "castle": 30, "proof/rules": 100, ".": 15}
    for folder in {file.parent for file in FILES}:
        name = str(folder.relative_to(SOURCE))
        count = len([file for file in folder.iterdir() if file.is_file()])
        assert count <= full.get(name, 20), f"{name} holds {count} files"


@pytest.mark.parametrize("file", [f for f in FILES if f.parent != SOURCE / "phases"], ids=shown)
def test_no_phase_is_known_by_its_name(file):
    names = {phase.name for phase in PHASES}
    said = {
        node.value for node in ast.walk(tree(file)) if isinstance(node, ast.Constant) and isinstance(node.value, str)
    }
    assert not said & names


def test_who_may_reveal_a_secret():
    """Called or handed on; and nobody else reaches for the value behind it."""
    named = {
        (shown(file), node.attr) for file in FILES for node in ast.walk(tree(file)) if isinstance(node, ast.Attribute)
    }
    assert {file for file, name in named if name == "reveal"} == REVEALS
    assert {file for file, name in named if name == "_value" and "secrets" in file} == {"secrets.py"}


STARTS = {"create_task", "ensure_future", "run_coroutine_threadsafe"}


@pytest.mark.parametrize("file", [f for f in FILES if not shown(f).startswith(("lab/", "paper/"))], ids=shown)
def test_who_starts_tasks(file):
    """What ruff's banned calls cannot see: a loop's or a group's own methods."""
    if shown(file) in {"run/engine.py", "run/waiting.py"}:
        return
    calls = {node.attr for node in ast.walk(tree(file)) if isinstance(node, ast.Attribute)}
    assert not calls & STARTS


@pytest.mark.parametrize("file", [f for f in FILES if shown(f).startswith("proof/rules/")], ids=shown)
def test_a_rule_opens_nothing(file):
    calls = [node.func for node in ast.walk(tree(file)) if isinstance(node, ast.Call)]
    names = {call.id if isinstance(call, ast.Name) else getattr(call, "attr", "") for call in calls}
    assert not names & {"open", "read_text", "read_bytes", "print", "safe_load", "import_module", "__import__"}


@pytest.mark.parametrize("file", [f for f in FILES if not shown(f).startswith(("providers/", "lab/"))], ids=shown)
def test_errors_are_not_matched_by_their_words(file):
    """Outside of providers, which have nothing but the words of programs."""
    for node in ast.walk(tree(file)):
        if isinstance(node, ast.Compare) and any(isinstance(op, ast.In | ast.NotIn) for op in node.ops):
            words = [part for side in node.comparators for part in ast.walk(side)]
            assert not any(
                isinstance(part, ast.Call)
                and isinstance(part.func, ast.Name)
                and part.func.id == "str"
                and any(isinstance(one, ast.Name) and one.id in {"error", "failure", "e"} for one in part.args)
                for part in words
            ), f"line {node.lineno}"


def test_who_catches_everything():
    """Only where a run or a command ends: a bug in a phase must not take the others down, nor show a trace with secrets."""
    wide = {
        shown(file)
        for file in FILES
        for node in ast.walk(tree(file))
        if isinstance(node, ast.ExceptHandler)
        and isinstance(node.type, ast.Name)
        and node.type.id in {"Exception", "BaseException"}
        and not shown(file).startswith("lab/")
    }
    assert wide <= {"run/engine.py", "session.py", "checking.py", "cli.py"}
