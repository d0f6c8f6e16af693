"""`check` of a repository alone says again what it said, exactly where a proof would say the same."""

import os
import shutil
import subprocess
import sys
from pathlib import Path

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from typer.testing import CliRunner

from cli.conftest import certificate
from flux_trees import config_map, node, resources
from proof.mutations import mutations
from rebirth import checking
from rebirth.change import answered
from rebirth.cli import app

EXAMPLE = Path(__file__).parents[2] / "examples" / "castle"
CHANGES = [one for one in mutations(EXAMPLE) if one.file.startswith("gitops/")]


@pytest.fixture
def proofs(monkeypatch):
    """How often something was proved. Files as young as those of a test are known again, too."""
    count = []

    async def prove(*arguments, **options):
        count.append(arguments)
        return await real(*arguments, **options)

    real = checking.prove
    monkeypatch.setattr(checking, "prove", prove)
    monkeypatch.setattr(answered, "_TICK", 0)
    return count


@pytest.fixture(autouse=True)
def cache(tmp_path, monkeypatch):
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path / "cache"))
    return tmp_path / "cache"


@pytest.fixture
def tree(tmp_path):
    """A checkout with one Kustomization."""
    root = tmp_path / "above" / "tree"
    write(root, "clusters/x/apps.yaml", node("apps", "apps"))
    write(root, "apps/kustomization.yaml", resources("one.yaml"))
    write(root, "apps/one.yaml", config_map("one"))
    write(root, "README.md", "words")
    (root / "link").symlink_to("apps")
    (root / ".git").mkdir()
    return root


def write(root, name, text):
    file = root / name
    file.parent.mkdir(parents=True, exist_ok=True)
    file.write_text(text)


def check(root, *options):
    done = CliRunner().invoke(app, ["check", "--gitops", str(root), *options])
    return done.exit_code, done.output


def test_what_has_not_changed_is_not_proved_again(tree, proofs):
    first = check(tree)
    assert (check(tree), len(proofs)) == (first, 1)


def test_the_exit_code_is_kept_too(tree, proofs):
    write(tree, "clusters/x/apps.yaml", node("apps", "nowhere"))
    assert check(tree)[0] == 3
    assert (check(tree)[0], len(proofs)) == (3, 1)


def test_each_form_has_its_own_answer(tree, proofs, monkeypatch):
    said = {check(tree, *options) for options in ([], ["--json"], ["--format", "sarif"])}
    monkeypatch.setenv("FORCE_COLOR", "1")
    said.add(check(tree))
    assert (len(said), len(proofs)) == (4, 4)


def same_size_and_time(root):
    file = root / "apps" / "one.yaml"
    before = file.stat()
    file.write_text(file.read_text().replace("one", "two"))
    os.utime(file, ns=(before.st_atime_ns, before.st_mtime_ns))


def other_target(root):
    (root / "link").unlink()
    (root / "link").symlink_to("clusters")


@pytest.mark.parametrize(
    "change",
    [
        same_size_and_time,
        other_target,
        lambda root: write(root, "apps/two.yaml", config_map("two")),
        lambda root: write(root, ".rebirth.yaml", "check: {}\n"),
        lambda root: write(root, ".sourceignore", "apps\n"),
        lambda root: write(root, "README.md", "others"),
        lambda root: (root / "apps" / "one.yaml").unlink(),
        lambda root: (root / "apps" / "one.yaml").rename(root / "apps" / "two.yaml"),
        lambda root: (root / "apps" / "one.yaml").chmod(0o600),
        lambda root: (root / "empty").mkdir(),
        lambda root: (root / ".git").rmdir(),
        lambda root: (root.parent / ".git").mkdir(),
    ],
)
def test_a_change_of_the_tree_is_proved(tree, proofs, change):
    check(tree)
    change(tree)
    said = check(tree)
    shutil.rmtree(os.environ["XDG_CACHE_HOME"])
    assert (check(tree), len(proofs)) == (said, 3)


def test_a_folder_above_that_a_path_could_lead_to_is_seen(tree, proofs):
    (tree / ".git").rmdir()
    check(tree)
    assert (check(tree), len(proofs)) == (check(tree), 1)
    (tree.parent / "apps").mkdir()
    check(tree)
    assert len(proofs) == 2


@pytest.mark.parametrize("folder", ["HELM_REPOSITORY_CACHE", "REBIRTH_FETCHED"])
def test_what_was_fetched_is_seen(tree, proofs, folder):
    check(tree)
    write(Path(os.environ[folder]), "charts/one.json", "{}")
    check(tree)
    assert len(proofs) == 2


@pytest.mark.parametrize("variable", ["COLUMNS", "HOME", "HELM_PLUGINS", "KUSTOMIZE_PLUGIN_HOME"])
def test_the_environment_is_seen(tree, proofs, monkeypatch, variable):
    check(tree)
    monkeypatch.setenv(variable, "70")
    check(tree)
    assert len(proofs) == 2


def test_where_it_was_asked_is_seen(tree, proofs, monkeypatch):
    write(tree, "clusters/x/apps.yaml", node("apps", "nowhere"))
    first = check(tree)
    monkeypatch.chdir(tree)
    assert check(tree) != first


def test_another_program_is_seen(tree, proofs, tmp_path, monkeypatch):
    check(tree)
    write(tmp_path, "programs/helm", "#!/bin/sh\n")
    (tmp_path / "programs" / "helm").chmod(0o755)
    monkeypatch.setenv("PATH", f"{tmp_path / 'programs'}:{os.environ['PATH']}")
    check(tree)
    assert len(proofs) == 2


def outside(root):
    (root / "out").symlink_to(root.parent)


def with_certificate(root):
    lines = "".join(f"    {line}\n" for line in certificate().splitlines())
    write(root, "apps/one.yaml", f"{config_map('one')}data:\n  ca.crt: |\n{lines}")


def failing(root):
    patches = "patches: [{patch: '{kind: Secret, apiVersion: v1, metadata: {name: none}}'}]\n"
    write(root, "apps/kustomization.yaml", resources("one.yaml") + patches)


@pytest.mark.parametrize(
    "change",
    [
        outside,
        with_certificate,
        failing,
    ],
)
def test_what_may_be_told_otherwise_without_a_change_is_not_kept(tree, proofs, change):
    change(tree)
    check(tree)
    check(tree)
    assert len(proofs) == 2


def test_what_has_just_been_changed_is_not_kept(tree, proofs, monkeypatch):
    monkeypatch.setattr(answered, "_TICK", 2_000_000_000)
    check(tree)
    check(tree)
    assert len(proofs) == 2


@given(st.lists(st.sampled_from(CHANGES), min_size=1, max_size=3))
@settings(max_examples=8, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
def test_random_edits_are_told_as_if_nothing_were_kept(tmp_path, proofs, changes):
    castle = tmp_path / "castle"
    shutil.rmtree(castle, ignore_errors=True)
    shutil.copytree(EXAMPLE, castle, ignore=shutil.ignore_patterns("logs", ".rebirth"))
    check(castle / "gitops")
    for change in changes:
        if (castle / change.file).exists():
            try:
                change.apply(castle)
            except (KeyError, IndexError, TypeError):
                continue  # an earlier one has taken away what it changes
        said = check(castle / "gitops")
        again = check(castle / "gitops")
        shutil.rmtree(tmp_path / "cache")
        assert said == again == check(castle / "gitops")


OPENED = """
import os, sys
opened = []
sys.addaudithook(lambda event, of: opened.append(of[0]) if event in {"open", "os.scandir", "os.listdir"} else None)
from rebirth import checking
from pathlib import Path
from rebirth.change.answered import *
opened.clear()
try:
    checking.check(checking.Asked(None, Path(sys.argv[1])), checking.Said())
finally:
    print("opened", *sorted({os.path.realpath(one) for one in opened if isinstance(one, (str, bytes, os.PathLike))}), sep="\\n")
"""


def test_nothing_is_read_that_is_not_looked_at(tree, tmp_path):
    """Whatever a proof opens stands in the tree, in the program and what it imports, in what was fetched or in caches by content."""
    shutil.copytree(EXAMPLE / "gitops", tree / "example")
    argv = [sys.executable, "-c", OPENED, str(tree)]
    done = subprocess.run(argv, capture_output=True, text=True, check=True, cwd=tree)
    opened = done.stdout.partition("opened\n")[2].splitlines()
    watched = (tree, Path(sys.prefix), Path(sys.base_prefix), Path(answered.__file__).parents[1])
    temporary = (tmp_path / "cache", "/tmp/rebirth-", "/dev", "/proc")
    assert str(tree / "apps" / "one.yaml") in opened
    assert not [file for file in opened if not file.startswith((*map(str, watched), *map(str, temporary)))]
