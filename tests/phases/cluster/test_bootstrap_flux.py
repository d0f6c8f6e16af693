"""Flux: its CRDs, its controllers, the source and the root Kustomization."""

import pytest
import yaml

from phases.cluster.world import again, killed_after_each_write, refused
from rebirth.castle import Decryption
from rebirth.castle.gitops import Substitution
from rebirth.castle.reference import SecretRef
from rebirth.errors import Broken
from rebirth.phases import bootstrap_flux
from rebirth.run.facts import NamespacesCreated, RepositoryRead, SecretsPlaced
from standins import charts
from standins.controllers import FLUX, establishes, rolls_out
from standins.statuses import forbidden

SOURCE = "source.toolkit.fluxcd.io/v1"
CRDS = [
    charts.crd("source.toolkit.fluxcd.io", "GitRepository", "gitrepositories"),
    charts.crd("kustomize.toolkit.fluxcd.io", "Kustomization", "kustomizations"),
    charts.crd("helm.toolkit.fluxcd.io", "HelmRelease", "helmreleases", version="v2"),
]
CONTROLLERS = [
    charts.workload("Deployment", name, "flux-system") for name in ("source-controller", "kustomize-controller")
]
MANIFESTS = (*CONTROLLERS, *CRDS, charts.namespace("flux-system"))  # kinds before their CRDs, as files may hold them


@pytest.fixture
def build(new_world):
    def new(*, manifests=MANIFESTS, rolls=None):
        facts = (RepositoryRead("0" * 40, manifests), NamespacesCreated(()), SecretsPlaced(()))
        world = new_world(bootstrap_flux, *facts)
        world.kubernetes.put(charts.namespace("flux-system"))
        world.kubernetes.controllers += [establishes(2), rolls or rolls_out(6)]
        return world

    return new


async def test_from_nothing(build):
    world = build()
    assert (await world.create()).root == "flux-system/flux-system"
    root = world.kubernetes.get(FLUX["Kustomization"], "Kustomization", "flux-system", "flux-system")
    assert root["spec"]["path"] == "./clusters/tazlab-k8s"
    source = world.kubernetes.get(SOURCE, "GitRepository", "flux-system", "flux-system")
    assert source["spec"]["secretRef"] == {"name": "flux-system"}
    variables = world.kubernetes.get("v1", "ConfigMap", "cluster-variables", "flux-system")
    assert variables["data"] == world.castle.gitops.variables
    kinds = [what.split()[1] for what in world.writes]
    assert kinds.index("kustomizations.kustomize.toolkit.fluxcd.io") > max(
        at for at, kind in enumerate(kinds) if kind.startswith(("customresourcedefinitions", "deployments"))
    )


@pytest.mark.parametrize("encrypted", [False, True])
async def test_from_nothing_of_a_public_repository(build, encrypted):
    world = build()
    decryption = Decryption(age_key=SecretRef(secret="age.agekey")) if encrypted else None
    gitops = world.castle.gitops.model_copy(update={"token": None, "decryption": decryption})
    world.castle = world.castle.model_copy(update={"gitops": gitops})
    await world.create()
    source = world.kubernetes.get(SOURCE, "GitRepository", "flux-system", "flux-system")
    assert "secretRef" not in source["spec"]
    root = world.kubernetes.get(FLUX["Kustomization"], "Kustomization", "flux-system", "flux-system")
    wanted = {"provider": "sops", "secretRef": {"name": "sops-age"}} if encrypted else None
    assert root["spec"].get("decryption") == wanted


async def test_from_nothing_with_the_flux_program_where_the_repository_keeps_none(build):
    world = build(manifests=None)

    async def flux(call):
        assert call.argv == ("flux", "install", "--export")
        return yaml.safe_dump_all(MANIFESTS)

    world.programs.programs["flux"] = flux
    await world.create()
    assert len(world.kubernetes.all("apps/v1", "Deployment", "flux-system")) == len(CONTROLLERS)


async def test_again(build):
    await again(build())


async def test_again_where_variables_were_changed(build):
    world = build()
    await world.create()
    place = {"name": "cluster-variables", "namespace": "flux-system"}
    world.kubernetes.put(
        {"apiVersion": "v1", "kind": "ConfigMap", "metadata": place, "data": {"BLOG_HOST": "x"}}, by="somebody"
    )
    assert not await world.holds()


async def test_further_config_maps_for_substitution(build):
    world = build()
    settings = {"cluster-settings": {"HOME": "x"}}
    gitops = world.castle.gitops.model_copy(update={"substitution": Substitution(config_maps=settings)})
    world.castle = world.castle.model_copy(update={"gitops": gitops})
    await world.create()
    kept = world.kubernetes.get("v1", "ConfigMap", "cluster-settings", "flux-system")
    assert kept["data"] == {"HOME": "x"}
    assert await world.holds()
    place = {"name": "cluster-settings", "namespace": "flux-system"}
    world.kubernetes.put(
        {"apiVersion": "v1", "kind": "ConfigMap", "metadata": place, "data": {"HOME": "y"}}, by="somebody"
    )
    assert not await world.holds()


async def test_killed(build):
    await killed_after_each_write(build)


async def test_refused(build):
    world = build()

    def quota(kind, item):
        if kind.kind == "Deployment":
            raise forbidden(kind, item["metadata"]["name"], "exceeded quota")

    world.kubernetes.admission.append(quota)
    failure = await refused(world)
    assert isinstance(failure, Broken)
    assert failure.status == 403
    assert "exceeded quota" in str(failure)
    assert not world.kubernetes.all(FLUX["Kustomization"], "Kustomization")


async def test_refused_without_manifests_and_without_the_program(build):
    failure = await refused(build(manifests=None))
    assert isinstance(failure, Broken)
    assert "flux: install --export" in str(failure)


async def test_refused_by_a_controller_that_never_runs(build):
    world = build(rolls=rolls_out(6, only=lambda name: name != "kustomize-controller"))
    assert "kustomize-controller: not processed yet" in str(await refused(world, within=bootstrap_flux.PATIENCE + 1))
