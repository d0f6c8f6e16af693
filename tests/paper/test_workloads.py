"""What a pod is told by."""

from rebirth.paper.workloads import Workload, workload_of


def pod(name, owner=None, labels=None, init=()):
    owners = [{"kind": owner[0], "name": owner[1], "controller": True}] if owner else []
    meta = {"name": name, "namespace": "ns", "labels": labels or {}, "ownerReferences": owners}
    return {
        "metadata": meta,
        "spec": {"containers": [{"image": "a"}], "initContainers": [{"image": one} for one in init]},
    }


def test_a_pod_of_a_deployment():
    found = workload_of(pod("web-5d-x", ("ReplicaSet", "web-5d"), {"pod-template-hash": "5d"}, init=["b", "a"]))
    assert found == Workload("Deployment", "ns", "web", ("b", "a"))


def test_others_are_told_by_their_owner_or_their_own_name():
    assert workload_of(pod("db-0", ("StatefulSet", "db"))).name == "db"
    assert workload_of(pod("rs-1", ("ReplicaSet", "rs"))).kind == "ReplicaSet"
    assert workload_of(pod("alone")) == Workload("Pod", "ns", "alone", ("a",))
