"""What stands in for programs on paper makes of objects; against an API server it is shown by tests/lab/test_on_paper.py."""

from rebirth.lab.paper.effects import as_meant, volume_of_machine
from rebirth.lab.paper.pods import MARK, STUB


def test_an_operator_is_told_by_the_image_that_a_stub_stands_in_for():
    containers = [{"name": "manager", "image": STUB}, {"name": "proxy", "image": "real/proxy:1"}]
    pod = {"metadata": {"annotations": {MARK: "manager=ghcr.io/a/operator:1"}}, "spec": {"containers": containers}}
    assert as_meant(pod)["spec"]["containers"] == [{"name": "manager", "image": "ghcr.io/a/operator:1"}]
    assert pod["spec"]["containers"] == containers


def claim(**annotations):
    metadata = {"namespace": "apps", "name": "data", "uid": "7", "annotations": annotations}
    spec = {"accessModes": ["ReadWriteOnce"], "resources": {"requests": {"storage": "1Gi"}}}
    return {"metadata": metadata, "spec": spec}


def test_a_volume_on_paper_is_where_machines_can_write():
    storage_class = {"metadata": {"name": "ceph"}}
    made = volume_of_machine(claim(), storage_class, "rbd.csi.ceph.com")
    assert made["spec"]["hostPath"]["path"].startswith("/var/")
    assert "nodeAffinity" not in made["spec"]
    made = volume_of_machine(claim(**{"volume.kubernetes.io/selected-node": "one"}), storage_class, "rbd.csi.ceph.com")
    (term,) = made["spec"]["nodeAffinity"]["required"]["nodeSelectorTerms"]
    assert term["matchExpressions"][0]["values"] == ["one"]
