"""What the API server asks of Services on paper, against a real API server and the real controllers."""

from contextlib import suppress

import pytest

from paper_objects import available, crd, custom, service, workload
from rebirth.errors import NotYet

pytestmark = pytest.mark.asyncio(loop_scope="session")


def webhook(space, name="check"):
    config = {"service": {"name": "hook", "namespace": space, "path": "/validate"}}
    rule = {"apiGroups": [""], "apiVersions": ["v1"], "operations": ["CREATE", "UPDATE"], "resources": ["configmaps"]}
    selector = {"matchLabels": {"kubernetes.io/metadata.name": space}}
    return {
        "apiVersion": "admissionregistration.k8s.io/v1",
        "kind": "ValidatingWebhookConfiguration",
        "metadata": {"name": f"{name}-{space}"},
        "webhooks": [
            {
                "name": f"{name}.example.com", "clientConfig": config, "rules": [rule], "sideEffects": "None",
                "admissionReviewVersions": ["v1"], "namespaceSelector": selector, "failurePolicy": "Fail",
            }
        ],
    }  # fmt: skip


async def refused(desk, item):
    """The API server's words; "" where it takes the object."""
    try:
        await desk.cluster.apply(item)
    except NotYet as error:
        return str(error)
    return ""


async def converted(desk, space):
    with suppress(NotYet):
        return await desk.cluster.find("things.example.com/v1beta1", "Thing", "one", space)


async def test_a_webhook_admits_once_its_pods_are_ready_and_not_before(desk):
    space = await desk.namespace("webhook")
    await desk.apply(service("hook", space), webhook(space))
    item = {"apiVersion": "v1", "kind": "ConfigMap", "metadata": {"name": "x", "namespace": space}}
    words = await desk.until(lambda: refused(desk, item))
    assert "connect: connection refused" in words
    assert "check.example.com" in words
    await desk.apply(workload("Deployment", "hook", space))
    await desk.apply(item)
    assert await desk.cluster.find("v1", "ConfigMap", "x", space)


async def test_a_custom_resource_is_converted(desk):
    space = await desk.namespace("conversion")
    await desk.apply(service("hook", space), workload("Deployment", "hook", space))
    await available(desk, "hook", space)
    config = {"service": {"name": "hook", "namespace": space, "path": "/convert"}}
    item = crd(
        "things.example.com", "Thing", "things",
        conversion={"strategy": "Webhook", "webhook": {"clientConfig": config, "conversionReviewVersions": ["v1"]}},
    )  # fmt: skip
    older = {**item["spec"]["versions"][0], "name": "v1beta1", "storage": False}
    item["spec"]["versions"].append(older)
    await desk.apply(item, {**custom("things.example.com", "Thing", "one", space, size=3)})
    found = await desk.until(lambda: converted(desk, space))
    assert found["spec"] == {"size": 3}


async def test_an_aggregated_api_is_available(desk):
    space = await desk.namespace("aggregated")
    await desk.apply(service("hook", space), workload("Deployment", "hook", space))
    await desk.apply(
        {
            "apiVersion": "apiregistration.k8s.io/v1",
            "kind": "APIService",
            "metadata": {"name": "v1beta1.metrics.k8s.io"},
            "spec": {
                "group": "metrics.k8s.io", "version": "v1beta1", "groupPriorityMinimum": 100, "versionPriority": 100,
                "service": {"name": "hook", "namespace": space},
            },
        }
    )  # fmt: skip

    async def served():
        said = await desk.condition(
            "apiregistration.k8s.io/v1", "APIService", "v1beta1.metrics.k8s.io", None, "Available"
        )
        return said.get("status") == "True"

    await desk.until(served)
