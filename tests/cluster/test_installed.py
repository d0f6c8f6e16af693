"""What a phase installs counts as there when what it made itself is there, and no longer when that is gone."""

from pathlib import Path

import pytest

from rebirth.castle import FluxOfRepository, load
from rebirth.errors import NotYet
from rebirth.events import Noted
from rebirth.phases import (
    bootstrap_flux,
    create_namespaces,
    install_coredns,
    install_external_secrets,
    install_metallb,
    install_storage,
)
from rebirth.phases.made import coredns, flux
from rebirth.providers.helm import Helm
from rebirth.run.facts import (
    CoreDnsInstalled,
    ExternalSecretsInstalled,
    FluxBootstrapped,
    MetalLbInstalled,
    NamespacesCreated,
    RepositoryRead,
    SecretsPlaced,
)

CASTLE = load(Path(__file__).parents[2] / "examples" / "castle")
NAMESPACES = NamespacesCreated(())
GITOPS = CASTLE.gitops
PLACE = {"namespace": "flux-system"}


class PaperHelm:
    """The helm program on paper: it installs nothing."""

    async def run(self, argv, *, operation, stdin=b"", env=None, cwd=None):
        return "[]" if "list" in argv else ""


@pytest.fixture
def workload(inside):
    """workload(kind, name, ready, wanted, release=...) puts one, as its controller has found it."""

    def put(kind, name, ready, wanted, *, namespace, release=""):
        inside.kubernetes.put({"apiVersion": "v1", "kind": "Namespace", "metadata": {"name": namespace}})
        notes = {"meta.helm.sh/release-name": release, "meta.helm.sh/release-namespace": namespace} if release else {}
        meta = {"name": name, "namespace": namespace, "annotations": notes}
        spec = {"selector": {}, "template": {}} | ({"replicas": wanted} if kind == "Deployment" else {})
        item = inside.kubernetes.put({"apiVersion": "apps/v1", "kind": kind, "metadata": meta, "spec": spec})
        found = {"desiredNumberScheduled": wanted, "numberAvailable": ready, "updatedNumberScheduled": ready}
        if kind == "Deployment":
            found = {"availableReplicas": ready, "updatedReplicas": ready}
        inside.kubernetes.status(item, {"observedGeneration": item["metadata"]["generation"], **found})

    return put


@pytest.fixture
def storage(inside, paths):
    spec = CASTLE.storage
    there = {"apiVersion": "storage.k8s.io/v1", "kind": "StorageClass", "metadata": {"name": spec.storage_class}}
    inside.kubernetes.put({**there, "provisioner": "x"})

    async def install(patience=60.0):
        helm = Helm(paths=paths, commands=PaperHelm(), cluster=inside.cluster)
        work = install_storage.install_storage(spec, inside.cluster, helm, NAMESPACES)
        return await inside.run(work, patience=patience)

    return install


async def test_a_workload_of_somebody_else_in_the_namespace_is_not_waited_for(storage, workload):
    spec = CASTLE.storage
    workload("DaemonSet", "manager", 2, 2, namespace=spec.namespace, release=spec.chart)
    workload("Deployment", "of-somebody-else", 0, 1, namespace=spec.namespace)
    workload("Deployment", "of-another-release", 0, 1, namespace=spec.namespace, release="another")
    assert await storage()


async def test_none_of_none_wanted_is_ready(storage, workload):
    spec = CASTLE.storage
    workload("Deployment", "ui", 0, 0, namespace=spec.namespace, release=spec.chart)
    workload("DaemonSet", "on-other-nodes", 0, 0, namespace=spec.namespace, release=spec.chart)
    assert await storage()


async def test_what_the_chart_made_is_waited_for(storage, workload, inside):
    spec = CASTLE.storage
    workload("DaemonSet", "manager", 1, 2, namespace=spec.namespace, release=spec.chart)
    with pytest.raises(AssertionError, match="DaemonSet manager: 1 of 2 replicas are available"):
        await storage()
    place = {"name": "new", "namespace": spec.namespace}
    notes = {"meta.helm.sh/release-name": spec.chart, "meta.helm.sh/release-namespace": spec.namespace}
    workload("DaemonSet", "manager", 2, 2, namespace=spec.namespace, release=spec.chart)
    inside.kubernetes.put({
        "apiVersion": "apps/v1", "kind": "DaemonSet", "metadata": {**place, "annotations": notes}, "spec": {"selector": {}},
    })  # fmt: skip
    with pytest.raises(AssertionError, match="DaemonSet new: not processed yet"):
        await storage()


@pytest.fixture
def operator(inside, workload):
    """External Secrets as its chart leaves it, and the look whether it still is."""
    namespace = CASTLE.engine.external_secrets.namespace
    inside.serve("external-secrets.io", "v1", "ClusterSecretStore", scope="Cluster")
    for name in ("external-secrets", "external-secrets-webhook"):
        workload("Deployment", name, 1, 1, namespace=namespace, release="external-secrets")

    async def still():
        fact = ExternalSecretsInstalled("1")
        return await install_external_secrets.still(fact, CASTLE.engine.external_secrets, inside.cluster)

    return still


async def test_external_secrets_no_longer_holds_without_its_pods(operator, workload):
    namespace = CASTLE.engine.external_secrets.namespace
    assert await operator()
    workload("Deployment", "external-secrets-webhook", 0, 1, namespace=namespace, release="external-secrets")
    with pytest.raises(NotYet, match="external-secrets-webhook: 0 of 1 replicas are available"):
        await operator()


async def test_external_secrets_no_longer_holds_where_only_its_name_is_left(operator, inside, workload):
    namespace = CASTLE.engine.external_secrets.namespace
    for name in ("external-secrets", "external-secrets-webhook"):
        inside.kubernetes.take("apps/v1", "Deployment", name, namespace)
    assert not await operator()
    workload("Deployment", "my-external-secrets-exporter", 1, 1, namespace=namespace)
    assert not await operator()


async def test_metallb_no_longer_holds_without_its_advertisement(inside):
    spec = CASTLE.networking
    inside.kubernetes.put({"apiVersion": "v1", "kind": "Namespace", "metadata": {"name": spec.metallb.namespace}})
    inside.serve("metallb.io", "v1beta1", "IPAddressPool", "L2Advertisement")
    pool, advertisement = install_metallb.objects(spec.metallb, spec.pool)
    for item in (pool, advertisement):
        inside.kubernetes.put(item)
    fact = MetalLbInstalled("1")
    assert await install_metallb.still(fact, spec.metallb, spec.pool, inside.cluster)
    inside.kubernetes.take("metallb.io/v1beta1", "L2Advertisement", spec.pool.name, spec.metallb.namespace)
    assert not await install_metallb.still(fact, spec.metallb, spec.pool, inside.cluster)


async def test_coredns_no_longer_holds_with_other_replicas(inside, workload):
    spec = CASTLE.engine.coredns
    fact = CoreDnsInstalled("10.96.0.10")

    async def holds():
        return await install_coredns.still(fact, spec, CASTLE.kubernetes, inside.cluster)

    await inside.cluster.apply(*coredns.objects(spec, CASTLE.kubernetes))
    workload("Deployment", "coredns", spec.replicas, spec.replicas, namespace="kube-system")
    assert await holds()
    workload("Deployment", "coredns", spec.replicas + 1, spec.replicas + 1, namespace="kube-system")
    assert not await holds()
    workload("Deployment", "coredns", spec.replicas - 1, spec.replicas, namespace="kube-system")
    with pytest.raises(NotYet):
        await holds()


async def test_coredns_no_longer_holds_without_its_service(inside, workload):
    spec = CASTLE.engine.coredns
    others = [one for one in coredns.objects(spec, CASTLE.kubernetes) if one["kind"] != "Service"]
    await inside.cluster.apply(*others)
    workload("Deployment", "coredns", spec.replicas, spec.replicas, namespace="kube-system")
    with pytest.raises(NotYet, match="does not exist: Service"):
        await install_coredns.still(CoreDnsInstalled("10.96.0.10"), spec, CASTLE.kubernetes, inside.cluster)


async def test_a_namespace_that_is_being_deleted_no_longer_holds(inside):
    namespace = {"apiVersion": "v1", "kind": "Namespace", "metadata": {"name": "blog", "finalizers": ["x"]}}
    inside.kubernetes.put(namespace)
    fact = NamespacesCreated(("blog",))
    assert await create_namespaces.still(fact, inside.cluster)
    await inside.cluster.delete("v1", "Namespace", "blog", "")
    assert not await create_namespaces.still(fact, inside.cluster)


async def test_flux_no_longer_holds_without_its_controllers(inside, workload):
    for version, kind in (
        ("source.toolkit.fluxcd.io/v1", "GitRepository"),
        ("kustomize.toolkit.fluxcd.io/v1", "Kustomization"),
    ):
        inside.serve(version.partition("/")[0], "v1", kind, plurals={"GitRepository": "gitrepositories"})
    workload("Deployment", "source-controller", 1, 1, namespace="flux-system")
    workload("Deployment", "of-somebody-else", 0, 1, namespace="flux-system")
    for item in (*flux.sync(GITOPS), *flux.config_maps(GITOPS)):
        inside.kubernetes.put(item)
    arguments = FluxBootstrapped("flux-system/flux-system"), GITOPS, inside.cluster
    controller = inside.kubernetes.get("apps/v1", "Deployment", "source-controller", "flux-system")
    controller["metadata"] = {**PLACE, "name": "source-controller", "labels": {"app.kubernetes.io/part-of": "flux"}}
    inside.kubernetes.put(controller)
    assert await bootstrap_flux.still(*arguments)
    inside.kubernetes.status(controller, {"availableReplicas": 0})
    with pytest.raises(NotYet, match="source-controller: 0 of 1 replicas are available"):
        await bootstrap_flux.still(*arguments)


# -- what the repository says of Flux, and castle.yaml otherwise


def found(**spec):
    source = {
        "interval": "1m0s",
        "url": GITOPS.repository,
        "ref": {"branch": GITOPS.branch},
        "secretRef": {"name": GITOPS.auth_secret},
    }
    root = {"path": f"./{GITOPS.path}/"} | ({"path": spec.pop("path")} if "path" in spec else {})
    meta = {"name": "flux-system", "namespace": "flux-system"}
    source_version, root_version = "source.toolkit.fluxcd.io/v1", "kustomize.toolkit.fluxcd.io/v1"
    return [
        {"apiVersion": source_version, "kind": "GitRepository", "metadata": meta, "spec": source | spec},
        {"apiVersion": root_version, "kind": "Kustomization", "metadata": meta, "spec": root},
    ]  # fmt: skip


@pytest.mark.parametrize(
    ("theirs", "said"),
    [
        ({}, ""),
        ({"interval": "60s"}, ""),
        ({"url": GITOPS.repository.removesuffix(".git")}, ""),
        ({"interval": "5m"}, "gitops.interval 1m has no effect: the repository's own GitRepository flux-system/flux-system says 5m"),
        ({"ref": {"branch": "next"}}, f"gitops.branch {GITOPS.branch} has no effect"),
        ({"ref": {"tag": "v1"}}, "says nothing"),
        ({"path": "./elsewhere"}, "the repository's own Kustomization flux-system/flux-system says ./elsewhere"),
    ],
)  # fmt: skip
def test_what_the_repository_overrules(theirs, said):
    notes = list(bootstrap_flux.overruled(GITOPS, found(**theirs)))
    assert len(notes) == bool(said)
    assert said in "".join(notes)


def test_what_castle_yaml_does_not_say_is_not_overruled():
    silent = GITOPS.model_validate(GITOPS.model_dump(exclude={"interval"}))
    assert list(bootstrap_flux.overruled(silent, found(interval="5m"))) == []


async def test_who_changes_the_interval_in_castle_yaml_is_told_that_it_has_no_effect(inside):
    inside.kubernetes.put({"apiVersion": "v1", "kind": "Namespace", "metadata": {"name": "flux-system"}})
    plurals = {"GitRepository": "gitrepositories"}
    inside.serve("source.toolkit.fluxcd.io", "v1", "GitRepository", plurals=plurals)
    inside.serve("kustomize.toolkit.fluxcd.io", "v1", "Kustomization")
    gitops = GITOPS.model_copy(update={"interval": "30s"})
    await inside.run(bootstrap_flux.bootstrap_flux(
        FluxOfRepository(), gitops, inside.cluster, PaperHelm(), RepositoryRead("c", tuple(found())), NAMESPACES, SecretsPlaced(()),
    ))  # fmt: skip
    assert [event.text for event in inside.events if isinstance(event, Noted)] == [
        "gitops.interval 30s has no effect: the repository's own GitRepository flux-system/flux-system says 1m0s; change it there"
    ]
    assert (
        inside.kubernetes.get("source.toolkit.fluxcd.io/v1", "GitRepository", "flux-system", "flux-system")["spec"][
            "interval"
        ]
        == "1m0s"
    )
