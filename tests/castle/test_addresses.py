"""Addresses of both families, wherever castle.yaml has one."""

import pytest

from rebirth.addresses import span_of
from rebirth.castle.model import bracketed


def test_two_families_for_pods_and_services(draft):
    draft["kubernetes.pod_network"] = ["10.244.0.0/16", "fd00:244::/56"]
    draft["kubernetes.service_network"] = ["10.96.0.0/12", "fd00:96::/112"]
    kubernetes = draft.load().kubernetes
    assert [str(one) for one in kubernetes.pod_network] == ["10.244.0.0/16", "fd00:244::/56"]
    assert [one.version for one in kubernetes.service_network] == [4, 6]


@pytest.mark.parametrize(
    ("networks", "address"),
    [
        ("10.43.0.0/16", "10.43.0.10"),
        (["fd00:96::/112", "10.96.0.0/12"], "fd00:96::a"),
    ],
)
def test_cluster_dns_is_the_tenth_address_where_nothing_else_is_said(draft, networks, address):
    draft["kubernetes.pod_network"] = ["10.244.0.0/16", "fd00:244::/56"]
    draft["kubernetes.service_network"] = networks
    del draft["kubernetes.cluster_dns"]
    assert str(draft.load().kubernetes.cluster_dns) == address


@pytest.mark.parametrize(
    ("path", "value", "at", "said"),
    [
        ("pod_network", ["10.244.0.0/16", "10.245.0.0/16"], "pod_network", "two networks of one family"),
        ("service_network", ["10.96.0.0/12", "fd00:96::/112"], "service_network", "a family that pod_network does not"),
        ("pod_network", [], "pod_network", "at least 1"),
        ("pod_network", ["10.244.0.0/16", "fd00::/56", "fd01::/56"], "pod_network", "at most 2"),
        ("pod_network", ["10.244.0.0/16", "some"], "pod_network[1]", "such as 192.168.50.0/24 or fd00:50::/64"),
    ],
)
def test_networks_that_do_not_fit_each_other(draft, path, value, at, said):
    draft[f"kubernetes.{path}"] = value
    (problem,) = draft.refused()
    assert problem.path == f"kubernetes.{at}"
    assert said in problem.message


@pytest.mark.parametrize(
    ("text", "span"),
    [
        ("fd00:50::200-fd00:50::220", ("fd00:50::200", "fd00:50::220")),
        ("192.168.50.200 - 192.168.50.220", ("192.168.50.200", "192.168.50.220")),
        ("192.168.50.220-192.168.50.200", None),
    ],
)
def test_a_span_of_addresses(text, span):
    found = span_of(text)
    assert (found and tuple(map(str, found))) == span


@pytest.mark.parametrize("text", ["fd00::1-192.168.50.1", "a-b", "192.168.50.1-", "fd00::1/64"])
def test_what_is_no_span(text):
    with pytest.raises(ValueError):
        span_of(text)


@pytest.mark.parametrize(
    ("host", "written"),
    [("fd00::7", "[fd00::7]"), ("192.168.50.7", "192.168.50.7"), ("[fd00::7]:8", "[fd00::7]:8"), ("a.b", "a.b")],
)
def test_an_address_in_a_url(host, written):
    assert bracketed(host) == written


@pytest.mark.parametrize("pool", ["fd00:50::200-fd00:50::220", "fd00:50::/112"])
def test_an_address_pool_of_the_other_family(draft, pool):
    draft["networking.pool.addresses"] = [pool]
    assert draft.load().networking.pool.addresses == [pool]
