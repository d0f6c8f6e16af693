"""Whole rehearsals, by the command: what came up, what did not and why, and that nothing is left."""

import random
import signal
import subprocess
import time
from pathlib import Path

import pytest

from rehearse.rehearsing import command, environment, rehearse, running_in
from trees import change, lay, write

pytestmark = pytest.mark.lab

BLOG = """\
apiVersion: apps/v1
kind: Deployment
metadata:
  name: blog
  namespace: default
spec:
  replicas: 2
  selector:
    matchLabels: {app: blog}
  template:
    metadata:
      labels: {app: blog}
    spec:
      containers:
        - name: blog
          image: registry.example/blog:1
"""


@pytest.fixture
def tree(tmp_path: Path) -> Path:
    root = lay(tmp_path / "tree", infra="", apps="infra")
    write(root, "apps/blog.yaml", BLOG)
    change(root, "clusters/x/apps.yaml", "prune: true", "prune: true\n  wait: true")
    return root


def test_a_repository_comes_up_on_paper(tree: Path, short_path: Path):
    code, seen, told = rehearse(tree, short_path)
    assert (code, seen["ready"], seen["stops"]) == (0, True, []), told
    assert {one["node"] for one in seen["nodes"]} == {
        f"Kustomization flux-system/{name}" for name in ("flux-system", "infra", "apps")
    }
    assert {"what": "Deployment default/blog", "why": "registry.example/blog:1"} in seen["on_paper"]
    assert not running_in(short_path)
    assert not list(short_path.iterdir())


def test_what_the_api_server_refuses_is_told_at_its_line(tree: Path, short_path: Path):
    change(tree, "apps/blog.yaml", "replicas: 2", "replicas: two")
    code, seen, _ = rehearse(tree, short_path, "--against-check")
    assert code == 3
    (stop,) = seen["stops"]
    assert (Path(stop["file"]).name, stop["line"]) == ("blog.yaml", 7)
    assert ".spec.replicas: expected numeric" in stop["message"]
    assert seen["disagreements"] == [], "the proof knows what the kind takes"


def test_a_secret_that_nobody_makes_holds_the_pods_that_read_it(tree: Path, short_path: Path):
    more = "          envFrom:\n            - secretRef: {name: password}\n"
    (tree / "apps/blog.yaml").write_text(BLOG + more)
    code, seen, told = rehearse(tree, short_path, "--against-check")
    assert (code, seen["disagreements"]) == (3, []), told
    (stop,) = seen["stops"]
    assert 'secret "password" not found' in stop["message"]
    assert stop["file"].endswith("apps/blog.yaml")


def test_several_side_by_side(tree: Path, short_path: Path):
    started = [
        subprocess.Popen(command(tree), env=environment(short_path / str(number)), stderr=subprocess.PIPE)
        for number in range(2)
    ]
    told = [process.communicate(timeout=240)[1].decode() for process in started]
    assert [process.returncode for process in started] == [0, 0], told


def test_killed_at_any_time_nothing_goes_on_and_the_next_one_tidies_up(tree: Path, short_path: Path):
    chosen = random.Random(11)
    for _ in range(4):
        process = subprocess.Popen(command(tree), env=environment(short_path), stderr=subprocess.DEVNULL)
        time.sleep(chosen.uniform(0.5, 6))
        process.send_signal(signal.SIGKILL)
        process.wait()
        deadline = time.monotonic() + 5
        while running_in(short_path) and time.monotonic() < deadline:
            time.sleep(0.1)
        assert not running_in(short_path)
    assert rehearse(tree, short_path)[0] == 0
    assert not list(short_path.iterdir())


def test_interrupted_it_leaves_nothing(tree: Path, short_path: Path):
    process = subprocess.Popen(command(tree), env=environment(short_path), stderr=subprocess.DEVNULL)
    time.sleep(4)
    process.send_signal(signal.SIGINT)
    assert process.wait(30) == 130
    assert not running_in(short_path)
    assert not list(short_path.iterdir())


# As in a container of a CI runner: no cgroup to be seen, none to be made, and nobody's rights.
CONTAINED = ("unshare", "--user", "--map-root-user", "--mount", "--cgroup", "--", "sh", "-c", """
    mount -t tmpfs -o ro none /sys/fs/cgroup
    exec unshare --user -- "$@"
""", "sh")  # fmt: skip


def test_without_root_in_a_container_without_cgroups(tree: Path, short_path: Path):
    probe = "ls -A /sys/fs/cgroup; mkdir /sys/fs/cgroup/mine || echo refused; id -u; grep CapEff /proc/self/status"
    seen = subprocess.run([*CONTAINED, "sh", "-c", probe], capture_output=True, text=True, check=True).stdout
    assert seen.split() == ["refused", "65534", "CapEff:", "0000000000000000"]
    code, seen, told = rehearse(tree, short_path, before=CONTAINED)
    assert (code, seen.get("ready")) == (0, True), told


def test_without_root_and_without_any_right(tree: Path, short_path: Path):
    """In a user namespace of its own, in which it is nobody: no capability is left."""
    code, seen, told = rehearse(tree, short_path, before=("unshare", "--user", "--"))
    assert (code, seen.get("ready")) == (0, True), told
