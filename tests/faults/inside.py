"""What is wrong inside the cluster: quotas, webhooks, etcd, controllers, and what Flux waits for."""

from collections.abc import Callable, Iterator

from faults import scenes
from faults.cell import Cell
from faults.stage import Stage
from faults.states import until
from faults.wrongs import Wrong
from standins.statuses import Refused, denied, forbidden, terminating, without_webhook


def _admission(refuse: Callable[[object, dict], None], seconds: float | None = None) -> Callable[[Stage], None]:
    def arrange(stage: Stage) -> None:
        admission = stage.kubernetes.admission

        def end() -> None:
            if refuse in admission:
                admission.remove(refuse)

        until(stage, seconds, lambda: admission.append(refuse), end)

    return arrange


def _quota(kind, item):
    raise forbidden(
        kind, item["metadata"]["name"], "exceeded quota: compute, requested: secrets=1, limited: secrets=10"
    )


def _denied(kind, item):
    raise denied("policy.example", "labels are missing")


def _no_webhook(kind, item):
    raise without_webhook("policy.example", "policy", "policy-system")


def _etcd_full(kind, item):
    raise Refused(500, "InternalError", "etcdserver: mvcc: database space exceeded")


def _no_leader(kind, item):
    raise Refused(500, "InternalError", "etcdserver: no leader")


def _terminating(kind, item):
    raise terminating(kind, item["metadata"]["name"], item["metadata"].get("namespace", "") or "flux-system")


def _distrusts(stage: Stage) -> None:
    until(
        stage,
        None,
        lambda: setattr(stage.kubernetes, "trusts", False),
        lambda: setattr(stage.kubernetes, "trusts", True),
    )


def _forbids(stage: Stage) -> None:
    cluster, before = stage.kubernetes, stage.kubernetes.forbids
    cluster.forbids = lambda verb, kind, namespace: "no RBAC policy matched"
    stage.lift = lambda: setattr(cluster, "forbids", before)


def _no_controllers(stage: Stage) -> None:
    """What makes workloads available and CRDs established stands still."""
    cluster = stage.kubernetes
    there = list(cluster.controllers)
    cluster.controllers.clear()

    def end() -> None:
        cluster.controllers += there
        for api_version, kind in (
            ("apiextensions.k8s.io/v1", "CustomResourceDefinition"),
            ("apps/v1", "Deployment"),
            ("apps/v1", "DaemonSet"),
        ):
            for item in cluster.all(api_version, kind):
                for controller in there:
                    controller(cluster, "ADDED", item)

    stage.lift = end


def _kubernetes() -> Iterator[Cell]:
    def cell(fault: str, scene: scenes.Scene, arrange: Callable[[Stage], None], names: str = "") -> Cell:
        return Cell("Kubernetes", fault, scene, arrange, names)

    for fault, refuse in (("quota exceeded", _quota), ("an admission webhook denies", _denied)):
        yield cell(fault, scenes.placing, _admission(refuse))
        yield cell(fault, scenes.bringing_flux, _admission(refuse))
    for fault, refuse in (
        ("an admission webhook does not answer", _no_webhook),
        ("etcd has no leader", _no_leader),
        ("etcd is full", _etcd_full),
        ("the namespace is being deleted", _terminating),
    ):
        yield cell(f"{fault}, for 20 s", scenes.placing, _admission(refuse, 20))
        yield cell(fault, scenes.placing, _admission(refuse))
    yield cell("client certificate expired", scenes.placing, _distrusts)
    yield cell("credentials without rights", scenes.placing, _forbids)
    yield cell("controllers stand still", scenes.bringing_flux, _no_controllers, "Flux")
    yield cell("controllers stand still", scenes.installing, _no_controllers)
    lost, lie = (
        Wrong("answers to writes are lost", lost=True),
        Wrong(
            "success said, nothing done",
            status=200,
            body=b'{"apiVersion": "v1", "kind": "Namespace", "metadata": {"name": "x"}}',
        ),
    )
    for scene in (scenes.naming, scenes.placing, scenes.installing, scenes.bringing_flux):
        yield cell(
            f"{lost.words}, twice", scene, lambda stage: stage.lines["Kubernetes"].cut(lost, method="PATCH", times=2)
        )
    yield cell(
        lie.words, scenes.bringing_flux, lambda stage: stage.lines["Kubernetes"].cut(lie, method="PATCH"), "Flux"
    )
    broken = Wrong("watches break", status=410)
    yield cell(
        "every watch breaks", scenes.converging, lambda stage: stage.lines["Kubernetes"].cut(broken, path="/watch")
    )


# -- what Flux waits for


def _fails(why: str, seconds: float | None = None) -> Callable[[Stage], None]:
    def arrange(stage: Stage) -> None:
        def begin() -> None:
            stage.flux.fails = lambda name: why if name == "apps" else ""

        def end() -> None:
            stage.flux.fails = lambda name: ""

        until(stage, seconds, begin, end)

    return arrange


def _flux() -> Iterator[Cell]:
    for fault, why in (
        ("the registry answers 429", "failed to pull image: 429 Too Many Requests"),
        ("the Git host does not answer", "failed to checkout: dial tcp: i/o timeout"),
        ("DNS does not answer", "lookup github.com on 10.96.0.10:53: server misbehaving"),
        ("a manifest is invalid", "kustomize build failed: accumulating resources: no such file"),
        ("a decryption key is missing", "cannot get sops data key: no identity matched any of the recipients"),
    ):
        yield Cell("Flux", f"{fault}, for 20 s", scenes.converging, _fails(why, 20))
        yield Cell("Flux", fault, scenes.converging, _fails(why))


def cells() -> list[Cell]:
    return [*_kubernetes(), *_flux()]
