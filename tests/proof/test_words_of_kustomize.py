"""What kustomize says of an object that it refuses, and what of that is shown."""

import asyncio
import secrets

import pytest

from flux_trees import git, node
from rebirth.proof.prove import prove
from rebirth.proof.reading.kustomize import plain


@pytest.fixture
def told(tmp_path):
    def run(files):
        files = {"clusters/x/flux-system/sync.yaml": git("flux-system", "https://h.example/r") + "---\n" + node("flux-system", "./clusters/x")} | files  # fmt: skip
        for name, text in files.items():
            (tmp_path / name).parent.mkdir(parents=True, exist_ok=True)
            (tmp_path / name).write_text(text)
        return [(one.rule, one.message) for one in asyncio.run(prove(tmp_path)).findings]

    return run


def test_an_object_that_kustomize_prints_is_not_shown():
    """As it does of one whose apiVersion is a number that is none."""
    canary = secrets.token_hex(16)
    printed = (
        f'map[string]interface {{}}{{"apiVersion":NaN, "stringData":map[string]interface {{}}{{"token":"{canary}"}}}}'
    )
    assert plain(f"{printed}\nunsupported value: NaN", "/scratch") == "an object"
    assert plain("no such file", "/scratch") == "no such file"


@pytest.mark.parametrize("entry", ["a" * 300, "b" * 300 + ".yaml"])
def test_a_name_that_no_file_can_have(told, entry):
    found = told({"clusters/x/app.yaml": node("app", "./app"), "app/kustomization.yaml": f"resources: [{entry}]\n"})
    assert any(rule == "R40" and "does not exist" in message for rule, message in found)
    assert told({"clusters/x/app.yaml": node("app", f"./{entry}")})
