"""What pods on paper answer."""

import httpx2 as httpx
import pytest

from rebirth.paper.serving.answering import WORDS, answering


@pytest.fixture
async def client():
    transport = httpx.ASGITransport(answering())
    async with httpx.AsyncClient(transport=transport, base_url="https://hook.ns.svc") as found:
        yield found


async def test_a_webhook_admits_and_changes_nothing(client):
    review = {"apiVersion": "admission.k8s.io/v1", "kind": "AdmissionReview", "request": {"uid": "u"}}
    answer = await client.post("/validate?timeout=10s", json=review)
    assert answer.json() == {
        "apiVersion": "admission.k8s.io/v1",
        "kind": "AdmissionReview",
        "response": {"uid": "u", "allowed": True},
    }


async def test_a_conversion_changes_the_version_alone(client):
    objects = [{"apiVersion": "x.io/v1", "kind": "X", "spec": {"a": 1}}]
    request = {"uid": "u", "desiredAPIVersion": "x.io/v2", "objects": objects}
    review = {"apiVersion": "apiextensions.k8s.io/v1", "kind": "ConversionReview", "request": request}
    answer = (await client.post("/convert", json=review)).json()["response"]
    assert answer == {
        "uid": "u",
        "result": {"status": "Success"},
        "convertedObjects": [{"apiVersion": "x.io/v2", "kind": "X", "spec": {"a": 1}}],
    }


async def test_an_aggregated_group_has_no_resources(client):
    answer = (await client.get("/apis/metrics.k8s.io/v1beta1")).json()
    assert (answer["groupVersion"], answer["resources"]) == ("metrics.k8s.io/v1beta1", [])
    missing = await client.get("/apis/metrics.k8s.io/v1beta1/nodes")
    assert (missing.status_code, missing.json()["kind"]) == (404, "Status")
    assert (await client.get("/openapi/v2")).status_code == 404


async def test_anything_else_says_that_it_is_on_paper(client):
    for answer in (
        await client.get("/"),
        await client.post("/hook", content=b"no JSON"),
        await client.post("/", json=[1]),
    ):
        assert (answer.status_code, answer.text) == (200, WORDS)
