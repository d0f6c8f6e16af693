"""The wait for the Flux graph says what it waits for at the end, and ends where that does not fix itself."""

import pytest

from rebirth.errors import Broken, NotYet
from rebirth.events import BecameReady, Noted, Nudged, Waiting
from rebirth.phases.converge import converge, still
from rebirth.run.facts import Converged, FluxBootstrapped
from rebirth.run.waiting import now

KUSTOMIZE, HELM, SOURCE = "kustomize.toolkit.fluxcd.io/v1", "helm.toolkit.fluxcd.io/v2", "source.toolkit.fluxcd.io/v1"
NO_HOST = 'failed to fetch Helm repository index: Get "https://charts.jetstack.io/index.yaml": lookup: no such host'
GONE = 'Back-off pulling image "registry.example/web:1": ErrImagePull: registry.example/web:1: not found'
FLUX = FluxBootstrapped("flux-system/flux-system")


@pytest.fixture
def flux(inside):
    """Puts objects of Flux: flux(kind, name, ready, message, **spec)."""
    inside.kubernetes.put({"apiVersion": "v1", "kind": "Namespace", "metadata": {"name": "flux-system"}})
    inside.serve("kustomize.toolkit.fluxcd.io", "v1", "Kustomization")
    inside.serve("helm.toolkit.fluxcd.io", "v2", "HelmRelease")
    repositories = {"HelmRepository": "helmrepositories", "GitRepository": "gitrepositories"}
    inside.serve("source.toolkit.fluxcd.io", "v1", *repositories, "HelmChart", plurals=repositories)

    def put(kind, name, ready, message="", *, reason="Stand", labels=None, **spec):
        version = {"Kustomization": KUSTOMIZE, "HelmRelease": HELM}.get(kind, SOURCE)
        meta = {"name": name, "namespace": "flux-system", "labels": labels or {}}
        item = inside.kubernetes.put({"apiVersion": version, "kind": kind, "metadata": meta, "spec": spec or {"x": 1}})
        inside.kubernetes.condition(item, "Ready", ready, message, reason)

    put("Kustomization", "flux-system", "True")
    return put


@pytest.fixture
def unreachable(flux):
    """apps depends on infra, whose release wants a chart of a repository that nobody finds."""
    labels = {"kustomize.toolkit.fluxcd.io/name": "infra", "kustomize.toolkit.fluxcd.io/namespace": "flux-system"}
    source = {"spec": {"sourceRef": {"kind": "HelmRepository", "name": "jetstack"}}}
    dependency = "dependency 'flux-system/infra' is not ready"
    flux("Kustomization", "apps", "False", dependency, reason="DependencyNotReady", dependsOn=[{"name": "infra"}])
    flux("Kustomization", "infra", "Unknown", "Reconciliation in progress", reason="Progressing", interval="1h")
    flux(
        "HelmRelease", "certs", "False", "HelmChart is not ready", reason="SourceNotReady", labels=labels, chart=source
    )
    said = "no artifact available for HelmRepository source 'jetstack'"
    flux("HelmChart", "flux-system-certs", "False", said, sourceRef={"kind": "HelmRepository", "name": "jetstack"})
    flux("HelmRepository", "jetstack", "False", NO_HOST, reason="Failed")


def pod(inside, waiting=None, *, name="web-1", ready=False):
    place = {"name": name, "namespace": "default", "labels": {"app": "web"}}
    item = inside.kubernetes.put({"apiVersion": "v1", "kind": "Pod", "metadata": place, "spec": {}})
    state = {"waiting": waiting} if waiting else {"running": {}}
    container = {"name": "main", "image": "registry.example/web:1", "state": state, "restartCount": 0}
    inside.kubernetes.status(item, {"phase": "Pending" if waiting else "Running", "containerStatuses": [container]})
    if ready:
        inside.kubernetes.condition(item, "Ready", "True")


@pytest.fixture
def starting(inside, flux):
    """web has a Deployment whose one pod is being started."""
    labels = {"kustomize.toolkit.fluxcd.io/name": "web", "kustomize.toolkit.fluxcd.io/namespace": "flux-system"}
    flux("Kustomization", "web", "Unknown", "Reconciliation in progress", reason="Progressing")
    item = inside.kubernetes.put({
        "apiVersion": "apps/v1", "kind": "Deployment", "metadata": {"name": "web", "namespace": "default", "labels": labels},
        "spec": {"replicas": 1, "selector": {"matchLabels": {"app": "web"}}, "template": {}},
    })  # fmt: skip
    inside.kubernetes.status(item, {"observedGeneration": 1, "replicas": 1, "updatedReplicas": 1})
    pod(inside, {"reason": "ContainerCreating"})


def seen(inside):
    return [event.seen for event in inside.events if isinstance(event, Waiting)]


async def ended(inside):
    """When the wait ended, and with what."""
    since = now()
    with pytest.raises(Broken) as caught:
        await inside.run(converge(inside.cluster, FLUX))
    return now() - since, caught.value


async def test_what_it_waits_for_is_said_by_its_cause(inside, unreachable):
    inside.kubernetes.after(60, lambda: inside.kubernetes.take(KUSTOMIZE, "Kustomization", "apps", "flux-system"))
    with pytest.raises(AssertionError):  # it still waits
        await inside.run(converge(inside.cluster, FLUX), patience=30)
    assert seen(inside)[-1] == f"HelmRepository flux-system/jetstack: {NO_HOST} (holds up apps, certs, infra)"


async def test_what_does_not_fix_itself_ends_the_wait(inside, unreachable):
    after, error = await ended(inside)
    assert 120 <= after <= 150
    assert NO_HOST in str(error)
    assert "This has not changed for 1" in str(error)
    assert "nothing else made progress" in str(error)
    assert "rebirth create" in error.hint


async def test_it_is_waited_for_as_long_as_something_else_moves(inside, unreachable, starting):
    inside.kubernetes.after(400, lambda: pod(inside, {"reason": "ImagePullBackOff", "message": GONE}))
    after, error = await ended(inside)
    assert 520 <= after <= 550
    assert NO_HOST in str(error)
    assert f"Deployment default/web: image registry.example/web:1 cannot be pulled: {GONE} (holds up web)" in str(error)


async def test_what_comes_late_is_waited_for(inside, unreachable, flux):
    def comes():
        for name in ("certs", "infra", "apps"):
            flux("HelmRelease" if name == "certs" else "Kustomization", name, "True")

    inside.kubernetes.after(100, comes)
    fact = await inside.run(converge(inside.cluster, FLUX))
    assert fact == Converged(("flux-system/apps", "flux-system/flux-system", "flux-system/infra"))


async def test_a_crash_that_may_end_is_waited_for(inside, starting, flux):
    pod(inside, {"reason": "CrashLoopBackOff", "message": "back-off 40s"})
    inside.kubernetes.after(300, lambda: flux("Kustomization", "web", "True"))
    await inside.run(converge(inside.cluster, FLUX))
    assert any("container main: CrashLoopBackOff" in text for text in seen(inside))


async def test_a_manifest_that_is_not_valid(inside, flux):
    said = 'Deployment/default/web dry-run failed (Invalid): Deployment.apps "web" is invalid: spec.selector: Required value'
    flux("Kustomization", "web", "False", said, reason="ReconciliationFailed")
    after, error = await ended(inside)
    assert after <= 150
    assert f"Kustomization flux-system/web: {said}" in str(error)


async def test_what_is_final_is_not_nudged_and_what_was_too_early_is(inside, flux):
    flux("Kustomization", "web", "False", "kustomize build failed", reason="BuildFailed")
    flux(
        "Kustomization",
        "dns",
        "False",
        "dry-run failed (InternalError): failed calling webhook",
        reason="ReconciliationFailed",
    )
    await ended(inside)
    nudged = [event.text for event in inside.events if isinstance(event, Nudged)]
    assert len([text for text in nudged if "flux-system/web" in text]) <= 2  # until the first search
    assert len([text for text in nudged if "flux-system/dns" in text]) > 5


async def test_a_person_sees_no_nudges_and_nothing_that_became_ready(inside, flux):
    flux("Kustomization", "web", "False", "dependency 'x' is not ready", reason="DependencyNotReady")
    inside.kubernetes.after(5, lambda: flux("Kustomization", "web", "True"))
    await inside.run(converge(inside.cluster, FLUX))
    assert [event.node for event in inside.events if isinstance(event, BecameReady)] == [
        "Kustomization flux-system/flux-system", "Kustomization flux-system/web",
    ]  # fmt: skip
    assert any(isinstance(event, Nudged) for event in inside.events)
    assert not [event for event in inside.events if isinstance(event, Noted)]


async def test_what_waits_for_a_node_that_is_reconciled_again_still_holds(inside, flux):
    flux("Kustomization", "infra", "Unknown", "Reconciliation in progress")
    flux("Kustomization", "web", "False", "infra is not ready", reason="DependencyNotReady")
    assert await still(Converged(("flux-system/web",)), inside.cluster)
    flux("Kustomization", "web", "False", "dependency of the build is broken", reason="BuildFailed")
    with pytest.raises(NotYet, match="dependency of the build is broken"):
        await still(Converged(("flux-system/web",)), inside.cluster)
