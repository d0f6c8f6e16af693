"""check, plan and explain as people and programs meet them: as processes, by exit code and by what they say."""

import json
import re
import resource
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

from rebirth.proof.rules import RULES
from trees import change, lay, write


def git(folder: Path, *arguments: str) -> None:
    who = ["-c", "user.name=test", "-c", "user.email=test@example.org", "-c", "init.defaultBranch=master"]
    subprocess.run(["git", *who, *arguments], cwd=folder, check=True, capture_output=True)


def test_a_repository_alone(desk):
    lay(desk.folder / "good", a="", b="a")
    lay(desk.folder / "bad", a="b", b="a")
    code, out, complaints = desk.process("check", "--gitops", "good")
    assert (code, complaints) == (0, "")
    assert out.startswith(
        "No problems found in 3 Kustomizations\nread 4 files: 3 Kustomizations, 0 charts, 4 objects\n"
    )
    assert "No castle.yaml: what is made beside the repository is not known." in " ".join(out.split())
    assert "looked at" not in out
    assert "; looked at " in " ".join(desk.run("check", "--gitops", "good", "-v")[1].split())
    code, out, complaints = desk.run("check", "--gitops", "bad", "--cluster", "clusters/x")
    assert (code, complaints) == (3, "")
    assert out.startswith("error R13: dependsOn closes a cycle\n")
    assert "  at bad/clusters/x/a.yaml:8\n" in out
    assert "\n1 error\n" in out


def test_what_is_taken_as_there_is_named_with_who_needs_it(desk):
    root = lay(desk.folder / "tree", a="")
    write(root, "a/more.yaml", "apiVersion: cilium.io/v1\nkind: Thing\nmetadata: {name: x, namespace: default}\n")
    _, out, _ = desk.run("check", "--gitops", "tree")
    assert "\nNo castle.yaml; assumed to exist: CRD cilium.io/Thing\n" in out
    _, out, _ = desk.run("check", "--gitops", "tree", "-v")
    assert "CRD cilium.io/Thing is needed by Kustomization flux-system/a" in " ".join(out.split())
    assert "at tree/a/more.yaml:2" in out
    assumed = json.loads(desk.run("check", "--gitops", "tree", "--format", "json")[1])["assumed"]
    assert [(one["kind"], one["name"], one["why"]) for one in assumed] == [
        ("CRD", "cilium.io/Thing", "nothing here makes it")
    ]


def test_a_castle_takes_as_there_what_its_vault_holds(desk):
    desk.castle()
    out = " ".join(desk.run("check", "castle")[1].split())
    assert "Assumed to exist: vault path secret/tazlab-k8s/static/blog/tls, vault path" in out
    assert "(Vault has it already)" in out
    assert "static/monitoring/grafana" not in out, "it is handed over"


def test_what_a_finding_says_is_not_taken_as_there(desk):
    root = lay(desk.folder / "tree", a="")
    decryption = "  decryption: {provider: sops, secretRef: {name: sops-age}}\n"
    change(root, "clusters/x/a.yaml", "  interval", f"{decryption}  interval")
    _, out, _ = desk.run("check", "--gitops", "tree")
    assert "warning R14: Secret flux-system/sops-age is needed by Kustomization" in out
    assert "decrypts with" in out
    assert "Flux cannot decrypt, so nothing of Kustomization flux-system/a is applied." in " ".join(out.split())
    assert "assumed to exist" not in out


def test_warnings_fail_only_if_they_shall(desk):
    root = lay(desk.folder / "tree", a="")
    change(root, "clusters/x/a.yaml", "  interval", "  # rebirth: ignore R13\n  interval")
    assert desk.run("check", "--gitops", "tree")[0] == 0
    code, out, _ = desk.run("check", "--gitops", "tree", "--strict")
    assert code == 3
    assert "1 warning" in out


@pytest.mark.parametrize("style", ["json", "sarif", "github", "gitlab", "junit"])
def test_forms_for_programs_are_alone_on_standard_output_and_always_the_same(desk, style):
    lay(desk.folder / "bad", a="b", b="a")
    first = desk.run("check", "--gitops", "bad", "--format", style)
    assert first[0] == 3
    assert first[2] == ""
    assert first == desk.process("check", "--gitops", "bad", "--format", style)
    if style not in {"github", "junit"}:
        json.loads(first[1])


def test_several_forms_at_once(desk):
    lay(desk.folder / "bad", a="b", b="a")
    outputs = ("--output", "sarif=found.sarif", "--output", "text=found.txt")
    code, out, complaints = desk.run("check", "--gitops", "bad", "--format", "github", *outputs)
    assert (code, complaints) == (3, "")
    assert out.startswith("::error file=")
    assert json.loads((desk.folder / "found.sarif").read_text())["version"] == "2.1.0"
    assert (desk.folder / "found.txt").read_text().startswith("error R13: dependsOn closes a cycle\n")


def test_the_page_of_a_rule(desk):
    code, out, _ = desk.run("check", "--explain", "R13")
    assert code == 0
    assert out.startswith("R13: dependsOn that closes a cycle")
    assert "\nWhy it cannot work:\n    Flux applies" in out
    code, _, complaints = desk.run("check", "--explain", "R100")
    assert code == 2
    assert "no such rule R100" in complaints
    assert "There are R00, R01, " in complaints
    assert "did you mean r13_depends_on?" in desk.run("check", "--explain", "depends-on")[2]
    code, out, _ = desk.run("check", "--rules")
    assert code == 0
    assert re.search(r"^R13  dependsOn that ", out, re.MULTILINE)
    assert len(out.splitlines()) == len(RULES) + 1


def test_the_schema_of_castle_yaml(desk):
    code, out, complaints = desk.process("schema")
    assert (code, complaints) == (0, "")
    assert json.loads(out)["title"] == "castle.yaml"
    assert json.loads(desk.run("schema", "lab.yaml")[1])["title"] == "lab.yaml"
    code, _, complaints = desk.run("schema", "cattle.yaml")
    assert code == 2
    assert complaints == "error: no such schema: cattle.yaml\nhint: There are castle.yaml and lab.yaml.\n"


def test_what_is_no_castle(desk):
    code, out, complaints = desk.run("check", "nowhere")
    assert (code, out) == (2, "")
    assert complaints.startswith("error: nowhere/castle.yaml: no such file\nhint: ")
    lay(desk.folder / "tree", a="")
    code, _, complaints = desk.run("check", "tree")
    assert code == 2
    assert "hint: This looks like a Flux repository: rebirth check --gitops tree\n" in complaints
    shutil.copytree(desk.folder / "tree", desk.folder / "far" / "away" / "from" / "here")
    write(desk.folder, "far/notes.yaml", "words: about kustomize.toolkit.fluxcd.io\n")
    assert "Flux repository with --gitops" in desk.run("check", "far")[2], "nothing of Flux is near"
    for command in (["plan", "tree"], ["explain", "a", "b", "tree"]):
        assert desk.run(*command)[::2] == (2, complaints)


@pytest.mark.parametrize(
    ("arguments", "said"),
    [
        (["check", "--gitops", "nowhere"], "nowhere: no such directory"),
        (["check", "--gitops", "empty"], "no Flux Kustomization below it"),
        (["check", "--gitops", "tree", "--cluster", "clusters/y"], "clusters/y: no such directory"),
        (
            ["check", "--gitops", "tree", "--format", "xml"],
            "--format: xml is none of text, json, sarif, github, gitlab",
        ),
        (["check", "--gitops", "tree", "--output", "xml=a"], "--output: xml=a is not FORM=FILE"),
        (["check", "--gitops", "tree", "--output", "json=nowhere/a"], "--output: nowhere/a: No such file or directory"),
        (["plan", "--gitops", "tree", "--format", "sarif"], "--format: sarif is neither text nor json"),
        (["plan", "--gitops", "tree", "--graph", "svg"], "--graph: svg is none of dot, mermaid, json"),
        (["explain", "frob", "a", "--gitops", "tree"], "nothing is named frob"),
    ],
)
def test_bad_words(desk, arguments, said):
    lay(desk.folder / "tree", a="")
    (desk.folder / "empty").mkdir()
    code, out, complaints = desk.run(*arguments)
    assert (code, out) == (2, "")
    assert said in complaints


# -- with a castle


def circle(castle: Path, folder: str = "gitops") -> None:
    """bridge is the first node of all; it comes to depend on the last."""
    change(castle, f"{folder}/clusters/tazlab-k8s/bridge.yaml", "spec:\n", "spec:\n  dependsOn:\n    - name: apps\n")


def test_the_repository_lies_beside_the_castle(desk):
    circle(desk.castle())
    code, out, complaints = desk.run("check", "castle")
    assert (code, complaints) == (3, "")
    assert re.search(r"\(dependsOn apps\)[\s│]+castle/gitops/clusters/tazlab-k8s/bridge.yaml:\d+", out)
    assert "No castle.yaml" not in out


def test_the_repository_may_be_named(desk):
    castle = desk.castle()
    shutil.copytree(castle / "gitops", desk.folder / "other")
    circle(desk.folder, "other")
    assert desk.run("check", "castle", "--gitops", "other")[0] == 3
    assert "other/clusters/tazlab-k8s/bridge.yaml" in desk.run("check", "castle", "--gitops", "other")[1]


def test_the_castle_lies_in_the_checkout_of_its_repository(desk):
    castle = desk.castle()
    (castle / "lab.yaml").unlink()
    shutil.move(castle / "gitops" / "clusters", desk.folder / "clusters")
    shutil.copytree(castle / "gitops", desk.folder, dirs_exist_ok=True)
    git(desk.folder, "init", "--quiet")
    circle(desk.folder, ".")
    code, out, _ = desk.run("check", "castle")
    assert code == 3
    assert "clusters/tazlab-k8s/bridge.yaml" in out


def test_the_repository_is_fetched_with_the_token_of_the_castle(desk):
    castle = desk.castle()
    (castle / "lab.yaml").unlink()
    circle(castle)
    remote = shutil.move(castle / "gitops", desk.folder / "remote")
    git(remote, "init", "--quiet")
    git(remote, "add", ".")
    git(remote, "commit", "--quiet", "-m", "all")
    write(
        desk.folder, ".gitconfig", f'[url "file://{remote}"]\n  insteadOf = https://github.com/tazlab/tazlab-k8s.git\n'
    )
    code, out, complaints = desk.run("check", "castle")
    assert (code, out) == (2, "")
    assert re.search(r"vault/github-token: no such file", complaints)
    write(castle, "vault/github-token", "a-token-of-the-test")
    code, out, complaints = desk.process("check", "castle")
    assert (code, complaints) == (3, "")
    assert re.search(r"\(dependsOn apps\)[\s│]+clusters/tazlab-k8s/bridge.yaml:\d+", out)
    assert "a-token-of-the-test" not in out


def test_a_path_that_the_repository_has_not(desk):
    desk.castle(("path: clusters/tazlab-k8s", "path: clusters/other"))
    code, _, complaints = desk.run("check", "castle")
    assert code == 2
    assert "castle/gitops has no folder clusters/other" in complaints


def test_what_the_castle_ignores(desk):
    castle = desk.castle()
    circle(castle)
    _, out, _ = desk.run("check", "castle", "--format", "json")
    errors = [finding for finding in json.loads(out)["findings"] if finding["severity"] == "error"]
    rules = {finding["rule"] for finding in errors}
    entries = "\n".join(f'    - {{rule: {rule}, where: "*", reason: for the test}}' for rule in rules)
    with (castle / "castle.yaml").open("a") as file:
        file.write(f"\ncheck:\n  ignore:\n{entries}\n")
    code, out, _ = desk.run("check", "castle", "-v")
    assert code == 0
    assert "reason: for the test" in out
    assert re.search(rf"; {len(errors)}\d* ignored\n", out) or " ignored\n" in out


# -- create


def test_create_stops_before_anything_is_made(desk):
    castle = desk.castle()
    circle(castle)
    code, out, complaints = desk.process("create", "castle")
    assert code == 3
    assert "dependsOn apps" in out
    assert complaints.startswith("error: the bootstrap cannot finish: the proof found ")
    assert "`--unproved`" in complaints
    (folder,) = (castle / "logs").iterdir()
    events = [json.loads(line) for line in (folder / "events.jsonl").read_text().splitlines()]
    assert [event["event"] for event in events] == ["RunStarted", "Checked", "RunFinished"]
    assert events[1]["errors"] >= 1
    assert not (castle / ".rebirth").exists()


def test_create_as_json_keeps_standard_output_for_events(desk):
    circle(desk.castle())
    code, out, complaints = desk.process("create", "castle", "--format", "json")
    assert code == 3
    assert [json.loads(line)["event"] for line in out.splitlines()] == ["RunStarted", "Checked", "RunFinished"]
    assert "dependsOn apps" in complaints


def test_create_goes_on_in_spite_of_it_and_its_report_says_so(desk):
    castle = desk.castle()
    circle(castle)
    code, out, complaints = desk.process("create", "castle", "--unproved")
    assert code == 2  # no secret is there
    assert "the secret is missing" in complaints
    assert re.search(r"^unproved: continued in spite of \d+ errors?$", out, re.MULTILINE)
    code, out, _ = desk.run("report", "castle")
    assert re.search(r"^unproved: continued in spite of \d+ errors?$", out, re.MULTILINE)
    assert "in spite of" in json.loads(desk.run("report", "castle", "--format", "json")[1])["unproved"]
    assert "in spite of" in desk.run("report", "castle", "--format", "html")[1]


# -- plan and explain


def test_who_has_read_enough(desk):
    lay(desk.folder / "bad", **{f"n{at}": f"n{at + 1}" for at in range(30)}, n30="n0")
    command = f"{sys.executable} -m rebirth check --gitops bad | head -1; exit ${{PIPESTATUS[0]}}"
    done = subprocess.run(
        ["bash", "-c", command], cwd=desk.folder, env=desk.environment, capture_output=True, text=True, check=False
    )
    assert done.returncode == 3
    assert done.stderr == ""


def test_the_example_castle_is_proved_in_a_second(desk):
    desk.castle()
    desk.run("check", "castle")  # fills the cache of builds
    before = resource.getrusage(resource.RUSAGE_CHILDREN)
    desk.process("check", "castle")
    after = resource.getrusage(resource.RUSAGE_CHILDREN)
    # Of the processor: other tests may run beside this one. It is most of the time, on a machine that has nothing else to do.
    assert after.ru_utime + after.ru_stime - before.ru_utime - before.ru_stime < 1.5


def test_what_cannot_be_told_counts_with_strict(desk):
    root = lay(desk.folder / "tree", a="", b="")
    release = (
        "apiVersion: helm.toolkit.fluxcd.io/v2\nkind: HelmRelease\nmetadata: {name: r, namespace: default}\n"
        "spec: {interval: 1h, chart: {spec: {chart: strange, version: '1', sourceRef: {kind: HelmRepository, name: s}}}}\n---\n"
        "apiVersion: source.toolkit.fluxcd.io/v1\nkind: HelmRepository\nmetadata: {name: s, namespace: default}\n"
        "spec: {interval: 1h, url: 'https://charts.strange.example'}\n"
    )
    write(root, "a/release.yaml", release)
    assert desk.run("check", "--gitops", "tree", "--strict")[0] == 0
    change(root, "clusters/x/a.yaml", "  prune: true", "  prune: true\n  wait: true")
    code, out, _ = desk.run("check", "--gitops", "tree")
    assert (code, out.splitlines()[-2:]) == (
        0,
        ["verdict: cannot tell", "  it takes the chart strange (`rebirth fetch` gets it)"],
    )
    assert desk.run("check", "--gitops", "tree", "--strict")[0] == 3
