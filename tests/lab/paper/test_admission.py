"""What the API server is answered about a new pod."""

import base64
import json

import httpx
import pytest

from rebirth.lab.paper.admission import PATH, Admission, configuration
from rebirth.lab.paper.choice import Choice, known
from rebirth.lab.paper.pods import STUB

SERVICE = {"spec": {"selector": {"app": "web"}, "ports": [{"port": 80, "targetPort": 9000}]}}


def review(*images, **metadata):
    containers = [{"name": f"c{number}", "image": image} for number, image in enumerate(images)]
    item = {
        "metadata": {"generateName": "web-", "labels": {"app": "web"}, **metadata},
        "spec": {"containers": containers},
    }
    request = {"uid": "7", "namespace": "apps", "object": item}
    return {"apiVersion": "admission.k8s.io/v1", "kind": "AdmissionReview", "request": request}


async def answered(asked, choice=None):
    """The response, and the steps of its patch."""

    async def services(namespace):
        assert namespace == "apps"
        return [SERVICE]

    app = Admission(choice or Choice(known(["ghcr.io/a/b:1"])), services, ["--sites=[]"]).app()
    async with httpx.AsyncClient(transport=httpx.ASGITransport(app), base_url="https://lab") as client:
        answer = (await client.post(PATH, json=asked)).json()
    assert (answer["kind"], answer["apiVersion"]) == ("AdmissionReview", "admission.k8s.io/v1")
    response = answer["response"]
    assert (response["uid"], response["allowed"]) == ("7", True)
    return json.loads(base64.b64decode(response["patch"])) if "patch" in response else []


async def test_a_pod_whose_images_are_there_stays_as_it_is():
    assert await answered(review("ghcr.io/a/b:1")) == []


async def test_one_whose_image_is_missing_gets_a_stub_that_listens_where_its_services_lead():
    first, *_ = await answered(review("redis"))
    assert (first["path"], first["value"]["image"]) == ("/spec/containers/0", STUB)
    assert first["value"]["args"] == ["--image=redis", "--sites=[]", "9000"]


@pytest.mark.parametrize(
    "metadata",
    [
        {},
        {"namespace": "apps", "ownerReferences": [{"controller": True, "kind": "StatefulSet", "name": "web"}]},
        {
            "labels": {"pod-template-hash": "5d", "app": "web"},
            "ownerReferences": [{"controller": True, "kind": "ReplicaSet", "name": "web-5d"}],
        },
    ],
)
async def test_lab_yaml_may_name_its_workload(metadata):
    asked = review("redis", **metadata)
    assert await answered(asked, Choice(known([]), real=["apps/web"])) == []
    assert await answered(asked, Choice(known([]), real=["apps/other"]))


def test_where_the_lab_does_not_answer_pods_are_made_as_they_are():
    (webhook,) = configuration("https://198.18.0.19", "PEM")["webhooks"]
    assert webhook["failurePolicy"] == "Ignore"
    assert webhook["clientConfig"] == {
        "url": f"https://198.18.0.19{PATH}",
        "caBundle": base64.b64encode(b"PEM").decode(),
    }
