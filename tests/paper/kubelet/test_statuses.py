"""The status of a pod, as a kubelet writes it."""

import pytest

from rebirth.paper.kubelet import statuses
from rebirth.paper.kubelet.images import misnamed
from rebirth.paper.kubelet.needs import Keys
from rebirth.paper.kubelet.statuses import Where

NOW, WHERE = "2026-01-01T00:00:00Z", Where("192.0.2.2", "10.244.2.1")


class There:
    def __init__(self, **holders):
        self.holders = holders

    def keys(self, kind, name):
        return self.holders.get(name)

    def claim(self, name):
        return None


def pod(*containers, init=(), restart="Always", volumes=(), **status):
    spec = {"containers": list(containers), "restartPolicy": restart, "volumes": list(volumes)}
    if init:
        spec["initContainers"] = list(init)
    return {"metadata": {"name": "p", "namespace": "ns", "uid": "u"}, "spec": spec, "status": status}


def container(name="app", secret="", **more):
    env = [{"name": "A", "valueFrom": {"secretKeyRef": {"name": secret, "key": "k"}}}] if secret else []
    return {"name": name, "image": f"example.com/{name}:1", "env": env, **more}


def states(listed):
    return {one["name"]: next(iter(one["state"])) for one in listed}


def condition(status, kind):
    return next(one for one in status["conditions"] if one["type"] == kind)


def test_a_pod_that_nothing_holds_runs_and_is_ready():
    status = statuses.of(pod(container()), There(), WHERE, NOW)
    assert (status["phase"], status["podIP"], status["hostIP"]) == ("Running", "10.244.2.1", "192.0.2.2")
    assert {one["type"]: one["status"] for one in status["conditions"]} == {
        "PodReadyToStartContainers": "True",
        "Initialized": "True",
        "Ready": "True",
        "ContainersReady": "True",
        "PodScheduled": "True",
    }
    assert status["containerStatuses"][0]["ready"]


def test_init_containers_have_completed_and_sidecars_run():
    inits = [container("init"), container("sidecar", restartPolicy="Always")]
    status = statuses.of(pod(container(), init=inits), There(), WHERE, NOW)
    assert states(status["initContainerStatuses"]) == {"init": "terminated", "sidecar": "running"}
    assert all(one["ready"] for one in status["initContainerStatuses"])


def test_a_pod_that_does_something_and_ends_has_succeeded():
    inits = [container("sidecar", restartPolicy="Always")]
    status = statuses.of(pod(container(), restart="Never", init=inits), There(), WHERE, NOW)
    assert status["phase"] == "Succeeded"
    assert states([*status["initContainerStatuses"], *status["containerStatuses"]]) == {
        "sidecar": "terminated",
        "app": "terminated",
    }
    assert condition(status, "Ready")["reason"] == "PodCompleted"


def test_one_container_waits_for_its_secret_while_the_other_runs():
    status = statuses.of(pod(container(secret="s"), container("other")), There(), WHERE, NOW)
    assert status["phase"] == "Pending"
    assert states(status["containerStatuses"]) == {"app": "waiting", "other": "running"}
    waiting = status["containerStatuses"][0]["state"]["waiting"]
    assert waiting == {"reason": "CreateContainerConfigError", "message": 'secret "s" not found'}
    assert condition(status, "Ready")["message"] == "containers with unready status: [app]"
    assert condition(status, "Initialized")["status"] == "True"


def test_an_init_container_that_waits_holds_those_after_it():
    inits = [container("first", secret="s"), container("second")]
    status = statuses.of(pod(container(), init=inits), There(), WHERE, NOW)
    reasons = [one["state"]["waiting"]["reason"] for one in status["initContainerStatuses"]]
    assert reasons == ["CreateContainerConfigError", "PodInitializing"]
    assert status["containerStatuses"][0]["state"]["waiting"] == {"reason": "PodInitializing"}
    assert condition(status, "Initialized")["message"] == "containers with incomplete status: [first second]"


def test_no_container_is_made_before_the_volumes_are_there():
    volumes = [{"name": "v", "secret": {"secretName": "s"}}]
    status = statuses.of(pod(container(), volumes=volumes), There(), WHERE, NOW)
    waiting = status["containerStatuses"][0]["state"]["waiting"]
    assert waiting == {
        "reason": "ContainerCreating",
        "message": 'MountVolume.SetUp failed for volume "v" : secret "s" not found',
    }
    assert condition(status, "PodReadyToStartContainers")["status"] == "False"
    there = There(s=Keys(frozenset(), frozenset()))
    assert statuses.of(pod(container(), volumes=volumes), there, WHERE, NOW)["phase"] == "Running"


def test_a_condition_that_stays_keeps_its_time_and_those_of_others_stay():
    before = [
        {"type": "PodScheduled", "status": "True", "lastTransitionTime": "earlier"},
        {"type": "Ready", "status": "False", "lastTransitionTime": "earlier"},
        {"type": "example.com/gate", "status": "True", "lastTransitionTime": "earlier"},
    ]
    status = statuses.of(pod(container(), conditions=before), There(), WHERE, NOW)
    assert condition(status, "PodScheduled")["lastTransitionTime"] == "earlier"
    assert condition(status, "Ready")["lastTransitionTime"] == NOW
    assert condition(status, "example.com/gate") == before[2]


def test_an_image_whose_name_cannot_be_read_is_not_pulled():
    status = statuses.of(pod({**container(secret="s"), "image": "nginx:la test"}), There(), WHERE, NOW)
    waiting = status["containerStatuses"][0]["state"]["waiting"]
    assert waiting["reason"] == "InvalidImageName"
    words = 'Failed to apply default image tag "nginx:la test": couldn\'t parse image name "nginx:la test": invalid reference format'
    assert waiting["message"] == words


GOOD = [
    "nginx", "nginx:1.27", "library/nginx", "ghcr.io/a/b:v1@sha256:" + "a" * 64, "localhost/a", "localhost:5000/a/b_c",
    "192.0.2.1:5000/a", "a--b/c", "Registry.example.com/a",
]  # fmt: skip


@pytest.mark.parametrize("image", GOOD)
def test_names_of_images(image):
    assert misnamed(image) == ""


@pytest.mark.parametrize(
    ("image", "why"),
    [
        ("nginx:", "invalid reference format"),
        ("nginx::1", "invalid reference format"),
        ("https://ghcr.io/a/b", "invalid reference format"),
        ("ghcr.io/a/b:${TAG}", "invalid reference format"),
        ("ghcr.io/Owner/b", "repository name (Owner/b) must be lowercase"),
        ("ghcr.io//b", "invalid reference format"),
        ("a/b@sha256:short", "invalid reference format"),
    ],
)
def test_names_that_cannot_be_read(image, why):
    assert misnamed(image).endswith(why)
