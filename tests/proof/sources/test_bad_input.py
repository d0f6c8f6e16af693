"""Repositories that are broken, hostile or huge: a finding or a clear error, in bounded time."""

import asyncio
import copy
import os
import random
import shutil
import time
from contextlib import contextmanager
from pathlib import Path

import pytest
import yaml

from flux_trees import config_map, node, resources
from rebirth.proof.prove import prove
from rebirth.proof.reading.yaml_files import LARGEST

BOMB = "a0: &a0 [x, x, x, x, x, x, x, x, x]\n" + "".join(
    f"a{number}: &a{number} [{', '.join([f'*a{number - 1}'] * 9)}]\n" for number in range(1, 20)
)


@contextmanager
def within(seconds):
    begun = time.monotonic()
    yield
    assert time.monotonic() - begun < seconds


def slugs(survey):
    return sorted(remark.slug for remark in survey.remarks)


@pytest.fixture
def apps(tree):
    """A repository whose path ./apps holds one object beside the given files."""

    def write(files, listed=()):
        more = {"apps/kustomization.yaml": resources("good.yaml", *listed)} if listed else {}
        return tree(
            {"clusters/x/apps.yaml": node("apps", "./apps"), "apps/good.yaml": config_map("good", "x"), **more, **files}
        )

    return write


def names(survey):
    return sorted(member.name for unit in survey.model.units for member in unit.members if member.kind == "ConfigMap")


@pytest.mark.parametrize(
    ("text", "slug"),
    [("a: b: c\n", "unreadable"), (BOMB, "unread"), ("[" * 100_000, "unread"), ("a: \x00\n", "unreadable"), ("- a\n- b\n", "not-an-object")],
    ids=["broken", "bomb", "deep", "zero", "list"],
)  # fmt: skip
def test_a_file_that_cannot_be_read_is_told_and_the_rest_is_read(apps, read, text, slug):
    root = apps({"apps/bad.yaml": text}, ["bad.yaml"])
    with within(20):
        (survey,) = read(root, "clusters/x")
    assert slugs(survey) == [slug]
    assert names(survey) == ["good"]


def test_a_file_of_50_megabytes_is_not_looked_at(apps, read):
    root = apps({"apps/bad.yaml": ""}, ["bad.yaml"])
    line = b"a: " + b"b" * 1000 + b"\n"
    (root / "apps/bad.yaml").write_bytes(line * ((50 << 20) // len(line)))
    assert (root / "apps/bad.yaml").stat().st_size > LARGEST
    with within(10):
        (survey,) = read(root, "clusters/x")
    assert slugs(survey) == ["unread"]
    assert names(survey) == ["good"]


def test_binary_files_lie_about(apps, read):
    root = apps({})
    (root / "apps/picture.png").write_bytes(bytes(range(256)) * 100)
    (root / "apps/binary.yaml").write_bytes(b"\x80\xfe\x00" * 1000)
    (survey,) = read(root, "clusters/x")
    assert slugs(survey) == ["unreadable"]
    assert names(survey) == ["good"]


@pytest.mark.parametrize(
    "kustomization",
    [
        "",
        "resources: [good.yaml, pipe.yaml]\n",
        "resources: [good.yaml]\nconfigMapGenerator: [{name: a, files: [pipe.yaml]}]\n",
        "resources: [good.yaml]\npatches: [{path: pipe.yaml}]\n",
        "resources: [good.yaml, ../pipes]\n",
    ],
)
def test_a_pipe_that_nobody_writes_to_is_not_waited_for(apps, read, kustomization):
    root = apps({"apps/kustomization.yaml": kustomization} if kustomization else {})
    for pipe in ("apps/pipe.yaml", "pipes/kustomization.yaml", "clusters/x/pipe.yml"):
        (root / pipe).parent.mkdir(exist_ok=True)
        os.mkfifo(root / pipe)
    with within(10):
        (survey,) = read(root)
        asyncio.run(prove(root, clusters=["clusters/x"]))
    generated = ["a"] if "Generator" in kustomization else []  # its keys are known, whatever they hold
    assert [name.partition("-")[0] for name in names(survey)] == [*generated, "good"]
    if "pipe.yaml" in kustomization:
        (remark,) = [remark for remark in survey.remarks if "pipe.yaml" in remark.words]
        assert remark.words == "pipe.yaml is a FIFO, a device or a socket, not a file"


def test_symbolic_links_in_a_circle(apps, read):
    root = apps({})
    (root / "apps/loop").symlink_to(root / "apps", target_is_directory=True)
    (root / "apps/itself").symlink_to("itself")
    (root / "apps/gone.yaml").symlink_to("nowhere.yaml")
    with within(10):
        (survey,) = read(root)
    assert names(survey) == ["good"]


def test_folders_in_folders(apps, read):
    root = apps({"/".join(["apps", *(["d"] * 150), "deep.yaml"]): config_map("deep", "x")})
    with within(10):
        (survey,) = read(root)
    assert "good" in names(survey)


def test_very_many_files(apps, read):
    root = apps({})
    for folder in range(20):
        (root / f"other/{folder}").mkdir(parents=True)
        for number in range(500):
            (root / f"other/{folder}/{number}.yaml").write_text("a: b\n")
    with within(20):
        (survey,) = read(root)
    assert names(survey) == ["good"]


@pytest.mark.parametrize("text", ["", "# nothing\n", "[]\n", "text\n", "resources: a.yaml\n", "resources: [{a: b}]\n", "resources: {a: b}\n", "resources: [1]\n", "kind: 3\n", "patches: 3\n", "configMapGenerator: [3, {files: 3}]\n"])  # fmt: skip
def test_strange_kustomizations(apps, read, text):
    root = apps({"apps/kustomization.yaml": text})
    with within(20):
        (survey,) = read(root, "clusters/x")
    assert survey.model.units


@pytest.mark.parametrize("spec", ["dependsOn: 3", "dependsOn: [3, {name: 3}, {}]", "postBuild: [a]", "postBuild: {substitute: [a], substituteFrom: {a: b}}",
    "patches: text", "components: [{a: b}]", "healthChecks: [a, {kind: b}]", "sourceRef: text", "images: 3", "suspend: text", "timeout: [1]"])  # fmt: skip
def test_strange_kustomizations_of_flux(tree, read, spec):
    root = tree({"clusters/x/apps.yaml": node("apps", "./apps", spec), "apps/good.yaml": config_map("good", "x")})
    (survey,) = read(root, "clusters/x")
    assert survey.model.units


@pytest.mark.parametrize(
    "spec",
    [
        "artifacts: [{name: apps, copy: ['@repo/apps/**']}]", "artifacts: [{name: apps, copy: 3}]", "artifacts: [3]",
        "artifacts: 3", "sources: [{alias: [a], kind: [b]}]", "sources: [3]",
    ],
)  # fmt: skip
def test_strange_generators_of_artifacts(tree, read, spec):
    generator = "apiVersion: source.extensions.fluxcd.io/v1beta1\nkind: ArtifactGenerator\nmetadata: {name: g}\nspec: "
    root = tree({"clusters/x/apps.yaml": node("apps", "./apps"), "apps/good.yaml": config_map("good", "x"),
                 "clusters/x/generator.yaml": generator + "{" + spec + "}\n"})  # fmt: skip
    (survey,) = read(root, "clusters/x")
    assert names(survey) == ["good"]


def test_an_annotation_that_is_a_list(tmp_path, tree):
    job = (
        "apiVersion: batch/v1\nkind: Job\nmetadata: {name: j, annotations: {kustomize.toolkit.fluxcd.io/force: [a]}}\n"
    )
    root = tree({"clusters/x/apps.yaml": node("apps", "./apps"), "apps/job.yaml": job})
    assert "R45" in {finding.rule for finding in asyncio.run(prove(root, clusters=["clusters/x"])).findings}


@pytest.mark.parametrize("env", ["3", "{a: b}", "[3]", "[{name: 3, value: [a]}]"])
def test_strange_environments(tmp_path, tree, env):
    deployment = (
        "apiVersion: apps/v1\nkind: Deployment\nmetadata: {name: d}\nspec:\n  template:\n    spec:\n      containers:\n"
        f"        - {{name: a, image: ghcr.io/kube-vip/kube-vip, env: {env}}}\n"
    )
    root = tree({"clusters/x/apps.yaml": node("apps", "./apps"), "apps/d.yaml": deployment})
    proof = asyncio.run(prove(root, clusters=["clusters/x"]))
    assert any(thing.label == "Deployment d" for thing in proof.graph.things)


ODD = [None, 3, True, "x", [], {}, [3], [{}], {"a": "b"}, "", 1.5, ["x"]]
GITOPS = Path(__file__).parents[3] / "examples" / "castle" / "gitops"


def paths(value, path=()):
    """The paths to all values in it."""
    yield path
    inside = value.items() if isinstance(value, dict) else enumerate(value) if isinstance(value, list) else ()
    for key, item in inside:
        yield from paths(item, (*path, key))


@pytest.mark.parametrize("seed", range(5))
def test_values_of_any_kind_anywhere(tmp_path, seed):
    dice = random.Random(seed)
    root = tmp_path / "tree"
    shutil.copytree(GITOPS, root)
    files = sorted(file for file in root.rglob("*.yaml") if file.name != "gotk-components.yaml")
    for _ in range(12):
        file = dice.choice(files)
        before = file.read_text()
        documents = list(yaml.safe_load_all(before))
        document = dice.choice(documents)
        path = dice.choice([path for path in paths(document) if path])
        value = document
        for key in path[:-1]:
            value = value[key]
        value[path[-1]] = copy.deepcopy(dice.choice(ODD))
        file.write_text(yaml.safe_dump_all(documents))
        asyncio.run(prove(root, clusters=["clusters/tazlab-k8s"]))  # finds whatever it finds, and does not break
        if dice.random() < 0.5:
            file.write_text(before)
