"""How a name becomes an address: through the server block, rewrites, Services, zones and what stands behind them."""

import asyncio
from pathlib import Path

import pytest

from rebirth.proof.prove import prove
from rebirth.proof.things import Milestone, Thing
from trees import lay, write

COREFILE = """\
apiVersion: v1
kind: ConfigMap
metadata:
  name: coredns
  namespace: kube-system
data:
  Corefile: |
    .:53 {
        errors
        rewrite name exact secrets.example.org vault.vault.svc.cluster.local
        rewrite name suffix .moved.example.org .vault.svc.cluster.local
        hosts {
            192.0.2.9 fixed.example.org
            fallthrough
        }
        kubernetes cluster.local in-addr.arpa ip6.arpa
        forward . /etc/resolv.conf
    }
    corp:53 {
        forward . 10.96.0.53
    }
    lab.corp:53 {
        forward . 192.0.2.53
    }
"""
SERVICES = """\
apiVersion: v1
kind: Service
metadata: {name: vault, namespace: vault}
spec:
  selector: {app: vault}
---
apiVersion: v1
kind: Service
metadata: {name: alias, namespace: vault}
spec:
  type: ExternalName
  externalName: vault.example.org
---
apiVersion: v1
kind: Service
metadata: {name: names, namespace: vault}
spec:
  clusterIP: 10.96.0.53
  selector: {app: names}
"""
STORE = """\
apiVersion: external-secrets.io/v1
kind: ClusterSecretStore
metadata: {{name: store}}
spec:
  provider:
    vault:
      server: {url}
      path: secret
"""
DNS = Thing("cluster DNS", "", "10.96.0.10", Milestone.SERVES)


@pytest.fixture
def graph_of(tmp_path):
    def proven(url):
        root = lay(tmp_path / "tree", app="")
        write(root, "app/coredns.yaml", COREFILE)
        write(root, "app/services.yaml", SERVICES)
        write(root, "app/store.yaml", STORE.format(url=url))
        return asyncio.run(prove(root, clusters=["clusters/x"])).graph

    return proven


def needs(graph, host):
    """What a name needs beside the cluster's DNS."""
    edges = graph.edges[Thing("name", "", host, Milestone.RESOLVES)]
    return {str(edge.needs) for edge in edges if edge.needs != DNS}


VAULT = "Service vault/vault exists"


@pytest.mark.parametrize(
    ("host", "wanted"),
    [
        ("vault.vault.svc.cluster.local", {VAULT}),
        ("vault.vault.svc", {VAULT}),
        ("vault.vault", {VAULT}),  # by the pod's search list
        ("secrets.example.org", {VAULT}),
        ("vault.moved.example.org", {VAULT}),
        ("fixed.example.org", set()),
        ("vault.example.org", set()),  # the node's resolver
        ("vault.corp", {"zone corp answers"}),
        ("a.vault.corp", {"zone corp answers"}),
        ("vault.lab.corp", set()),  # forwarded out of the cluster
        ("alias.vault.svc", {"Service vault/alias exists", "name vault.example.org resolves"}),
    ],
)
def test_a_name(graph_of, host, wanted):
    assert needs(graph_of(f"https://{host}:8200"), host) == wanted


def test_every_name_needs_the_clusters_dns(graph_of):
    graph = graph_of("https://vault.example.org")
    name = Thing("name", "", "vault.example.org", Milestone.RESOLVES)
    assert graph.path(name, DNS)
    assert DNS in graph.starts


def test_a_zone_is_answered_by_who_stands_at_the_address(graph_of):
    graph = graph_of("https://vault.corp")
    (edge,) = graph.makers(Thing("zone", "", "corp", Milestone.ANSWERS))
    assert edge.needs == Thing("Service", "vault", "names", Milestone.SERVES)
    assert edge.words == "at 10.96.0.53"


def test_who_is_no_workload_needs_the_service_behind_the_name(graph_of):
    graph = graph_of("https://vault.vault.svc:8200")
    store = Thing("ClusterSecretStore", "", "store", Milestone.READY)
    assert graph.path(store, Thing("Service", "vault", "vault", Milestone.SERVES))


def test_a_forward_is_told_by_its_line_in_the_corefile(graph_of):
    graph = graph_of("https://vault.corp")
    zone = Thing("zone", "", "corp", Milestone.ANSWERS)
    place = graph.where[zone]
    assert "forward . 10.96.0.53" in Path(place.file).read_text().splitlines()[place.line - 1]
