"""The wheel in an empty environment: everything but the lab works without root, Go, a git checkout or a home to write to."""

import os
import shutil
import subprocess
import sys
from pathlib import Path
from tempfile import TemporaryDirectory

import pytest

ROOT = Path(__file__).parents[1]
CASES = ROOT / "tests" / "proof" / "rules" / "r13_depends_on"
NOBODY = 65534  # a user and a group that own nothing


def everybodys(file: Path) -> bool:
    """Whether everybody may run a program: root's own Python may lie where others cannot look."""
    return all(folder.stat().st_mode & 0o001 for folder in (file.resolve(), *file.resolve().parents))


SYSTEM = Path("/usr/bin/python3")
INTERPRETER = next((p for p in (Path(sys.executable), SYSTEM) if p.exists() and everybodys(p)), Path(sys.executable))

pytestmark = pytest.mark.install


def done(*command, code=0, **options):
    ended = subprocess.run([*map(str, command)], capture_output=True, text=True, check=False, **options)
    assert ended.returncode == code, f"{command} ended with {ended.returncode}:\n{ended.stdout}\n{ended.stderr}"
    return ended.stdout + ended.stderr


@pytest.fixture(scope="module")
def folder():
    """A folder that everybody may read: pytest's own are for one user."""
    with TemporaryDirectory(prefix="rebirth-wheel-") as made:
        Path(made).chmod(0o755)
        yield Path(made)


@pytest.fixture(scope="module")
def installed(folder):
    """The programs of an environment that has the wheel and what it depends on, and nothing else."""
    source = folder / "source"  # the build writes beside pyproject.toml
    shutil.copytree(ROOT / "src", source / "src", ignore=shutil.ignore_patterns("*.egg-info", "__pycache__"))
    for name in ("pyproject.toml", "README.md", "LICENSE"):
        shutil.copy(ROOT / name, source)
    build = ("wheel", "--quiet", "--no-deps", "--no-build-isolation", "--wheel-dir", folder, source)
    done(sys.executable, "-m", "pip", *build)
    done(INTERPRETER, "-m", "venv", folder / "env")
    done(folder / "env" / "bin" / "python", "-m", "pip", "install", "--quiet", next(folder.glob("*.whl")))
    return folder / "env" / "bin"


@pytest.fixture
def rebirth(installed):
    """Runs the installed program in an environment of nothing, as a user who owns nothing where this one is root."""
    root = os.getuid() == 0 and everybodys(INTERPRETER)
    user = {"user": NOBODY, "group": NOBODY, "extra_groups": []} if root else {}
    outside = {"PATH": str(installed), "HOME": "/nonexistent", "TMPDIR": "/tmp"}

    def run(*arguments, code=0):
        return done(installed / "rebirth", *arguments, code=code, env=outside, cwd="/", **user)

    return run


@pytest.fixture
def tree(folder):
    """tree(case) -> a copy of it that is in no git checkout."""
    return lambda case: shutil.copytree(CASES / case, folder / case, dirs_exist_ok=True)


def test_check_finds_what_is_wrong(rebirth, tree):
    said = rebirth("check", "--gitops", tree("bad_circle"), code=3)
    assert "R13" in said
    assert "clusters/x/a.yaml:8" in said


def test_check_of_what_can_finish(rebirth, tree):
    rebirth("check", "--gitops", tree("good_diamond"))


def test_plan_and_pages(rebirth, tree):
    rebirth("plan", "--gitops", tree("good_diamond"))
    assert "What it finds" in rebirth("check", "--explain", "R13")


def test_every_command_says_what_it_does(rebirth):
    for command in (
        "check",
        "plan",
        "explain",
        "create",
        "verify",
        "status",
        "report",
        "destroy",
        "doctor",
        "lab",
        "rehearse",
        "fetch",
    ):
        rebirth(command, "--help")


def test_the_version(rebirth):
    assert rebirth("--version").startswith("rebirth ")


@pytest.mark.parametrize("arguments", [("lab", "up"), ("lab", "status"), ("create", "--lab", "nowhere"), ("rehearse",)])
def test_what_the_wheel_is_without_is_said(rebirth, arguments):
    """The lab is built from a checkout."""
    said = rebirth(*arguments, code=1)
    assert "this installation is without the lab" in said
    assert "checkout" in said
