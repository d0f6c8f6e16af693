"""plan and explain as people and programs meet them."""

import json
import re
import shutil

import pytest

from trees import lay, write


def test_a_plan(desk):
    lay(desk.folder / "tree", a="", b="a", c="b", d="")
    code, out, complaints = desk.run("plan", "--gitops", "tree")
    assert (code, complaints) == (0, "")
    rows = re.findall(r"^ +(\d+) +(\d+:\d\d) +(\d+:\d\d)  Kustomization flux-system/(\S+)", out, re.MULTILINE)
    assert [(wave, name) for wave, _, _, name in rows] == [
        ("1", "flux-system"), ("2", "a"), ("2", "d"), ("3", "b"), ("4", "c"),
    ]  # fmt: skip
    assert "all ready after 0:12:\n" in out
    assert re.findall(r"\+0:03  Kustomization flux-system/(\S+)", out) == ["flux-system", "a", "b", "c"]
    words = " ".join(out.split())
    assert "Kustomization flux-system/b waits for Kustomization flux-system/a, but uses nothing of it" in words
    assert "tree/clusters/x/b.yaml:8" in out
    assert max(map(len, out.splitlines())) <= 80


def test_several_clusters(desk):
    lay(desk.folder / "tree", a="", b="a")
    shutil.copytree(desk.folder / "tree/clusters/x", desk.folder / "tree/clusters/y")
    code, out, complaints = desk.run("check", "--gitops", "tree")
    assert (code, complaints) == (0, "")
    assert "6 Kustomizations" in out, "three a cluster"
    for command in (["plan"], ["explain", "b", "a"]):
        code, _, complaints = desk.run(*command, "--gitops", "tree")
        assert code == 2
        assert "several clusters: clusters/x, clusters/y" in complaints
        code, _, complaints = desk.run(*command, "--gitops", "tree", "--cluster", "clusters/y")
        assert (code, complaints) == (0, "")


def test_a_plan_of_what_cannot_finish(desk):
    lay(desk.folder / "tree", a="b", b="a", c="")
    code, out, _ = desk.run("plan", "--gitops", "tree")
    assert code == 0
    assert "never ready: Kustomization flux-system/a, Kustomization flux-system/b" in " ".join(out.split())


@pytest.mark.parametrize("all_", [[], ["--all"]])
def test_drawings(desk, all_):
    lay(desk.folder / "tree", a="", b="a")
    code, out, _ = desk.run("plan", "--gitops", "tree", "--graph", "dot", *all_)
    assert code == 0
    assert out.startswith("digraph bootstrap {\n")
    assert out.endswith("}\n")
    assert re.search(r'"Kustomization flux-system/a.*" -> "Kustomization flux-system/b.*" \[label=', out)
    _, out, _ = desk.run("plan", "--gitops", "tree", "--graph", "mermaid", *all_)
    assert out.startswith("flowchart LR\n")
    _, out, _ = desk.run("plan", "--gitops", "tree", "--graph", "json", *all_)
    found = json.loads(out)
    assert set(found) >= ({"things", "edges"} if all_ else {"nodes", "longest", "held"})


def test_a_plan_of_the_example_castle(desk):
    desk.castle()
    code, out, _ = desk.run("plan", "castle")
    assert code == 0
    assert re.search(r"^ +1 +0:00 +\d:\d\d  phase resolve_secrets", out, re.MULTILINE)
    assert "critical path, online after" in out
    assert not (desk.folder / "castle" / "logs").exists()


def test_why(desk):
    lay(desk.folder / "tree", a="", b="a", c="b")
    for one, other in (
        ("c", "a"),
        ("Kustomization/flux-system/c", "kustomization flux-system/a"),
        ("flux-system/c", "a"),
    ):
        code, out, _ = desk.run("explain", one, other, "--gitops", "tree")
        assert code == 0
        assert out.startswith("Kustomization flux-system/c needs Kustomization flux-system/a:\n")
        assert out.index("tree/clusters/x/c.yaml:8") < out.index("tree/clusters/x/b.yaml:8")
    code, out, _ = desk.run("explain", "a", "c", "--gitops", "tree")
    assert code == 4  # 1 would be a failure
    assert out.startswith("Kustomization flux-system/a does not need Kustomization flux-system/c; ")
    code, out, _ = desk.run("explain", "c", "a", "--gitops", "tree", "--format", "json")
    assert [edge["needs"]["name"] for edge in json.loads(out)["needs"]] == ["b", "a"]


def test_a_name_of_several_things(desk):
    root = lay(desk.folder / "tree", a="", b="a")
    write(root, "a/settings.yaml", (root / "a/settings.yaml").read_text().replace("name: a", "name: twin"))
    write(root, "b/settings.yaml", (root / "b/settings.yaml").read_text().replace("name: b", "name: twin"))
    write(root, "b/more.yaml", "apiVersion: v1\nkind: Secret\nmetadata: {name: twin, namespace: default}\n")
    code, out, complaints = desk.run("explain", "twin", "a", "--gitops", "tree")
    assert (code, out) == (2, "")
    assert "twin matches 2 things: ConfigMap default/twin, Secret default/twin" in complaints
