"""check --since and --baseline: only what is new is reported and counts."""

import json
import shutil
import subprocess
from pathlib import Path

import pytest

from rebirth.proof.reading import repository_files
from rebirth.proof.reading.kept import pack
from trees import change, lay, write


def git(folder: Path, *arguments: str) -> None:
    who = ["-c", "user.name=test", "-c", "user.email=test@example.org", "-c", "init.defaultBranch=main"]
    subprocess.run(["git", *who, *arguments], cwd=folder, check=True, capture_output=True)


def commit(folder: Path) -> None:
    git(folder, "init", "--quiet")
    git(folder, "add", "--all")
    git(folder, "commit", "--quiet", "--message", "as it is")


@pytest.fixture
def tree(desk) -> Path:
    """A committed repository with an error: a and b depend on each other."""
    root = lay(desk.folder / "tree", a="b", b="a")
    commit(root)
    return root


def test_what_was_there_before_is_not_reported(desk, tree):
    lay(tree, c="")
    change(tree, "clusters/x/a.yaml", "kind:", "# another line\nkind:")
    code, out, complaints = desk.run("check", "--gitops", "tree", "--since", "HEAD")
    assert (code, complaints) == (0, "")
    assert out.startswith("No new problems found in 4 Kustomizations; 1 known and not shown\n")
    assert "): 0 new findings, 0 gone, 1 as before\n" in out
    assert "\nadded: Kustomization flux-system/c, needs Kustomization flux-system/flux-system\n" in out
    assert desk.run("check", "--gitops", "tree")[0] == 3


def test_what_is_the_same_in_both_trees_is_parsed_once(desk, tree, monkeypatch):
    """And by nobody again once there is enough of it to be kept."""
    parsed = []
    real = repository_files.parse
    monkeypatch.setattr(repository_files, "parse", lambda text: parsed.append(text) or real(text))
    monkeypatch.setitem(desk.environment, "XDG_CACHE_HOME", str(desk.folder / "cache"))
    monkeypatch.setattr(pack, "_WORTH", 1)
    desk.run("check", "--gitops", "tree", "--since", "HEAD")
    assert len(parsed) == len(set(parsed)) > 0
    parsed.clear()
    change(tree, "clusters/x/a.yaml", "kind:", "# another line\nkind:")
    desk.run("check", "--gitops", "tree", "--since", "HEAD")
    assert parsed == [(tree / "clusters/x/a.yaml").read_text()]


def test_what_is_new_is_reported_and_counts(desk, tree):
    lay(tree, c="nowhere", b="")
    code, out, _ = desk.run("check", "--gitops", "tree", "--since", "main")
    assert code == 3
    assert out.startswith("error R13: Kustomization flux-system/c depends on Kustomization\n")
    assert "dependsOn closes a cycle" not in out.partition("\n1 error\n")[0]
    assert "  gone: error R13: dependsOn closes a cycle" in out
    assert "\nKustomization flux-system/b no longer needs Kustomization flux-system/a\n" in out
    data = json.loads(desk.run("check", "--gitops", "tree", "--since", "main", "--json")[1])
    assert [one["rule"] for one in data["findings"]] == ["R13"]
    assert (data["since"]["new"], data["since"]["same"], len(data["since"]["gone"])) == (1, 0, 1)
    (cluster,) = data["since"]["clusters"]
    assert cluster["critical_path"]["before"] != cluster["critical_path"]["after"]
    assert [one["unit"] for one in cluster["added"]] == ["Kustomization flux-system/c"]


def test_in_a_workflow_the_change_is_a_note(desk, tree):
    lay(tree, c="")
    _, out, _ = desk.run("check", "--gitops", "tree", "--since", "HEAD", "--format", "github")
    assert out.startswith("::notice title=rebirth::since HEAD (")
    assert "%0Aadded: Kustomization flux-system/c" in out
    assert out.count("\n") == 1


def test_nothing_has_changed(desk, tree):
    code, out, _ = desk.run("check", "--gitops", "tree", "--since", "HEAD")
    assert code == 0
    assert out.endswith("\nthe bootstrap is as it was\n")


def test_the_first_commit_had_nothing_of_flux(desk):
    root = desk.folder / "tree"
    write(root, "README.md", "nothing yet\n")
    commit(root)
    lay(root, a="b", b="a")
    code, out, _ = desk.run("check", "--gitops", "tree", "--since", "HEAD")
    assert code == 3
    assert "every finding is new, for the tree was not proved then: " in " ".join(out.split())
    assert "/rebirth-since-" not in out


def test_what_cannot_be_compared(desk, tree):
    code, out, complaints = desk.run("check", "--gitops", "tree", "--since", "v9")
    assert (code, out) == (2, "")
    assert "tree has no revision v9\nhint: " in complaints
    lay(desk.folder / "bare", a="")
    assert desk.run("check", "--gitops", "bare", "--since", "HEAD")[0] == 2


def test_a_castle_and_its_repository_in_one_checkout(desk):
    castle = desk.castle()
    commit(desk.folder)
    assert "the bootstrap is as it was" in desk.run("check", "castle", "--since", "HEAD")[1]
    change(castle, "gitops/clusters/tazlab-k8s/bridge.yaml", "spec:\n", "spec:\n  dependsOn:\n    - name: apps\n")
    code, out, _ = desk.run("check", "castle", "--since", "HEAD")
    assert code == 3
    assert "these need each other in a cycle" in out
    now = "Kustomization flux-system/bridge now needs Kustomization flux-system/apps: depends on (dependsOn apps)"
    assert now in " ".join(out.split())
    assert "no longer needs" not in out
    assert "never ready: " in out


def test_a_castle_beside_its_repository_is_as_it_is_now(desk):
    castle = desk.castle()
    shutil.copytree(castle / "gitops", desk.folder / "other")
    commit(desk.folder / "other")
    code, out, _ = desk.run("check", "castle", "--gitops", "other", "--since", "HEAD")
    assert code == 0
    assert "the bootstrap is as it was" in out


# -- a baseline


def test_what_a_baseline_knows_is_counted_alone(desk, tree):
    known = ("--gitops", "tree", "--baseline", "known.json")
    code, out, complaints = desk.run("check", *known)
    assert (code, out) == (2, "")
    assert "known.json: No such file or directory\nhint: " in complaints
    assert desk.run("check", *known, "--write-baseline") == (0, "1 finding written to known.json\n", "")
    (entry,) = json.loads((desk.folder / "known.json").read_text())["findings"]
    assert (entry["rule"], entry["file"]) == ("R13", "clusters/x/a.yaml")
    code, out, _ = desk.run("check", *known, "--strict")
    assert code == 0
    assert "; 1 known and not shown\n" in out
    lay(tree, c="nowhere")
    code, out, _ = desk.run("check", *known)
    assert code == 3
    assert "closes a cycle" not in out
    assert json.loads(desk.run("check", *known, "--json")[1])["counts"]["known"] == 1


def test_an_entry_that_matches_nothing_is_said_at_its_line(desk, tree):
    known = ("--gitops", "tree", "--baseline", "known.json")
    lay(tree, c="nowhere")
    desk.run("check", *known, "--write-baseline")
    lay(tree, b="", c="nowhere")
    code, out, _ = desk.run("check", *known)
    assert code == 0
    assert "info R00: the baseline knows R13 in clusters/x/a.yaml, which is no longer found" in " ".join(out.split())
    line = next(
        at for at, text in enumerate((desk.folder / "known.json").read_text().splitlines(), 1) if "cycle" in text
    )
    assert f"  at known.json:{line}\n" in out
    desk.run("check", *known, "--write-baseline")
    assert "R00" not in desk.run("check", *known)[1]


def test_nothing_to_know_is_a_baseline_too(desk):
    lay(desk.folder / "good", a="")
    known = ("--gitops", "good", "--baseline", "known.json")
    assert desk.run("check", *known, "--write-baseline")[1] == "0 findings written to known.json\n"
    assert desk.run("check", *known)[0] == 0


@pytest.mark.parametrize("text", ["", "[]", "{}", '{"version": 2, "findings": []}', '{"version": 1, "findings": [{}]}'])
def test_what_is_no_baseline(desk, tree, text):
    write(desk.folder, "known.json", text)
    code, _, complaints = desk.run("check", "--gitops", "tree", "--baseline", "known.json")
    assert code == 2
    assert "known.json: is not a baseline of this version" in complaints


def test_where_a_baseline_goes_has_to_be_said(desk, tree):
    code, _, complaints = desk.run("check", "--gitops", "tree", "--write-baseline")
    assert code == 2
    assert "--write-baseline needs --baseline FILE" in complaints
