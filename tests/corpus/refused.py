"""What Flux, kustomize and operators refuse of their own kinds, or wait for: written so that the API server takes it."""

from corpus.case import Case, Told, namespace, thing, unit

ROOT = {"clusters/x/all.yaml": unit("app")}
MAP = namespace("wiki") + thing("v1", "ConfigMap", "settings", "wiki", "data: {a: b}\n")
HEAD = "apiVersion: kustomize.config.k8s.io/v1beta1\nkind: Kustomization\nresources: [all.yaml, ../base]\n"
BUILT = ROOT | {
    "app/kustomization.yaml": HEAD,
    "app/all.yaml": MAP,
    "base/kustomization.yaml": "apiVersion: config.k8s\nkind: Kustomization\nresources: [all.yaml]\n",
    "base/all.yaml": namespace("base"),
}
VERSION = Case(
    "a kustomization that kustomize does not know: its apiVersion",
    BUILT,
    (Told("base/kustomization.yaml", "config.k8s"),),
)
KIND = Case(
    "a kustomization that kustomize does not know: its kind",
    BUILT | {"base/kustomization.yaml": "kind: Kustomisation\nresources: [all.yaml]\n"},
    (Told("base/kustomization.yaml", "Kustomisation"),),
)
PATCHED = Case(
    "a patch by its file alone",
    BUILT | {
        "base/kustomization.yaml": "resources: [all.yaml]\n",
        "app/kustomization.yaml": HEAD + "patches:\n- target: {kind: Namespace}\n  path: labels.yaml\n- patch.yaml\n",
        "app/labels.yaml": "- {op: add, path: /metadata/labels, value: {a: b}}\n",
        "app/patch.yaml": "apiVersion: v1\nkind: ConfigMap\nmetadata: {name: settings, namespace: wiki}\ndata: {a: c}\n",
    },
    (Told("app/kustomization.yaml", "- patch.yaml"), Told("app/patch.yaml", by_luck=True)),
)  # fmt: skip
FIELD = Case(
    "a field that a kustomization has not: its line",
    BUILT | {"base/kustomization.yaml": "resources: [all.yaml]\nnamesPrefix: a-\n"},
    (Told("base/kustomization.yaml", "namesPrefix"),),
)  # fmt: skip

CASES = [
    VERSION,
    VERSION.but("none", ("base/kustomization.yaml", "apiVersion: config.k8s\n", "")),
    VERSION.but("a Component's", ("base/kustomization.yaml", "config.k8s\nkind: Kustomization", "kustomize.config.k8s.io/v1alpha1\nkind: Component"), (
        "app/kustomization.yaml", "resources: [all.yaml, ../base]", "resources: [all.yaml]\ncomponents: [../base]")),
    KIND,
    KIND.but("none", ("base/kustomization.yaml", "kind: Kustomisation\n", "")),
    PATCHED,
    PATCHED.but("below path", ("app/kustomization.yaml", "- patch.yaml", "- path: patch.yaml")),
    FIELD,
    FIELD.but("one that it has", ("base/kustomization.yaml", "namesPrefix", "namePrefix")),
]  # fmt: skip
