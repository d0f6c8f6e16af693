"""Flux by flux-operator: its chart, the FluxInstance, and what is waited for."""

import json

import pytest

from phases.cluster.world import again, killed_after_each_write, refused
from rebirth.castle import Decryption, FluxByOperator
from rebirth.castle.reference import SecretRef
from rebirth.phases import bootstrap_flux_instance
from rebirth.run.facts import NamespacesCreated, SecretsPlaced
from standins import charts
from standins.controllers import FLUX, establishes, rolls_out

INSTANCE = "fluxcd.controlplane.io/v1"
VERSION = "0.33.0"
SOURCE = "source.toolkit.fluxcd.io/v1"
SYNCED = [
    charts.crd("source.toolkit.fluxcd.io", "GitRepository", "gitrepositories"),
    charts.crd("kustomize.toolkit.fluxcd.io", "Kustomization", "kustomizations"),
]


def operates(*, ready="True", message="Reconciliation finished"):
    """The operator makes what a FluxInstance says, and says so."""

    def look(kubernetes, change, item):
        if item["kind"] != "FluxInstance" or item.get("status") or change == "DELETED":
            return
        namespace, sync = item["metadata"]["namespace"], item["spec"]["sync"]

        def installed():
            for crd in SYNCED:
                kubernetes.put(crd, by="flux-operator")

        def made():
            place = {"name": namespace, "namespace": namespace}
            root = {"path": sync["path"], "sourceRef": {"kind": sync["kind"], "name": namespace}}
            kubernetes.put(
                {"apiVersion": FLUX["Kustomization"], "kind": "Kustomization", "metadata": place, "spec": root},
                by="flux-operator",
            )
            kubernetes.condition(item, "Ready", ready, message=message)

        kubernetes.after(2, installed)
        kubernetes.after(5, made)

    return look


@pytest.fixture
def build(new_world):
    def new(*, instance=None, update=None, **says):
        world = new_world(bootstrap_flux_instance, NamespacesCreated(()), SecretsPlaced(()))
        flux = FluxByOperator(operator={"version": VERSION}, instance=instance or {})
        gitops = world.castle.gitops.model_copy(update={"flux": flux, **(update or {})})
        world.castle = world.castle.model_copy(update={"gitops": gitops})
        world.kubernetes.put(charts.namespace("flux-system"))
        registry = "oci://ghcr.io/controlplaneio-fluxcd/charts"
        world.helm.charts[registry, "flux-operator", VERSION] = charts.flux_operator
        world.kubernetes.controllers += [establishes(1), rolls_out(3), operates(**says)]
        return world

    return new


def spec(world):
    return world.kubernetes.get(INSTANCE, "FluxInstance", "flux", "flux-system")["spec"]


async def test_from_nothing(build):
    world = build()
    assert (await world.create()).root == "flux-system/flux-system"
    assert spec(world) == {
        "distribution": {"version": "2.x", "registry": "ghcr.io/fluxcd"},
        "cluster": {"type": "kubernetes", "domain": "cluster.local"},
        "sync": {
            "kind": "GitRepository",
            "url": "https://github.com/tazlab/tazlab-k8s.git",
            "ref": "refs/heads/master",
            "path": "clusters/tazlab-k8s",
            "interval": "1m",
            "pullSecret": "flux-system",
        },
    }
    variables = world.kubernetes.get("v1", "ConfigMap", "cluster-variables", "flux-system")
    assert variables["data"] == world.castle.gitops.variables


async def test_what_castle_yaml_says_of_the_instance(build):
    patch = {"target": {"kind": "Deployment"}, "patch": "[]"}
    said = {"cluster": {"size": "small"}, "components": ["source-controller"], "kustomize": {"patches": [patch]}}
    decryption = Decryption(age_key=SecretRef(secret="age.agekey"))
    world = build(instance=said, update={"token": None, "decryption": decryption})
    await world.create()
    found = spec(world)
    assert found["cluster"] == {"type": "kubernetes", "domain": "cluster.local", "size": "small"}
    assert found["components"] == ["source-controller"]
    assert "pullSecret" not in found["sync"]
    first, second = found["kustomize"]["patches"]
    assert first == patch
    assert second["target"] == {"kind": "Kustomization"}
    (add,) = json.loads(second["patch"])
    assert add["value"] == {"provider": "sops", "secretRef": {"name": "sops-age"}}


async def test_again(build):
    await again(build())


async def test_it_holds_beside_what_the_api_server_adds(build):
    world = build()
    await world.create()
    there = world.kubernetes.get(INSTANCE, "FluxInstance", "flux", "flux-system")
    place = {"name": "flux", "namespace": "flux-system"}
    more = {**there["spec"], "cluster": {**there["spec"]["cluster"], "networkPolicy": True}}
    world.kubernetes.put({"apiVersion": INSTANCE, "kind": "FluxInstance", "metadata": place, "spec": more}, by="x")
    assert await world.holds()
    other = {**more, "distribution": {"version": "2.6.x"}}
    world.kubernetes.put({"apiVersion": INSTANCE, "kind": "FluxInstance", "metadata": place, "spec": other}, by="x")
    assert not await world.holds()


async def test_killed(build):
    await killed_after_each_write(build)


async def test_refused_where_the_instance_does_not_become_ready(build):
    failure = await refused(build(ready="False", message="no match for 9.x"), within=1000)
    assert "the FluxInstance is Ready" in str(failure)
    assert "no match for 9.x" in str(failure)


async def test_refused_without_such_a_chart(build):
    world = build()
    world.helm.charts.clear()
    assert "flux-operator" in str(await refused(world))
