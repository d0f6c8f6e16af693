"""check, plan and explain as people and programs meet them: as processes, by exit code and by what they say."""

import json
import os
import re
import resource
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

from commanding import within
from rebirth.proof.rules import RULES
from trees import change, lay, write

EXAMPLE = Path(__file__).parents[1] / "examples" / "castle"


class Desk:
    """A working directory, and processes of rebirth that run in it."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self.environment = {
            **{name: value for name, value in os.environ.items() if not name.startswith(("REBIRTH_", "GIT_"))},
            "NO_COLOR": "1",
            "COLUMNS": "80",
            "HOME": str(folder),
            "XDG_CACHE_HOME": os.environ.get("XDG_CACHE_HOME", str(Path("~/.cache").expanduser())),
        }

    def process(self, *arguments: str) -> tuple[int, str, str]:
        """A process of its own: exit code, standard output, standard error."""
        done = subprocess.run(
            [sys.executable, "-m", "rebirth", *arguments],
            cwd=self.folder,
            env=self.environment,
            capture_output=True,
            text=True,
            timeout=120,
            check=False,
        )
        assert "Traceback" not in done.stdout + done.stderr
        return done.returncode, done.stdout, done.stderr

    def run(self, *arguments: str) -> tuple[int, str, str]:
        """The same within this process."""
        return within(self.folder, self.environment, *arguments)

    def castle(self, *changes: tuple[str, str]) -> Path:
        """The example castle, with its repository."""
        castle = self.folder / "castle"
        shutil.copytree(EXAMPLE, castle, ignore=shutil.ignore_patterns("logs", ".rebirth", "blog"))
        for old, new in (("directory: ~/secrets ", "directory: vault "), *changes):
            change(castle, "castle.yaml", old, new)
        return castle


@pytest.fixture
def desk(tmp_path: Path) -> Desk:
    return Desk(tmp_path)


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
    write(root, "a/more.yaml", "apiVersion: example.org/v1\nkind: Thing\nmetadata: {name: x, namespace: default}\n")
    _, out, _ = desk.run("check", "--gitops", "tree")
    assert "\nNo castle.yaml; assumed to exist: CRD example.org/Thing\n" in out
    _, out, _ = desk.run("check", "--gitops", "tree", "-v")
    assert "CRD example.org/Thing is needed by Kustomization flux-system/a" in " ".join(out.split())
    assert "at tree/a/more.yaml:2" in out
    assumed = json.loads(desk.run("check", "--gitops", "tree", "--format", "json")[1])["assumed"]
    assert [(one["kind"], one["name"], one["why"]) for one in assumed] == [
        ("CRD", "example.org/Thing", "nothing here makes it")
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


@pytest.mark.parametrize("style", ["json", "sarif", "github"])
def test_forms_for_programs_are_alone_on_standard_output_and_always_the_same(desk, style):
    lay(desk.folder / "bad", a="b", b="a")
    first = desk.run("check", "--gitops", "bad", "--format", style)
    assert first[0] == 3
    assert first[2] == ""
    assert first == desk.process("check", "--gitops", "bad", "--format", style)
    if style != "github":
        json.loads(first[1])


def test_the_page_of_a_rule(desk):
    code, out, _ = desk.run("check", "--explain", "R13")
    assert code == 0
    assert out.startswith("R13: dependsOn that closes a cycle")
    assert "\nWhy it cannot work:\n    Flux applies" in out
    code, _, complaints = desk.run("check", "--explain", "R99")
    assert code == 2
    assert "no such rule R99" in complaints
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
        (["check", "--gitops", "tree", "--format", "xml"], "--format: xml is none of text, json, sarif, github"),
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


CANARY = "canary-9f1c4e"
SECRETS = f"""
apiVersion: v1
kind: Secret
metadata: {{name: plain, namespace: default}}
stringData:
  url: postgres://user:{CANARY}@db.nowhere.svc.cluster.local/x
  url: {CANARY}
data: {CANARY}
---
apiVersion: v1
kind: Secret
metadata: {{name: plain, namespace: default, annotations: {{note: {CANARY}}}}}
stringData: {{password: "${{MISSING}}{CANARY}"}}
---
apiVersion: apps/v1
kind: Deployment
metadata: {{name: app, namespace: default}}
spec:
  selector: {{matchLabels: {{a: b}}}}
  template:
    metadata: {{labels: {{a: b}}}}
    spec:
      containers:
        - name: app
          image: nginx
          env:
            - {{name: TOKEN, value: {CANARY}}}
            - {{name: OTHER, valueFrom: {{secretKeyRef: {{name: plain, key: absent}}}}}}
"""
BROKEN = f"""
apiVersion: v1
kind: Secret
metadata: {{name: broken}}
stringData:
  password: {CANARY}: {CANARY}
   more: [{CANARY}
"""


def test_no_secret_of_the_repository_is_shown(desk):
    root = lay(desk.folder / "tree", a="c", b="a", c="b")
    write(root, "a/secrets.yaml", SECRETS)
    write(root, "b/broken.yaml", BROKEN)
    write(
        root,
        "c/kustomization.yaml",
        f"resources: [settings.yaml, gone.yaml]\nsecretGenerator:\n  - {{name: g, literals: [p={CANARY}, {CANARY}]}}\n",
    )
    commands = [["check", "-v"], ["plan"], ["plan", "--graph", "json", "--all"], ["explain", "a", "b"]]
    commands += [["check", "--format", style] for style in ("json", "sarif", "github")]
    for command in commands:
        code, out, complaints = desk.run(*command, "--gitops", "tree")
        assert code in {0, 3}
        assert CANARY not in out + complaints


def test_strange_trees_end_in_words(desk):
    root = lay(desk.folder / "tree", a="")
    (root / "a" / "binary.yaml").write_bytes(bytes(range(256)))
    (root / "a" / "loop").symlink_to(root / "a")
    write(
        root,
        "a/bomb.yaml",
        "a: &a [1,1,1,1]\n"
        + "".join(
            f"{c}: &{c} [*{p},*{p},*{p},*{p},*{p},*{p}]\n" for p, c in zip("abcdefghijkl", "bcdefghijklm", strict=True)
        ),
    )
    write(root, "a/deep.yaml", "[" * 5000)
    code, out, complaints = desk.run("check", "--gitops", "tree")
    assert code in {0, 3}
    assert complaints == ""
    assert "Kustomizations" in out
