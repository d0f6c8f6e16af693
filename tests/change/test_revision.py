"""The tree at a revision: as a checkout has it, and nothing is left behind."""

import asyncio
from pathlib import Path

import pytest

from change.conftest import git
from rebirth.change import revision
from rebirth.errors import SpecError
from trees import write


def files(name: str, inside: Path) -> dict[str, str]:
    async def read() -> dict[str, str]:
        async with revision.at(name, inside) as then:
            folders.append(then.folder)
            found = [file for file in sorted(then.folder.rglob("*")) if not file.is_dir()]
            return {str(file.relative_to(then.folder)): file.read_text() for file in found}

    folders: list[Path] = []
    found = asyncio.run(read())
    assert not folders[0].exists()
    return found


def status(top: Path) -> tuple[str, bytes, list[Path]]:
    return git(top, "status", "--porcelain"), (top / ".git" / "index").read_bytes(), sorted((top / ".git").iterdir())


def test_it_is_what_was_committed_and_the_repository_stays_as_it_is(tmp_path, commit):
    write(tmp_path, ".gitattributes", "b.yaml export-ignore\n")  # git archive leaves it out
    write(tmp_path, "a.yaml", "one\n")
    write(tmp_path, "sub/b.yaml", "b\n")
    (tmp_path / "link.yaml").symlink_to("a.yaml")
    commit(tmp_path)
    write(tmp_path, "a.yaml", "two\n")
    git(tmp_path, "add", "a.yaml")
    write(tmp_path, "new.yaml", "new\n")
    before = status(tmp_path)
    found = files("HEAD", tmp_path)
    assert found == {
        ".gitattributes": "b.yaml export-ignore\n",
        "a.yaml": "one\n",
        "link.yaml": "one\n",
        "sub/b.yaml": "b\n",
    }
    assert status(tmp_path) == before


def test_a_submodule_is_at_the_commit_that_was_pinned(tmp_path, commit):
    other, root = tmp_path / "other", tmp_path / "root"
    write(other, "x.yaml", "then\n")
    commit(other)
    root.mkdir()
    git(root, "init", "--quiet")
    git(root, "submodule", "--quiet", "add", str(other), "parts/other")
    commit(root)
    write(root, "parts/other/x.yaml", "now\n")
    commit(root / "parts" / "other")
    assert files("HEAD", root)["parts/other/x.yaml"] == "then\n"


def test_a_submodule_that_is_not_here_is_empty(tmp_path, commit):
    other, root, clone = tmp_path / "other", tmp_path / "root", tmp_path / "clone"
    write(other, "x.yaml", "then\n")
    commit(other)
    root.mkdir()
    git(root, "init", "--quiet")
    git(root, "submodule", "--quiet", "add", str(other), "other")
    commit(root)
    git(tmp_path, "clone", "--quiet", str(root), str(clone))
    assert set(files("HEAD", clone)) == {".gitmodules"}


@pytest.mark.parametrize("name", ["nowhere", "--help", "HEAD:a.yaml", ""])
def test_a_revision_that_is_none(tmp_path, commit, name):
    write(tmp_path, "a.yaml", "one\n")
    commit(tmp_path)
    with pytest.raises(SpecError, match=f"has no revision {name}") as error:
        files(name, tmp_path)
    assert "fetch-depth" in error.value.hint


def test_a_folder_in_no_checkout(tmp_path):
    with pytest.raises(SpecError, match=r"--since: .* is in no checkout of Git"):
        files("HEAD", tmp_path)


def test_in_a_hook_the_environment_names_another_repository(tmp_path, commit, monkeypatch):
    one, linked = tmp_path / "one", tmp_path / "linked"
    write(one, "a.yaml", "one\n")
    commit(one)
    git(one, "worktree", "add", "--quiet", "-b", "other", str(linked))
    monkeypatch.setenv("GIT_DIR", str(tmp_path / "nowhere"))
    monkeypatch.setenv("GIT_INDEX_FILE", str(tmp_path / "index"))
    assert files("HEAD", linked) == {"a.yaml": "one\n"}
