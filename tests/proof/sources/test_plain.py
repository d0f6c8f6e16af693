"""What is assembled without kustomize is exactly what kustomize makes."""

import subprocess
import sys
from pathlib import Path

import pytest

from flux_trees import config_map, resources
from rebirth.proof.reading import kustomization
from rebirth.proof.reading.repository_files import Files
from rebirth.proof.reading.yaml_files import parse

GITOPS = Path(__file__).parents[3] / "examples" / "castle" / "gitops"
FOLDERS = sorted(str(file.parent.relative_to(GITOPS)) for file in GITOPS.rglob("kustomization.yaml"))
ROLE = (
    "apiVersion: rbac.authorization.k8s.io/v1\nkind: ClusterRole\nmetadata: {name: r}\n---\n"
    "apiVersion: example.org/v1\nkind: ClusterIssuer\nmetadata: {name: i, annotations: {a: 'b'}}\n"
)
VALUES = (
    "apiVersion: v1\nkind: ConfigMap\nmetadata: {name: values, labels: {a: yes, b: 012}}\ndata:\n  a: off\n  b: 1e3\n  c: 0o17\n"
    "  d: ~\n  e: 1_000\n  f: 12:30\n  g: 'no'\n  h: |\n    one\n    two\n  i: >-\n    one\n    two\n  k: 089\n  l: true\n"
)
TREES = {
    "files": {"kustomization.yaml": resources("a.yaml", "b.yaml"), "a.yaml": config_map("a"), "b.yaml": ROLE},
    "namespace": {"kustomization.yaml": resources("a.yaml", "b.yaml", more="namespace: web\n"), "a.yaml": config_map("a", "x"), "b.yaml": ROLE},
    "namespaces": {
        "kustomization.yaml": resources("base", "a.yaml", more="namespace: web\n"), "a.yaml": config_map("a"),
        "base/kustomization.yaml": resources("b.yaml", more="namespace: other\n"), "base/b.yaml": config_map("b"),
    },
    "component": {
        "kustomization.yaml": resources("a.yaml", more="components: [part]\nnamespace: web\n"), "a.yaml": config_map("a"),
        "part/kustomization.yaml": "apiVersion: kustomize.config.k8s.io/v1alpha1\nkind: Component\n" + resources("b.yaml"),
        "part/b.yaml": config_map("b"),
    },
    "values": {"kustomization.yaml": resources("a.yaml"), "a.yaml": VALUES},
    "anchors": {
        "kustomization.yaml": resources("a.yaml"),
        "a.yaml": "apiVersion: v1\nkind: ConfigMap\nmetadata: {name: &name a, labels: &l {x: y}}\ndata: {a: *name, <<: *l}\n"
        "---\n# empty\n---\napiVersion: v1\nkind: ConfigMap\nmetadata: {name: &name b}\ndata: {a: &x b, c: &x d, e: *x, f: *name}\n",
    },
    "list": {
        "kustomization.yaml": resources("a.yaml"),
        "a.yaml": "apiVersion: v1\nkind: ConfigMapList\nitems:\n- " + config_map("a").replace("\n", "\n  ") + "\n- " + config_map("b").replace("\n", "\n  "),
    },
}  # fmt: skip
ENTANGLED = {
    "a namespace's namespace": "apiVersion: v1\nkind: Namespace\nmetadata: {name: a}\n",
    "a binding's subjects": "apiVersion: rbac.authorization.k8s.io/v1\nkind: RoleBinding\nmetadata: {name: a}\n"
    "roleRef: {kind: Role, name: a, apiGroup: rbac.authorization.k8s.io}\nsubjects: [{kind: ServiceAccount, name: default}]\n",
}


def built(folder):
    argv = [
        str(Path(sys.executable).with_name("kubectl")),
        "kustomize",
        str(folder),
        "--load-restrictor",
        "LoadRestrictionsNone",
    ]
    return [
        document.data for document in parse(subprocess.run(argv, check=True, capture_output=True, text=True).stdout)
    ]


def key(data):
    metadata = data["metadata"]
    return data["apiVersion"], data["kind"], str(metadata.get("namespace")), str(metadata["name"])


def same(root, folder):
    found = kustomization.folder(Files(root), folder)
    assert found.plain
    assert not found.remarks
    assert sorted((m.data for m in found.manifests), key=key) == sorted(built(folder), key=key)


@pytest.mark.parametrize("folder", FOLDERS)
def test_the_example_castle(folder):
    found = kustomization.folder(Files(GITOPS), GITOPS / folder)
    if not found.plain:
        pytest.skip("kustomize itself builds it")
    same(GITOPS, GITOPS / folder)


@pytest.mark.parametrize("name", TREES)
def test_trees(name, tree):
    same((root := tree(TREES[name])), root)


@pytest.mark.parametrize("text", ENTANGLED.values(), ids=ENTANGLED)
def test_what_kustomize_changes_besides_is_left_to_it(text, tree):
    root = tree({"kustomization.yaml": resources("a.yaml", more="namespace: web\n"), "a.yaml": text})
    assert not kustomization.folder(Files(root), root).plain


@pytest.mark.parametrize(
    "more", ["namePrefix: a-\n", "labels: [{pairs: {a: b}}]\n", "images: [{name: a, newTag: b}]\n", "unknown: true\n"]
)
def test_every_other_field_is_left_to_kustomize(more, tree):
    root = tree({"kustomization.yaml": resources("a.yaml", more=more), "a.yaml": config_map("a")})
    assert not kustomization.folder(Files(root), root).plain


def test_objects_for_tools_alone_are_left_to_kustomize(tree):
    local = config_map("a").replace("name: a", "name: a, annotations: {config.kubernetes.io/local-config: 'true'}")
    root = tree({"kustomization.yaml": resources("a.yaml"), "a.yaml": local})
    assert not kustomization.folder(Files(root), root).plain
