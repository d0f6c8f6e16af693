"""What a chart that cannot be had leaves open, and what it tells once it was fetched from a folder."""

from pathlib import Path

import pytest

from cli.desk import desk
from flux_trees import node
from store.archives import chart
from trees import lay, write

__all__ = ["desk"]
RELEASE = """\
apiVersion: source.toolkit.fluxcd.io/v1
kind: HelmRepository
metadata: {name: animals, namespace: default}
spec: {interval: 1h, url: https://charts.animals.example}
---
apiVersion: helm.toolkit.fluxcd.io/v2
kind: HelmRelease
metadata: {name: animals, namespace: default}
spec: {interval: 1h, chart: {spec: {chart: animals, version: '1.2.3', sourceRef: {kind: HelmRepository, name: animals}}}}
"""
ZEBRA = "apiVersion: zoo.example/v1\nkind: Zebra\nmetadata: {name: z, namespace: default}\nspec: {stripes: 7}\n"
CRD = """\
apiVersion: apiextensions.k8s.io/v1
kind: CustomResourceDefinition
metadata: {name: {{ .Values.plural }}.zoo.example, labels: {release: "{{ .Release.Name }}"}}
spec:
  group: zoo.example
  scope: Namespaced
  names: {plural: {{ .Values.plural }}, singular: {{ lower .Values.kind }}, kind: {{ .Values.kind }}}
  versions:
  - name: v1
    served: true
    storage: true
    schema: {openAPIV3Schema: {type: object, x-kubernetes-preserve-unknown-fields: true}}
"""
OPEN = ["verdict: cannot tell", "  it takes the chart animals (`rebirth fetch` gets it)"]


@pytest.fixture
def waiting(desk):
    """A tree in which `zebras` waits for `animals`, whose chart nobody has."""
    helm = next(Path("~/.cache/rebirth/bin").expanduser().glob("helm-*/helm"), None)
    if helm is None:
        pytest.skip("helm is not there: a rehearsal builds it into ~/.cache/rebirth/bin")
    desk.environment["PATH"] = f"{helm.parent}:{desk.environment['PATH']}"
    root = lay(desk.folder / "tree", animals="", zebras="animals")
    write(root, "clusters/x/animals.yaml", node("animals", "./animals", "wait: true"))
    write(root, "animals/release.yaml", RELEASE)
    write(root, "zebras/zebra.yaml", ZEBRA)
    return desk


def verdict(desk, *options):
    code, said, _ = desk.process("check", "--gitops", "tree", *options)
    lines = said.splitlines()
    return code, lines[next(at for at, line in enumerate(lines) if line.startswith("verdict:")) :]


@pytest.mark.parametrize(
    ("plural", "kind", "said"),
    [("zebras", "Zebra", (0, ["verdict: can finish"])), ("lions", "Lion", (3, ["verdict: cannot finish"]))],
)
def test_a_chart_tells_once_it_is_fetched(waiting, plural, kind, said):
    assert verdict(waiting) == (0, OPEN)
    assert verdict(waiting, "--strict") == (3, OPEN)
    values = f"plural: {plural}\nkind: {kind}\n"
    chart(waiting.folder / "usb", "animals", "1.2.3", files={"templates/crd.yaml": CRD, "values.yaml": values})
    assert waiting.process("fetch", "--gitops", "tree", "--from", "usb")[0] == 0
    assert verdict(waiting) == said


def test_a_folder_without_the_chart_leaves_it_open(waiting):
    chart(waiting.folder / "usb", "animals", "1.2.4")
    code, said, _ = waiting.process("fetch", "--gitops", "tree", "--from", "usb")
    assert (code, "animals 1.2.3" in said) == (1, True)
    assert verdict(waiting) == (0, OPEN)
