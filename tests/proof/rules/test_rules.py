"""Every folder `<rule>/bad_*` has exactly the findings that its expected.yaml names, every `<rule>/good_*` no error at all.

A folder is a GitOps tree (its clusters in `clusters/`), or a change of the example castle: `change.patch`. `expected.yaml`:

    cluster: clusters/x           where Flux starts; clusters/* if not given
    finds:                        every error; warnings and infos only if named here
      - rule: R13
        severity: error           (if not given)
        says: cycle              a piece of the message
        chain:                    optional: each link's file, and a piece of the line that it stands on
          - [clusters/x/apps.yaml, "name: infrastructure"]
"""

import asyncio
import shutil
import subprocess
from pathlib import Path

import pytest
import yaml

from rebirth.castle import Castle, load
from rebirth.proof.prove import prove
from rebirth.proof.reading.yaml_files import Lines
from rebirth.proof.rules import RULES

HERE = Path(__file__).parent
EXAMPLE = HERE.parents[2] / "examples" / "castle"
LOADED: dict[str, Castle] = {}  # by the text of castle.yaml: few changes touch it
CASES = sorted(folder for folder in HERE.glob("*/*") if folder.is_dir() and folder.name.startswith(("bad_", "good_")))


def loaded(directory):
    text = (directory / "castle.yaml").read_text()
    if text not in LOADED:
        LOADED[text] = load(directory)
    return LOADED[text]


def proof(case, scratch):
    expected = yaml.safe_load((case / "expected.yaml").read_text()) if (case / "expected.yaml").exists() else {}
    patch = case / "change.patch"
    if not patch.exists():
        tree = scratch / "tree"
        shutil.copytree(case, tree, ignore=shutil.ignore_patterns("expected.yaml"), symlinks=True)
        clusters = [expected["cluster"]] if "cluster" in expected else sorted(
            str(p.relative_to(tree)) for p in (tree / "clusters").glob("*") if p.is_dir()
        )  # fmt: skip
        return asyncio.run(prove(tree, clusters=clusters)), tree, expected
    castle = scratch / "castle"
    shutil.copytree(EXAMPLE, castle, ignore=shutil.ignore_patterns("logs", ".rebirth"))
    subprocess.run(["git", "apply", "--unsafe-paths", f"--directory={castle}", str(patch)], check=True, cwd="/")
    return asyncio.run(prove(castle / "gitops", castle=loaded(castle), directory=castle)), castle, expected


def shown(finding, root):
    lines = Lines()

    def text(place):
        file = Path(place.file)
        if not place.file or not file.is_file():
            return [place.file, ""]
        line = lines.line(place)
        where = str(file.relative_to(root)) if file.is_relative_to(root) else file.name
        return [where, file.read_text().splitlines()[line - 1].strip() if line else ""]

    return [text(edge.place) for edge in finding.links]


def matches(wanted, finding, root):
    if (wanted["rule"], wanted.get("severity", "error")) != (finding.rule, finding.severity):
        return False
    if wanted.get("says", "") not in finding.message:
        return False
    if "chain" not in wanted:
        return True
    got = shown(finding, root)
    return len(got) == len(wanted["chain"]) and all(
        file == place and piece in line for (file, piece), (place, line) in zip(wanted["chain"], got, strict=True)
    )


@pytest.mark.parametrize("case", CASES, ids=lambda case: f"{case.parent.name}/{case.name}")
def test_case(case, tmp_path):
    done, root, expected = proof(case, tmp_path)
    wanted = expected.get("finds", [])
    told = "\n".join(f"{f.severity} {f.rule} {f.message}\n    {shown(f, root)}" for f in done.findings) or "nothing"
    if case.name.startswith("bad_"):
        assert wanted, "a bad case says what has to be found"
        assert any(case.parent.name.startswith(w["rule"].lower()) for w in wanted), "one of them is this rule's own"
    unmet = [w for w in wanted if not any(matches(w, f, root) for f in done.findings)]
    assert not unmet, f"not found: {unmet}\nfound:\n{told}"
    extra = [f for f in done.findings if f.severity == "error" and not any(matches(w, f, root) for w in wanted)]
    assert not extra, f"not expected:\n{told}"
    if case.name.startswith("good_"):
        own = case.parent.name.partition("_")[0].upper()
        assert not [f for f in done.findings if f.rule == own and f.severity != "info"], told


@pytest.mark.parametrize("rule", RULES, ids=lambda rule: rule.__name__)
def test_every_rule_has_cases_of_both_kinds(rule):
    folder = HERE / rule.__name__
    assert len([p for p in folder.glob("bad_*") if p.is_dir()]) >= 2
    assert len([p for p in folder.glob("good_*") if p.is_dir()]) >= 2
