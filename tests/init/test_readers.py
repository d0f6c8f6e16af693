"""What `init` reads, in the shapes that public repositories have; and that no secret comes along."""

import pytest

from init.grounds import said
from rebirth.init.folder import Folder
from rebirth.init.found import Found
from rebirth.init.readers import READERS
from rebirth.init.readers.cluster_template import read as cluster_template
from rebirth.init.readers.git import read as git
from rebirth.init.readers.machine_configuration import read as machine_configuration
from rebirth.init.readers.sops import read as sops
from rebirth.init.readers.talhelper import read as talhelper

SCHEMATIC = "ab" * 32


TALCONFIG = f"""
clusterName: home
talosVersion: ${{talosVersion}}
kubernetesVersion: v1.35.1
endpoint: https://192.168.7.10:6443
additionalApiServerCertSans: [k8s.example.org]
clusterPodNets: [10.42.0.0/16]
clusterSvcNets: [10.43.0.0/16]
nodes:
  - hostname: k8s-0
    ipAddress: 192.168.7.11
    controlPlane: true
    talosImageURL: factory.talos.dev/metal-installer/{SCHEMATIC}
    nameservers: [192.168.7.1]
    networkInterfaces:
      - deviceSelector: {{hardwareAddr: "bc:24:11:00:00:01"}}
        addresses: [192.168.7.11/24]
        routes: [{{network: 0.0.0.0/0, gateway: 192.168.7.1}}]
        vip: {{ip: 192.168.7.10}}
      - deviceSelector: {{hardwareAddr: "bc:24:11:00:00:99"}}
        addresses: [10.9.0.1/24]
        routes: [{{network: 10.0.0.0/8, gateway: 10.9.0.254}}]
  - hostname: k8s-1
    ipAddress: 192.168.7.12
    controlPlane: false
    schematic: {{customization: {{extraKernelArgs: [net.ifnames=0], systemExtensions: {{officialExtensions: [siderolabs/iscsi-tools]}}}}}}
patches:
  - "@./patches/all.yaml"
  - "@./patches/away.yaml"
  - |-
    machine: {{kubelet: {{}}}}
  - |-
    - op: add
      path: /machine/env
controlPlane:
  patches: ["@./patches/cp.yaml"]
"""


def test_talhelper(ground):
    ground.write("talos/talconfig.yaml", TALCONFIG)
    ground.write("talos/talenv.yaml", "talosVersion: v1.12.1\n")
    ground.write("talos/patches/all.yaml", "machine: {}\n")
    ground.write("talos/patches/cp.yaml", "cluster: {}\n")
    found = ground.read(talhelper)
    values = {path: value for path, (value, _) in said(found).items()}
    assert values == {
        "name": "home",
        "talos.version": "v1.12.1",
        "talos.schematic": SCHEMATIC,
        "kubernetes.version": "v1.35.1",
        "kubernetes.endpoint": "https://192.168.7.10:6443",
        "kubernetes.cert_sans": ["k8s.example.org"],
        "kubernetes.pod_network": "10.42.0.0/16",
        "kubernetes.service_network": "10.43.0.0/16",
        "machines.nodes.k8s-0.role": "controlplane",
        "machines.nodes.k8s-0.address": "192.168.7.11",
        "machines.nodes.k8s-0.mac": "bc:24:11:00:00:01",
        "machines.nodes.k8s-1.role": "worker",
        "machines.nodes.k8s-1.address": "192.168.7.12",
        "machines.network": "192.168.7.0/24",
        "machines.gateway": "192.168.7.1",
        "machines.shared_address": "192.168.7.10",
        "machines.nameservers": ["192.168.7.1"],
        "talos.patches": ["talos/patches/all.yaml", {"machine": {"kubelet": {}}}],
        "talos.control_plane_patches": ["talos/patches/cp.yaml"],
    }
    assert said(found)["machines.nodes.k8s-1.address"][1] == "talos/talconfig.yaml:22"
    assert found.remarks == [
        "talos/talconfig.yaml:28: the patch @./patches/away.yaml does not exist",
        "talos/talconfig.yaml:31: a patch that is no document (JSON 6902); save it as a file, and name that",
    ]
    (other,) = found.differing["talos", "schematic"]
    assert other.value == {"extensions": ["iscsi-tools"], "kernel_args": ["net.ifnames=0"]}
    assert other.where == "talos/talconfig.yaml:25"


def test_talhelper_without_its_variables(ground):
    ground.write("talconfig.yaml", TALCONFIG)
    found = ground.read(talhelper)
    assert found.get("talos.version") is None
    assert found.get("name") == "home"


def test_talosctl(ground):
    ground.write(
        "controlplane.yaml",
        f"""
        version: v1alpha1
        machine:
          type: controlplane
          token: very.secret
          ca: {{crt: c2VjcmV0, key: c2VjcmV0}}
          kubelet: {{image: "ghcr.io/siderolabs/kubelet:v1.35.2"}}
          install: {{disk: /dev/sda, image: "factory.talos.dev/metal-installer/{SCHEMATIC}:v1.12.2"}}
          network:
            hostname: cp-1
            interfaces:
              - {{interface: eth0, addresses: [10.0.5.11/24], routes: [{{network: 0.0.0.0/0, gateway: 10.0.5.1}}]}}
        cluster:
          clusterName: metal
          secret: very-secret-too
          controlPlane: {{endpoint: "https://10.0.5.11:6443"}}
          network: {{dnsDomain: cluster.local, podSubnets: [10.244.0.0/16], serviceSubnets: [10.96.0.0/12]}}
          apiServer: {{certSANs: [10.0.5.11]}}
        """,
    )
    found = ground.read(machine_configuration)
    values = {path: value for path, (value, _) in said(found).items()}
    assert values == {
        "name": "metal",
        "kubernetes.endpoint": "https://10.0.5.11:6443",
        "kubernetes.cert_sans": ["10.0.5.11"],
        "kubernetes.cluster_domain": "cluster.local",
        "kubernetes.pod_network": "10.244.0.0/16",
        "kubernetes.service_network": "10.96.0.0/12",
        "kubernetes.version": "v1.35.2",
        "talos.schematic": SCHEMATIC,
        "talos.version": "v1.12.2",
        "talos.installer": f"factory.talos.dev/metal-installer/{SCHEMATIC}:v1.12.2",
        "machines.nodes.cp-1.role": "controlplane",
        "machines.nodes.cp-1.address": "10.0.5.11",
        "machines.network": "10.0.5.0/24",
        "machines.gateway": "10.0.5.1",
    }


@pytest.mark.parametrize(("name", "said_of_it"), [("none", "none"), ("flannel", None), ("custom", None)])
def test_who_connects_pods(ground, name, said_of_it):
    ground.write(
        "controlplane.yaml", f"machine: {{type: controlplane}}\ncluster: {{network: {{cni: {{name: {name}}}}}}}\n"
    )
    assert ground.read(machine_configuration).get("kubernetes.cni") == said_of_it
    ground.write("talconfig.yaml", f"nodes: [{{hostname: a}}]\ncniConfig: {{name: {name}}}\n")
    assert ground.read(talhelper).get("kubernetes.cni") == said_of_it


def test_what_the_tree_says_of_it_is_believed(ground):
    ground.write("talconfig.yaml", "nodes: [{hostname: a}]\ncniConfig: {name: none}\n")
    found = Found()
    found.say("kubernetes.cni", "cilium", "cilium.yaml:3")
    talhelper(Folder(ground.folder, ground.folder), found)
    assert found.differing == {}


def test_a_patch_is_no_machine_configuration(ground):
    ground.write("patch.yaml", "machine: {network: {hostname: x}}\ncluster: {clusterName: y}\n")
    assert said(ground.read(machine_configuration)) == {}


def test_the_cluster_template(ground):
    ground.write(
        "cluster.yaml",
        """
        node_cidr: 10.1.0.0/24
        node_dns_servers: [10.1.0.1]
        cluster_api_addr: 10.1.0.9
        repository_name: somebody/home-ops
        cloudflare_token: very-secret
        """,
    )
    ground.write(
        "nodes.yaml",
        f"""
        nodes:
          - {{name: k1, address: 10.1.0.11, controller: true, mac_addr: "bc:24:11:00:00:01", schematic_id: {SCHEMATIC}}}
          - {{name: k2, address: 10.1.0.12, controller: false}}
        """,
    )
    values = {path: value for path, (value, _) in said(ground.read(cluster_template)).items()}
    assert values == {
        "machines.network": "10.1.0.0/24",
        "machines.nameservers": ["10.1.0.1"],
        "machines.shared_address": "10.1.0.9",
        "kubernetes.endpoint": "https://10.1.0.9:6443",
        "gitops.repository": "https://github.com/somebody/home-ops.git",
        "machines.nodes.k1.role": "controlplane",
        "machines.nodes.k1.address": "10.1.0.11",
        "machines.nodes.k1.mac": "bc:24:11:00:00:01",
        "machines.nodes.k2.role": "worker",
        "machines.nodes.k2.address": "10.1.0.12",
        "talos.schematic": SCHEMATIC,
    }


def test_sops(ground):
    recipient = "age1" + "q" * 58
    ground.write(".sops.yaml", f"creation_rules:\n  - path_regex: .*\n    age: {recipient}\n")
    ground.write(
        "apps.yaml",
        """
        apiVersion: kustomize.toolkit.fluxcd.io/v1
        kind: Kustomization
        metadata: {name: apps, namespace: flux-system}
        spec:
          decryption: {provider: sops, secretRef: {name: age-key}}
        """,
    )
    found = ground.read(sops)
    assert said(found) == {"gitops.decryption.secret_name": ("age-key", "apps.yaml:5")}
    assert found.needed == {("gitops", "decryption"): f".sops.yaml:2 encrypts for {recipient}"}


@pytest.mark.parametrize(
    ("url", "said_of_it"),
    [
        ("https://git.example/home.git", ("https://git.example/home.git", ".git/config")),
        ("git@github.com:me/home.git", ("https://github.com/me/home.git", "assumed: .git/config has it over SSH")),
        ("ssh://git@git.example:2222/me/home", ("https://git.example/me/home", "assumed: .git/config has it over SSH")),
        ("https://me:secret@git.example/home.git", None),
        ("/srv/home.git", None),
    ],
)
def test_git(ground, url, said_of_it):
    ground.write(".git/config", f'[core]\n\tbare = false\n[remote "origin"]\n\turl = {url}\n')
    ground.write(".git/HEAD", "ref: refs/heads/trunk\n")
    found = said(ground.read(git))
    assert found.get("gitops.repository") == said_of_it
    assert found["gitops.branch"] == ("trunk", ".git/HEAD")


@pytest.mark.parametrize("reader", READERS, ids=lambda reader: reader.__module__.rpartition(".")[2])
@pytest.mark.parametrize(
    "text", ["[1, 2]", "a: [", "", "nodes: 7", "nodes: [x, {}]", "kind: [x]\napiVersion: 3\nspec: {rules: 1}", "\x00"]
)
def test_what_is_something_else_says_nothing(ground, reader, text):
    for name in ("talconfig.yaml", "cluster.yaml", "nodes.yaml", ".sops.yaml", "all.yaml", "main.tf", "x.tfvars"):
        ground.write(name, text)
    assert said(ground.read(reader)) == {}
