"""What is built in one run is what each folder alone would be."""

import asyncio
import json
from pathlib import Path

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from flux_trees import config_map, node, resources
from proof.sources.test_builds import Counting
from rebirth.proof.reading.batches import batches
from rebirth.proof.reading.built import Builds
from rebirth.proof.reading.completion import written
from rebirth.proof.reading.kept import Kept
from rebirth.proof.reading.kustomization import folder
from rebirth.proof.reading.kustomize import BuildFailed, Kustomize
from rebirth.proof.reading.repository_files import Files
from rebirth.proof.reading.survey import survey

LABELS = "labels: [{pairs: {team: a}}]\n"
ACCOUNT = "apiVersion: v1\nkind: ServiceAccount\nmetadata: {name: web}\n"
POD = (
    "apiVersion: apps/v1\nkind: Deployment\nmetadata: {name: web}\nspec: {template: {spec: {serviceAccountName: web, volumes: "
    "[{name: a, configMap: {name: settings}}, {name: b, configMap: {name: made}}], containers: [{name: web, image: 'nginx:1'}]}}}\n"
)
BINDING = (
    "apiVersion: rbac.authorization.k8s.io/v1\nkind: ClusterRoleBinding\nmetadata: {name: web}\n"
    "roleRef: {apiGroup: rbac.authorization.k8s.io, kind: ClusterRole, name: view}\nsubjects: [{kind: ServiceAccount, name: web}]\n"
)
GENERATED = "configMapGenerator: [{name: made, literals: [a=b]}]\n"
COMPONENT = "apiVersion: kustomize.config.k8s.io/v1alpha1\nkind: Component\nresources: [more.yaml]\nimages: [{name: nginx, newTag: '2'}]\n"
# Folder -> its kustomization, and its objects; most of them speak of objects of others.
FOLDERS = {
    "labelled": (resources("all.yaml", more=LABELS + "namespace: one\n"), POD + "---\n" + config_map("settings")),
    "again": (resources("all.yaml", more=LABELS + "namespace: two\n"), POD + "---\n" + ACCOUNT),
    "beside": (resources("all.yaml", more=LABELS + "namespace: one\n"), ACCOUNT),
    "same": (resources("all.yaml", more=LABELS + "namespace: one\n"), config_map("settings")),
    "prefixed": (resources("all.yaml", more="namePrefix: p-\nnamespace: one\n"), config_map("settings") + "---\n" + ACCOUNT),
    "hashed": (resources("all.yaml", more=GENERATED + "namespace: one\n"), config_map("other")),
    "named": (resources("all.yaml", more=GENERATED + "namespace: one\ngeneratorOptions: {disableNameSuffixHash: true}\n"), config_map("third")),
    "bound": (resources("all.yaml", more=LABELS), BINDING),
    "shared": (resources("all.yaml", more="components: [../component]\nnamespace: three\n"), POD),
    "shares": (resources("all.yaml", more="components: [../component]\nnamespace: four\n"), POD),
    "above": (resources("all.yaml", "../labelled", more="commonAnnotations: {a: b}\nnamespace: five\n"), config_map("fifth")),
    "renamed": (resources("all.yaml", more='patches: [{target: {kind: ConfigMap}, patch: "- {op: replace, path: /metadata/name, value: made}"}]\n'), config_map("sixth", "one")),
    "rejected": (resources("all.yaml", more="patches: [{target: {kind: ConfigMap}, patch: '- {op: remove, path: /no}'}]\n"), config_map("seventh")),
    "left": (resources("all.yaml", more="sortOptions: {order: fifo}\n" + LABELS), POD + "---\n" + config_map("eighth", "eight")),
}  # fmt: skip


@pytest.fixture
def root(tree):
    files = {f"{name}/{file}": text for name, pair in FOLDERS.items() for file, text in zip(("kustomization.yaml", "all.yaml"), pair, strict=True)}  # fmt: skip
    return tree({**files, "component/kustomization.yaml": COMPONENT, "component/more.yaml": config_map("more")})


def built(
    root: Path, names: list[str], cache: Path, *, together: bool, commands: Counting | None = None
) -> dict[str, str]:
    """What is made of each folder, or why nothing is."""
    files = Files(root, Kept(tick=0))
    builds = Builds(files, Kustomize(commands=commands or Counting(), cache=cache))
    found = {name: folder(files, root / name) for name in names}
    asked = {name: (one, written(one, None)) for name, one in found.items()}

    async def run():
        if together:
            await builds.ahead(asked.values())
        made = {}
        for name, one in asked.items():
            try:
                made[name] = json.dumps(await builds.of(*one))
            except BuildFailed as error:
                made[name] = error.said
        return made

    return asyncio.run(run())


@given(st.permutations(list(FOLDERS)))
@settings(max_examples=8, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
def test_together_is_as_alone(root, tmp_path, names):
    alone = built(root, names, tmp_path / "alone", together=False)
    assert built(root, names, tmp_path / "together", together=True) == alone


def test_one_run_for_all_that_may_be_built_together(root, tmp_path):
    commands = Counting()
    names = ["labelled", "again", "beside", "named", "shared", "shares"]
    assert len(built(root, names, tmp_path / "cache", together=True, commands=commands)) == len(names)
    assert commands.count == 1
    built(root, names, tmp_path / "cache", together=True, commands=commands)
    assert commands.count == 1


@pytest.mark.parametrize("name", ["same", "prefixed", "hashed", "bound", "above", "left"])
def test_what_is_built_alone(root, name):
    files = Files(root)
    found = [folder(files, root / one) for one in ("labelled", name)]
    assert not batches((one, written(one, None)) for one in found)


def test_one_that_is_rejected_takes_no_other_with_it(root, tmp_path):
    commands = Counting()
    names = ["labelled", "again", "shares", "rejected"]
    made = built(root, names, tmp_path / "cache", together=True, commands=commands)
    assert "/no" in made.pop("rejected")
    assert all("nginx" in text for text in made.values())
    assert commands.count == 5  # all, each half of them, and those of the second half, alone


class Slow(Counting):
    """Runs nothing: every build takes longer than one waits."""

    async def run(self, argv, **options):
        self.count += 1
        raise TimeoutError


def test_what_takes_too_long_together_is_not_tried_again_in_halves(root, tmp_path):
    commands = Slow()
    names = ["labelled", "again", "shares", "named"]
    made = built(root, names, tmp_path / "cache", together=True, commands=commands)
    assert all("did not finish" in text for text in made.values())
    assert commands.count == 1 + len(names)


def test_what_comes_out_under_another_name_is_built_alone(root, tmp_path):
    commands = Counting()
    made = built(root, ["labelled", "renamed"], tmp_path / "cache", together=True, commands=commands)
    assert '"name": "made"' in made["renamed"]
    assert commands.count == 3


def test_a_batch_is_bounded(tree):
    names = [f"app-{number}" for number in range(45)]
    root = tree({
        file: text
        for name in names
        for file, text in ((f"{name}/a.yaml", config_map(name)), (f"{name}/kustomization.yaml", resources("a.yaml", more=LABELS)))
    })  # fmt: skip
    found = [folder(Files(root), root / name) for name in names]
    assert [len(batch.folders) for batch in batches((one, written(one, None)) for one in found)] == [20, 20, 5]


def test_a_level_of_kustomizations_is_one_run(tree, tmp_path):
    root = tree({
        "clusters/x/a.yaml": node("a", "./a"), "clusters/x/b.yaml": node("b", "./b"),
        "a/kustomization.yaml": resources("a.yaml", more=LABELS), "a/a.yaml": config_map("a", "x"),
        "b/kustomization.yaml": resources("b.yaml", more=LABELS), "b/b.yaml": config_map("b", "x"),
    })  # fmt: skip
    commands = Counting()
    (read,) = asyncio.run(survey(root, ["clusters/x"], Kustomize(commands=commands, cache=tmp_path / "cache")))
    assert commands.count == 1
    assert [m.file for unit in read.model.units[1:] for m in unit.members] == [
        str(root / "a/a.yaml"),
        str(root / "b/b.yaml"),
    ]
