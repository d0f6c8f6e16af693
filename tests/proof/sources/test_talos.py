"""Machine configurations: merged as Talos merges them, and what follows for the cluster."""

import asyncio
import shutil
from pathlib import Path

import pytest

from rebirth.castle import load
from rebirth.proof.prove import prove
from rebirth.proof.reading.machines.networks import cluster_dns
from rebirth.proof.reading.manifest import Manifest
from rebirth.proof.reading.talos import Merged
from rebirth.proof.sources.castle.machine_needs import extensions_of
from rebirth.proof.sources.meeting import pool_addresses
from rebirth.proof.things import Milestone, Thing
from trees import change, lay, write

EXAMPLE = Path(__file__).parents[3] / "examples" / "castle"


def merged(*patches):
    return Merged(tuple(Manifest(data, f"{number}.yaml", 1) for number, data in enumerate(patches)))


def test_later_values_win_and_lists_grow():
    found = merged(
        {"machine": {"kubelet": {"clusterDNS": ["10.96.0.10"]}}, "cluster": {"coreDNS": {"disabled": True}}},
        {"kind": "HostnameConfig", "hostname": "a"},
        {"machine": {"kubelet": {"clusterDNS": ["10.96.0.11"]}}, "cluster": {"coreDNS": {"disabled": False}}},
    )
    assert [item.value for item in found.items("machine", "kubelet", "clusterDNS")] == ["10.96.0.10", "10.96.0.11"]
    assert found.last("cluster", "coreDNS", "disabled").place.file == "2.yaml"
    assert not found.is_set("cluster", "coreDNS", "disabled")


@pytest.fixture
def castle(tmp_path):
    folder = tmp_path / "castle"
    shutil.copytree(EXAMPLE, folder, ignore=shutil.ignore_patterns("logs", ".rebirth"))
    return folder


def proven(folder):
    return asyncio.run(prove(folder / "gitops", castle=load(folder), directory=folder))


def test_a_castles_machines_are_what_talosctl_gets(castle):
    model = proven(castle).model
    assert [(machine.machine, machine.role) for machine in model.machines] == [
        ("lushycorp-k8s", "controlplane"), ("tazlab-k8s-worker-1", "worker"),
    ]  # fmt: skip
    control_plane = Merged(model.machines[0].patches)
    names = [item.value for item in control_plane.items("cluster", "apiServer", "certSANs")]
    assert names == ["192.168.50.11", "lushycorp-k8s.magellanic-gondola.ts.net"]
    assert control_plane.is_set("cluster", "coreDNS", "disabled")
    assert [address for address, _ in cluster_dns(model)] == ["10.96.0.10"]


def test_what_talos_makes_by_itself(castle):
    graph = proven(castle).graph
    assert graph.makers(Thing("DaemonSet", "kube-system", "kube-flannel", Milestone.EXISTS))
    (maker,) = graph.makers(Thing("ConfigMap", "kube-system", "coredns", Milestone.EXISTS))
    assert maker.needs.name == "install_coredns"


def test_inline_manifests_are_made_by_talos(castle):
    change(castle, "castle.yaml", "patches: []", "patches: [extra.yaml]")
    write(castle, "extra.yaml", """\
        cluster:
          inlineManifests:
            - name: extra
              contents: |
                apiVersion: v1
                kind: ConfigMap
                metadata: {name: extra, namespace: default}
        """)  # fmt: skip
    (maker,) = proven(castle).graph.makers(Thing("ConfigMap", "default", "extra", Milestone.EXISTS))
    assert maker.needs.kind == "Talos"
    assert maker.place.file.endswith("extra.yaml")


def test_a_configuration_that_lies_in_a_repository_is_read(tmp_path):
    root = lay(tmp_path / "tree", app="")
    write(root, "talos/controlplane.yaml", "cluster:\n  coreDNS:\n    disabled: false\n")
    write(root, "talos/other.yaml", "kind: ConfigMap\nmachine: coreDNS\n")
    proof = asyncio.run(prove(root, clusters=["clusters/x"]))
    (machine,) = proof.model.machines
    assert not machine.whole
    assert proof.graph.makers(Thing("ConfigMap", "kube-system", "coredns", Milestone.EXISTS))
    assert not proof.graph.makers(Thing("DaemonSet", "kube-system", "kube-flannel", Milestone.EXISTS))


def test_a_schematic_is_known_by_its_identifier():
    # The first is the one without extensions, which the image factory's documentation names.
    assert extensions_of("376567988ad370138ad8b2698212367b8edcb69b5fd68c80be1f2ec7d603b4ba") == ()
    assert extensions_of("4a0d65c669d46663f377e7161e50cfd570c401f26fd9e7bda34a0216b6f1922b") == ("tailscale",)
    example = load(EXAMPLE).talos.schematic
    assert extensions_of(example) == ("iscsi-tools", "tailscale", "util-linux-tools")
    assert extensions_of("a" * 64) is None


@pytest.mark.parametrize(
    ("entry", "span"),
    [
        ("192.0.2.1-192.0.2.9", ("192.0.2.1", "192.0.2.9")),
        ("192.0.2.0/30", ("192.0.2.0", "192.0.2.3")),
        ("2001:db8::/120", ("2001:db8::", "2001:db8::ff")),
        ("nonsense", None),
    ],
)
def test_a_range_of_addresses(entry, span):
    found = pool_addresses(entry)
    assert (found and tuple(map(str, found))) == span
