"""Repositories that are made here have whatever branch, tag or range their users name: all lead to the same files."""

from collections.abc import Iterable
from pathlib import Path

from rebirth.lab.systems.git import Repository, git
from rebirth.paper.versions import fitting
from rebirth.proof.reading.manifest import Manifest

BRANCH = "main"
_DEFAULT = "master"  # Flux's, where a GitRepository names none


async def published(folder: Path, bare: Path, references: Iterable[str]) -> str:
    """The commit of the folder's files as they are now, which all references of the bare repository lead to.

    Raises RuntimeError, OSError.
    """
    repository = Repository(bare, folder, BRANCH)
    await (repository.take() if bare.exists() else repository.make())
    commit = await git("--git-dir", str(bare), "rev-parse", f"refs/heads/{BRANCH}")
    for reference in sorted(references):
        await git("--git-dir", str(bare), "update-ref", reference, commit)
    return commit


def references_of(objects: Iterable[Manifest]) -> frozenset[str]:
    """The Git references that GitRepositories name; one that names only a commit is given a branch by the admission."""
    found = {f"refs/heads/{BRANCH}", f"refs/heads/{_DEFAULT}"}
    for one in objects:
        ref = one.mapping("spec", "ref")
        if branch := ref.get("branch"):
            found.add(f"refs/heads/{branch}")
        if tag := ref.get("tag"):
            found.add(f"refs/tags/{tag}")
        if semver := ref.get("semver"):
            found.add(f"refs/tags/{fitting(str(semver))}")
        if name := str(ref.get("name") or ""):
            found.add(name.removesuffix("^{}"))
    return frozenset(one for one in found if one.startswith("refs/"))


def tags_of(source: Manifest) -> frozenset[str]:
    """The tags of an artifact that an OCIRepository names."""
    ref = source.mapping("spec", "ref")
    semver = str(ref.get("semver") or "")
    return frozenset({fitting(semver) if semver else str(ref.get("tag") or "latest")})
