"""What holds a pod back, word for word."""

from dataclasses import dataclass, field

import pytest

from rebirth.paper.kubelet import needs
from rebirth.paper.kubelet.needs import OPEN, Keys, keys_of


@dataclass
class There:
    holders: dict = field(default_factory=dict)
    claims: dict = field(default_factory=dict)

    def keys(self, kind, name):
        return self.holders.get((kind, name))

    def claim(self, name):
        return self.claims.get(name)


def keys(*names, binary=()):
    return Keys(frozenset(names), frozenset({*names, *binary}))


def pod(**spec):
    return {"metadata": {"name": "p", "namespace": "ns"}, "spec": {"containers": [], **spec}}


ENVIRONMENT = [
    ({"env": [{"name": "A", "value": "1"}, {"name": "B", "valueFrom": {"fieldRef": {"fieldPath": "x"}}}]}, {}, ""),
    ({"env": [{"name": "A", "valueFrom": {"secretKeyRef": {"name": "s", "key": "k"}}}]}, {}, 'secret "s" not found'),
    (
        {"env": [{"name": "A", "valueFrom": {"configMapKeyRef": {"name": "c", "key": "k"}}}]},
        {},
        'configmap "c" not found',
    ),
    (
        {"env": [{"name": "A", "valueFrom": {"configMapKeyRef": {"name": "c", "key": "k"}}}]},
        {("ConfigMap", "c"): keys("other", binary=["k"])},
        "couldn't find key k in ConfigMap ns/c",
    ),
    ({"env": [{"name": "A", "valueFrom": {"secretKeyRef": {"name": "s", "key": "k", "optional": True}}}]}, {}, ""),
    (
        {"env": [{"name": "A", "valueFrom": {"secretKeyRef": {"name": "s", "key": "k", "optional": True}}}]},
        {("Secret", "s"): keys("other")},
        "",
    ),
    ({"envFrom": [{"secretRef": {"name": "s"}}]}, {}, 'secret "s" not found'),
    ({"envFrom": [{"configMapRef": {"name": "c", "optional": True}}]}, {}, ""),
    # envFrom is read before env.
    (
        {
            "env": [{"name": "A", "valueFrom": {"secretKeyRef": {"name": "second", "key": "k"}}}],
            "envFrom": [{"secretRef": {"name": "first"}}],
        },
        {},
        'secret "first" not found',
    ),
]


@pytest.mark.parametrize(("container", "holders", "why"), ENVIRONMENT)
def test_an_environment_that_cannot_be_made(container, holders, why):
    assert needs.unset(container, "ns", There(holders)) == why


VOLUMES = [
    ({"emptyDir": {}}, {}, ""),
    ({"secret": {"secretName": "s"}}, {}, 'secret "s" not found'),
    ({"secret": {"secretName": "s", "optional": True}}, {}, ""),
    (
        {"secret": {"secretName": "s", "items": [{"key": "k", "path": "k"}]}},
        {("Secret", "s"): keys("other")},
        "references non-existent secret key: k",
    ),
    (
        {"configMap": {"name": "c", "items": [{"key": "k", "path": "k"}]}},
        {("ConfigMap", "c"): keys("other")},
        "configmap references non-existent config key: k",
    ),
    ({"configMap": {"name": "c", "items": [{"key": "k", "path": "k"}]}}, {("ConfigMap", "c"): keys(binary=["k"])}, ""),
    ({"projected": {"sources": [{"serviceAccountToken": {}}, {"secret": {"name": "s"}}]}}, {}, 'secret "s" not found'),
]


@pytest.mark.parametrize(("volume", "holders", "why"), VOLUMES)
def test_a_volume_that_cannot_be_set_up(volume, holders, why):
    said = needs.unmounted(pod(volumes=[{"name": "v", **volume}]), There(holders))
    assert said == (f'MountVolume.SetUp failed for volume "v" : {why}' if why else "")


def claim(phase, volume=""):
    return {"spec": {"volumeName": volume}, "status": {"phase": phase}}


CLAIMS = [
    ({}, 'persistentvolumeclaim "data" not found'),
    ({"data": claim("Pending")}, "pod has unbound immediate PersistentVolumeClaims"),
    ({"data": claim("Lost", "v")}, 'persistentvolumeclaim "data" bound to non-existent persistentvolume "v"'),
    ({"data": claim("Bound")}, ""),
]


@pytest.mark.parametrize(("claims", "why"), CLAIMS)
def test_a_claim_that_is_not_bound(claims, why):
    mounts = pod(volumes=[{"name": "v", "persistentVolumeClaim": {"claimName": "data"}}])
    assert needs.unbound(mounts, There(claims=claims)) == why


def test_the_claim_of_an_ephemeral_volume_has_the_name_that_the_controller_gives_it():
    assert needs.claims(pod(volumes=[{"name": "scratch", "ephemeral": {}}])) == ["p-scratch"]


def test_a_secret_of_unknown_keys_has_whichever_is_asked_for():
    opened = keys_of({"metadata": {"annotations": {OPEN: "true"}}, "data": {"a": ""}})
    assert opened.has("b", as_text=True)
    assert not keys_of({"metadata": {}, "data": {"a": ""}}).has("b", as_text=True)


NODES = {"one": {"kubernetes.io/os": "linux"}, "two": {"kubernetes.io/os": "linux", "disk": "fast"}}
EXPRESSION = {"key": "disk", "operator": "In", "values": ["slow"]}


def affine(*expressions):
    terms = {"nodeSelectorTerms": [{"matchExpressions": list(expressions)}]}
    return {"affinity": {"nodeAffinity": {"requiredDuringSchedulingIgnoredDuringExecution": terms}}}


LABELS = [
    ({}, ""),
    ({"nodeSelector": {"disk": "fast"}}, ""),
    ({"nodeSelector": {"gpu": "true"}}, "gpu=true"),
    (affine(EXPRESSION), "disk In slow"),
    (affine({**EXPRESSION, "operator": "NotIn"}), ""),
    (affine({"key": "disk", "operator": "Exists"}), ""),
    ({**affine(EXPRESSION), "nodeSelector": {"a": "b"}}, "a=b, disk In slow"),
]


@pytest.mark.parametrize(("spec", "wanted"), LABELS)
def test_labels_that_no_node_has(spec, wanted):
    assert needs.wanted_labels(pod(**spec), NODES) == wanted
