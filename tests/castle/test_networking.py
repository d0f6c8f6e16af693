"""Who connects pods, who gives addresses, who makes volumes."""

import pytest

from rebirth.castle import Storage, StorageOfFlux
from rebirth.castle.storage import data_path_of

POOL = {"name": "lan", "addresses": ["192.168.50.200-192.168.50.220"]}
CILIUM = {"version": "1.18.4"}


@pytest.mark.parametrize("section", ["networking", "storage"])
def test_may_be_left_out(draft, section):
    del draft[section]
    assert getattr(draft.load(), section) is None


@pytest.mark.parametrize(("cni", "kube_proxy"), [("flannel", True), ("none", True), ("cilium", False)])
def test_cilium_replaces_kube_proxy_unless_told_otherwise(draft, cni, kube_proxy):
    draft["kubernetes.cni"] = cni
    if cni == "cilium":
        draft["networking.cilium"] = CILIUM
    assert draft.load().kubernetes.kube_proxy == kube_proxy
    draft["kubernetes.kube_proxy"] = not kube_proxy
    assert draft.load().kubernetes.kube_proxy != kube_proxy


@pytest.mark.parametrize(
    ("networking", "cni", "path", "said"),
    [
        ({}, "flannel", "networking", "needs metallb or cilium"),
        ({"pool": POOL, "cilium": CILIUM}, "cilium", "networking.pool", "is MetalLB's"),
        ({"cilium": CILIUM}, "flannel", "networking.cilium", "kubernetes.cni is flannel"),
        (None, "cilium", "kubernetes.cni", "needs networking.cilium with its version"),
        (None, "calico", "kubernetes.cni", "'flannel', 'cilium' or 'none'"),
        ({"cillium": CILIUM}, "flannel", "networking.cillium", "did you mean cilium?"),
    ],
)
def test_what_does_not_fit(draft, networking, cni, path, said):
    draft["kubernetes.cni"] = cni
    if networking is not None:
        draft["networking"] = networking
    problem = draft.refused()[0]
    assert problem.path == path
    assert said in problem.message


def test_two_load_balancers(draft):
    draft["kubernetes.cni"] = "cilium"
    draft["networking.cilium"] = {**CILIUM, "pool": {"name": "two", "addresses": ["192.168.50.230/32"]}}
    (problem,) = draft.refused()
    assert problem.path == "networking.cilium.pool"
    assert "choose one" in problem.message


def test_metallb_without_addresses(draft):
    del draft["networking.pool"]
    (problem,) = draft.refused()
    assert problem.path == "networking.metallb"
    assert "`pool`" in problem.message


def test_storage_that_a_chart_makes(draft):
    storage = draft.load().storage
    assert isinstance(storage, Storage)
    assert data_path_of(storage).path == "/var/lib/longhorn"


@pytest.mark.parametrize(("more", "path"), [({}, None), ({"data_path": "/var/mnt/ceph"}, "/var/mnt/ceph")])
def test_storage_that_the_repository_brings(draft, more, path):
    draft["storage"] = {"storage_class": "ceph-block", **more}
    storage = draft.load().storage
    assert isinstance(storage, StorageOfFlux)
    found = data_path_of(storage)
    assert (found.path if found else None) == path


@pytest.mark.parametrize(
    ("storage", "path", "said"),
    [
        ({"chart": "longhorn", "storage_class": "longhorn"}, "storage.version", "is missing"),
        ({"storage_class": "a", "data_path": "var/lib"}, "storage.data_path", "absolute path"),
        ({"storage_clas": "a"}, "storage.storage_clas", "did you mean storage_class?"),
    ],
)
def test_storage_that_is_neither(draft, storage, path, said):
    draft["storage"] = storage
    found = {problem.path: problem.message for problem in draft.refused()}
    assert said in found[path]
