"""What others call from their repositories: the hooks for pre-commit, and the GitHub action, whose steps run here as there."""

import os
import re
import shlex
import subprocess
import sys
from pathlib import Path

import pytest
import yaml
from typer.main import get_command

from cli.desk import desk
from rebirth.cli import app
from trees import lay

__all__ = ["desk"]

ROOT = Path(__file__).parents[1]
ACTION = yaml.safe_load((ROOT / "action.yml").read_text())
HOOKS = yaml.safe_load((ROOT / ".pre-commit-hooks.yaml").read_text())
STEPS = {step["id"]: step for step in ACTION["runs"]["steps"] if "id" in step}
INPUT = re.compile(r"\$\{\{ inputs\.([\w-]+) \}\}")


def git(folder: Path, *arguments: str) -> None:
    who = ["-c", "user.name=test", "-c", "user.email=test@example.org", "-c", "init.defaultBranch=main"]
    subprocess.run(["git", *who, *arguments], cwd=folder, check=True, capture_output=True)


class Runner:
    """Runs a step of the action as a runner of GitHub does."""

    def __init__(self, desk) -> None:
        self.folder, self.files = desk.folder / "work", desk.folder / "runner"
        programs = desk.folder / "programs"
        for folder in (self.folder, self.files, programs):
            folder.mkdir()
        program = programs / "rebirth"
        program.write_text(f'#!/bin/sh\nexec {shlex.quote(sys.executable)} -m rebirth "$@"\n')
        program.chmod(0o755)
        self.environment = {
            **desk.environment,
            "PATH": f"{programs}:{os.environ['PATH']}",
            "GITHUB_OUTPUT": str(self.files / "output"),
            "GITHUB_STEP_SUMMARY": str(self.files / "summary"),
            "RUNNER_TEMP": str(self.files),
        }

    def run(self, step: str, **inputs: str) -> tuple[int, str]:
        """Exit code and standard output."""
        given = {name: str(one["default"]) for name, one in ACTION["inputs"].items()} | inputs
        own = {name: INPUT.sub(lambda found: given[found[1]], text) for name, text in STEPS[step]["env"].items()}
        script = self.files / "script.sh"
        script.write_text(STEPS[step]["run"])
        command = ["bash", "--noprofile", "--norc", "-e", "-o", "pipefail", str(script)]
        done = subprocess.run(
            command, cwd=self.folder, env=self.environment | own, capture_output=True, text=True, check=False
        )
        return done.returncode, done.stdout


@pytest.fixture
def runner(desk) -> Runner:
    return Runner(desk)


def test_the_action_annotates_and_keeps_what_was_found(runner):
    lay(runner.folder, a="b", b="a")
    code, out = runner.run("check")
    assert code == 3
    assert out.startswith("::error file=clusters/x/a.yaml,line=8,title=R13::dependsOn closes a cycle")
    assert (runner.folder / "rebirth.sarif").is_file()
    assert (runner.files / "output").read_text() == "sarif=rebirth.sarif\n"
    assert (runner.files / "summary").read_text().startswith("```text\nerror R13: dependsOn closes a cycle\n")


def test_what_the_action_is_given_are_words_and_no_script(runner):
    lay(runner.folder / "my tree", a="")
    clusters = "clusters/x\n\n"
    assert runner.run("check", gitops="my tree", cluster=clusters, sarif="a b.sarif", strict="true")[0] == 0
    assert (runner.folder / "a b.sarif").is_file()
    assert runner.run("check", gitops="$(touch made)")[0] == 2
    assert not (runner.folder / "made").exists()


def test_the_action_fetches_a_revision_that_a_shallow_checkout_has_not(runner, desk):
    origin = lay(desk.folder / "origin", a="b", b="a")
    git(origin, "init", "--quiet")
    git(origin, "add", "--all")
    git(origin, "commit", "--quiet", "--message", "one")
    git(origin, "checkout", "--quiet", "-b", "change")
    lay(origin, c="")
    git(origin, "add", "--all")
    git(origin, "commit", "--quiet", "--message", "two")
    runner.folder.rmdir()
    git(desk.folder, "clone", "--quiet", "--depth=1", "--branch=change", f"file://{origin}", str(runner.folder))
    code, out = runner.run("check", since="origin/main")
    assert code == 0
    assert out.startswith("::notice title=rebirth::since FETCH_HEAD (")
    assert "0 new findings, 0 gone, 1 as before" in out


def test_every_input_is_used_and_no_other():
    text = (ROOT / "action.yml").read_text()
    assert set(re.findall(r"inputs\.([\w-]+)", text)) == set(ACTION["inputs"])
    for step in STEPS.values():
        assert "${{" not in step["run"]
        assert set(re.findall(r"\$\{?([A-Z]+)\b", step["run"])) <= {*step["env"], "FETCH_HEAD"} | {
            "GITHUB", "RUNNER"
        }, "the environment of GitHub, or the step's own"  # fmt: skip


@pytest.mark.parametrize("hook", HOOKS, ids=lambda hook: hook["id"])
def test_a_hook_calls_what_there_is(hook, desk):
    program, command, *arguments = shlex.split(hook["entry"])
    assert program == "rebirth"
    options = {name for one in get_command(app).commands[command].params for name in one.opts}
    assert {argument for argument in arguments if argument.startswith("--")} <= options
    assert hook["pass_filenames"] is False
    lay(desk.folder, a="")
    git(desk.folder, "init", "--quiet")
    git(desk.folder, "add", "--all")
    git(desk.folder, "commit", "--quiet", "--message", "one")
    assert desk.run(command, *arguments)[0] == 0
    lay(desk.folder, a="b", b="a")
    assert desk.run(command, *arguments)[0] == 3


def test_the_action_is_what_githubs_schema_asks_for():
    command = [sys.executable, "-m", "check_jsonschema", "--builtin-schema", "vendor.github-actions", "action.yml"]
    done = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stdout + done.stderr


WORKFLOW = (ROOT / "docs" / "rehearse.md").read_text().split("```yaml\n")[1].split("\n```")[0]


def test_the_workflow_that_rehearses_is_what_githubs_schema_asks_for(tmp_path):
    file = tmp_path / "rehearse.yaml"
    file.write_text(WORKFLOW)
    command = [sys.executable, "-m", "check_jsonschema", "--builtin-schema", "vendor.github-workflows", str(file)]
    done = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stdout


def test_the_workflow_that_rehearses_calls_what_there_is():
    scripts = [step["run"] for step in yaml.safe_load(WORKFLOW)["jobs"]["rehearse"]["steps"] if "run" in step]
    calls = re.findall(r"\brebirth (\w+) (--.*?)(?=>|\|\||$)", "\n".join(scripts), re.MULTILINE)
    assert [command for command, _ in calls] == ["fetch", "rehearse", "rehearse"]
    for command, words in calls:
        options = {name for one in get_command(app).commands[command].params for name in one.opts}
        assert {word for word in shlex.split(words) if word.startswith("--")} <= options
    for script in scripts:
        subprocess.run(["bash", "-n", "-c", script], check=True)
