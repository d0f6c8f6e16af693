"""Which names resolve, by what the API server holds."""

from ipaddress import ip_network

import pytest

from rebirth.paper.api.kinds import CONFIG_MAP, SERVICE, SLICE
from rebirth.paper.cluster_dns import ClusterDns, Kubelets

COREFILE = """
.:53 {
    kubernetes cluster.local in-addr.arpa ip6.arpa
    forward . /etc/resolv.conf
}
ts.net:53 {
    forward . 10.96.0.101
}
lan:53 {
    forward . 192.168.1.1 10.96.0.77
}
"""


class Seen:
    """One kind's objects each."""

    def __init__(self, **of):
        self.held = {SERVICE: {}, SLICE: {}, CONFIG_MAP: {}}
        self.add(SERVICE, service("kube-dns", "10.96.0.10"))
        self.add(SLICE, slice_of("kube-dns", ready=of.get("ready", True)))
        data = {"Corefile": of.get("corefile", COREFILE)}
        self.add(CONFIG_MAP, {"metadata": {"namespace": "kube-system", "name": "coredns"}, "data": data})

    def add(self, kind, item):
        self.held[kind][item["metadata"]["namespace"], item["metadata"]["name"]] = item

    def of(self, kind):
        return self.held[kind]

    def get(self, kind, namespace, name):
        return self.held[kind].get((namespace, name))


def service(name, address):
    spec = {"clusterIP": address, "ports": [{"name": "dns", "port": 53}]}
    return {"metadata": {"namespace": "kube-system", "name": name}, "spec": spec}


def slice_of(name, *, ready):
    meta = {"namespace": "kube-system", "name": f"{name}-x", "labels": {"kubernetes.io/service-name": name}}
    return {"metadata": meta, "ports": [{"name": "dns"}], "endpoints": [{"conditions": {"ready": ready}}]}


def unresolved(host, seen=None, address="10.96.0.10"):
    return ClusterDns(seen or Seen(), Kubelets([address], [ip_network("10.96.0.0/12")])).unresolved(host)


def test_what_is_outside_of_all_zones_resolves():
    assert unresolved("github.com") == ""


def test_nobody_listens_where_pods_ask():
    assert unresolved("github.com", address="10.96.0.11") == "lookup github.com on 10.96.0.11:53: i/o timeout"
    assert unresolved("github.com", Seen(ready=False)) == "lookup github.com on 10.96.0.10:53: i/o timeout"


def test_a_zone_whose_server_is_no_service_yet():
    why = "lookup vault.tail.ts.net on 10.96.0.10:53: server misbehaving"
    assert unresolved("vault.tail.ts.net") == why
    assert unresolved("notts.net") == "", "another zone"
    seen = Seen()
    seen.add(SERVICE, service("nameserver", "10.96.0.101"))
    assert unresolved("vault.tail.ts.net", seen) == ""


def test_one_server_of_several_is_enough_and_those_elsewhere_are_there():
    assert unresolved("nas.lan") == ""


@pytest.mark.parametrize("corefile", ["ts.net { health { lameduck 5s } }", "", "example.com { forward . 10.96.0.101 }"])
def test_a_corefile_that_says_nothing_of_a_name_changes_nothing(corefile):
    assert unresolved("vault.tail.ts.net", Seen(corefile=corefile)) == ""
