"""Fixes that are shown as patches: `git apply` takes them at the repository's top, whatever the files look like."""

import json
import subprocess
from pathlib import Path

import pytest

from rebirth.findings import data, github, sarif
from rebirth.findings.places import Places
from rebirth.findings.verdict import weigh
from rebirth.proof.prove import prove
from trees import NODE, change, lay, write

LISTED = "resources:\n  - settings.yaml\n"


def git(folder: Path, *arguments: str, given: bytes = b"") -> None:
    done = subprocess.run(["git", *arguments], cwd=folder, input=given, capture_output=True, check=False)
    assert done.returncode == 0, done.stderr.decode()


def unlisted(root: Path, folder: str = "a", listed: str = LISTED) -> Path:
    """A repository in which one file is not listed beside one that is."""
    lay(root, a="", b="")
    file = root / folder / "kustomization.yaml"
    file.parent.mkdir(exist_ok=True)
    file.write_bytes(listed.encode())
    write(root, f"{folder}/settings.yaml", (root / "a/settings.yaml").read_text().replace("name: a", "name: c"))
    write(root, f"{folder}/more.yaml", (root / "a/settings.yaml").read_text().replace("name: c", "name: more"))
    if folder != "a":
        write(root, "clusters/x/more.yaml", NODE.format(name="more", needs="").replace("./more", f'"./{folder}"'))
    return root


async def found(root: Path, rule: str, asked: Path | None = None):
    proof = await prove(root, clusters=["clusters/x"])
    places = Places(here=Path("/nowhere/near/it"), asked=asked or root)
    findings = [finding for finding in weigh(proof, places).findings if finding.rule == rule]
    return findings, places


async def apply(top: Path, root: Path, rule: str) -> list:
    """Applies every patch of that rule's findings in the checkout `top`, and returns what the rule still finds."""
    findings, places = await found(root, rule)
    assert findings
    for diff in [data.diff_of(finding, places) for finding in findings]:  # all are shown before one is applied
        git(top, "apply", "-", given=diff.encode())
    return (await found(root, rule))[0]


@pytest.mark.parametrize(
    "listed",
    [
        LISTED,
        "resources: # all\n- settings.yaml\n",
        LISTED.rstrip("\n"),
        LISTED.replace("\n", "\r\n"),
        "# caf\u00e9 and more\n" + LISTED + "namespace: default\n",
    ],
    ids=["plain", "comment", "no-line-end-at-the-end", "crlf", "letters"],
)
async def test_git_takes_what_lists_a_file(tmp_path, listed):
    root = unlisted(tmp_path / "repository", listed=listed)
    git(root, "init", "--quiet")
    git(root, "config", "core.autocrlf", "false")
    assert await apply(root, root, "R41") == []
    assert b"more.yaml" in (root / "a/kustomization.yaml").read_bytes()


@pytest.mark.parametrize("folder", ["with blank", "caf\u00e9"])
async def test_git_takes_names_of_any_kind(tmp_path, folder):
    root = unlisted(tmp_path / "repository", folder)
    git(root, "init", "--quiet")
    assert await apply(root, root, "R41") == []


async def test_the_repository_s_top_counts_not_the_folder_that_was_asked_for(tmp_path):
    root = unlisted(tmp_path / "checkout" / "deploy")
    git(tmp_path / "checkout", "init", "--quiet")
    assert await apply(tmp_path / "checkout", root, "R41") == []


async def test_outside_of_a_checkout_the_folder_that_was_asked_for_is_the_top(tmp_path):
    root = unlisted(tmp_path / "repository")
    assert await apply(root, root, "R41") == []


async def test_git_takes_one_dependson_for_each_of_several_users(tmp_path):
    root = lay(tmp_path / "repository", a="", b="", c="")
    write(root, "a/settings.yaml", "apiVersion: v1\nkind: Namespace\nmetadata: {name: apps}\n")
    change(root, "b/settings.yaml", "namespace: default", "namespace: apps")
    change(root, "c/settings.yaml", "namespace: default", "namespace: apps")
    both = (root / "clusters/x/b.yaml").read_text() + "---\n" + (root / "clusters/x/c.yaml").read_text()
    (root / "clusters/x/c.yaml").unlink()
    (root / "clusters/x/b.yaml").write_text(both)
    git(root, "init", "--quiet")
    assert await apply(root, root, "R54") == []
    assert (root / "clusters/x/b.yaml").read_text().count("- name: a\n") == 2


async def test_annotations_and_sarif_name_files_below_the_top(tmp_path):
    root = lay(tmp_path / "checkout" / "deploy", a="b", b="a")
    git(tmp_path / "checkout", "init", "--quiet")
    proof = await prove(root, clusters=["clusters/x"])
    places = Places(here=root / "clusters", asked=root)
    verdict = weigh(proof, places)
    shown = github.render(verdict, places)
    assert shown.startswith("::error file=deploy/clusters/x/a.yaml,line=8,")
    assert "(dependsOn a): Kustomization flux-system/a is Ready deploy/clusters/x/b.yaml:8" in shown
    (result,) = json.loads(sarif.render(verdict, places))["runs"][0]["results"]
    uris = {
        one["physicalLocation"]["artifactLocation"]["uri"] for one in result["locations"] + result["relatedLocations"]
    }
    assert uris == {"deploy/clusters/x/a.yaml", "deploy/clusters/x/b.yaml"}
