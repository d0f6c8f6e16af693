"""What a machine reads out of its configuration, without starting anything."""

import base64
from pathlib import Path

import pytest
import yaml

from rebirth.lab.talos import cni, containerd, control_plane, kubelet, manifests
from rebirth.lab.talos.config import MachineConfig
from rebirth.lab.talos.hardware import Hardware


def config(*documents: dict, **cluster: object) -> MachineConfig:
    main = {
        "machine": {"type": "controlplane"},
        "cluster": {"controlPlane": {"endpoint": "https://10.0.0.1:6443"}, **cluster},
    }
    return MachineConfig.parse(yaml.safe_dump_all([main, *documents]).encode())


def machine(**keys: object) -> MachineConfig:
    return MachineConfig.parse(yaml.safe_dump({"machine": keys, "cluster": {}}).encode())


@pytest.fixture
def hardware(tmp_path: Path) -> Hardware:
    return Hardware(
        lab="demo", name="cp-1", disk=tmp_path, address="10.0.0.2/24", gateway="10.0.0.1", nameservers=("10.0.0.1",),
        mac="bc:24:11:00:00:01", ca=tmp_path / "ca.crt", programs={"kubelet": "/bin/kubelet"}, cgroup="/rebirth-demo/cp-1",
        talos_version="v1.12.0",
    )  # fmt: skip


def test_hardware_survives_its_file(hardware: Hardware, tmp_path: Path):
    hardware.save(tmp_path / "hardware.json")
    assert Hardware.read(tmp_path / "hardware.json") == hardware


class TestConfiguration:
    def test_defaults(self):
        found = config()
        assert (found.pod_subnet, found.service_subnet, found.domain) == (
            "10.244.0.0/16",
            "10.96.0.0/12",
            "cluster.local",
        )
        assert found.service_address(10) == "10.96.0.10"
        assert found.hostname is None
        assert found.addresses == []

    def test_a_value_that_is_null_is_not_there(self):
        assert config(coreDNS=None).get("cluster.coreDNS.disabled", default=False) is False

    def test_documents_of_their_own_count(self):
        found = config(
            {"apiVersion": "v1alpha1", "kind": "HostnameConfig", "hostname": "cp-1", "auto": "off"},
            {"apiVersion": "v1alpha1", "kind": "ResolverConfig", "nameservers": [{"address": "10.0.0.53"}]},
            {"apiVersion": "v1alpha1", "kind": "ExtensionServiceConfig", "name": "tailscale", "environment": ["A=b=c"]},
        )
        assert found.hostname == "cp-1"
        assert found.nameservers == ["10.0.0.53"]
        assert found.extension("tailscale") == {"A": "b=c"}
        assert found.extension("iscsi-tools") is None

    def test_hostname_left_to_talos_is_none(self):
        assert config({"apiVersion": "v1alpha1", "kind": "HostnameConfig", "auto": "stable"}).hostname is None

    def test_address_and_gateway(self):
        interface = {
            "deviceSelector": {"physical": True},
            "addresses": ["10.0.0.2/24"],
            "routes": [
                {"network": "10.9.0.0/16", "gateway": "10.0.0.9"},
                {"network": "0.0.0.0/0", "gateway": "10.0.0.1"},
            ],
        }
        found = machine(network={"interfaces": [interface]})
        assert found.addresses == ["10.0.0.2/24"]
        assert found.gateway == "10.0.0.1"

    def test_version_of_the_installer(self):
        assert machine(install={"image": "factory.talos.dev/metal-installer/4a0d:v1.12.0"}).talos_version == "v1.12.0"
        assert machine(install={}).talos_version is None


class TestFlags:
    def test_sorted_and_replaced(self):
        assert control_plane.flags({"b": "1", "a": "1"}, {"a": "2"}) == ["--a=2", "--b=1"]

    def test_some_are_added_to(self):
        merged = control_plane.flags(
            {"enable-admission-plugins": "NodeRestriction"}, {"enable-admission-plugins": "X,Y"}
        )
        assert merged == ["--enable-admission-plugins=NodeRestriction,X,Y"]

    def test_a_list_is_not_split_into_issuers(self):
        # Talos 1.12 hands the string on, and Kubernetes takes it for one issuer: a castle must not rely on commas.
        assert control_plane.flags({}, {"service-account-issuer": "https://a,https://b"}) == [
            "--service-account-issuer=https://a,https://b"
        ]

    def test_the_other_spelling_is_a_second_flag(self):
        given = {"service-account-issuer": "https://a", "service_account-issuer": "https://b"}
        assert control_plane.flags({"service-account-issuer": "https://c"}, given) == [
            "--service-account-issuer=https://a",
            "--service_account-issuer=https://b",
        ]

    def test_some_are_denied(self):
        with pytest.raises(ValueError, match='extra arg "etcd-servers" is not allowed'):
            control_plane.flags({}, {"etcd-servers": "https://elsewhere"})


def test_api_server_names_are_not_those_of_the_talos_api():
    main = {"machine": {"certSANs": ["talos.example"]}, "cluster": {"apiServer": {"certSANs": ["kube.example"]},
            "controlPlane": {"endpoint": "https://castle.example:6443"}}}  # fmt: skip
    names = control_plane.api_names(MachineConfig.parse(yaml.safe_dump(main).encode()), "10.0.0.2", "cp-1")
    assert {"kube.example", "castle.example", "10.0.0.2", "10.96.0.1", "kubernetes.default.svc.cluster.local"} <= set(
        names
    )
    assert "talos.example" not in names


def test_admission_is_what_was_configured():
    plugin = {"name": "PodSecurity", "configuration": {"defaults": {"enforce": "baseline"}}}
    assert control_plane.admission(config(apiServer={"admissionControl": [plugin]}))["plugins"] == [plugin]


class TestKubelet:
    def test_taints(self):
        role = "node-role.kubernetes.io/control-plane"
        assert kubelet.taints(config()) == {role: ("", "NoSchedule")}
        assert kubelet.taints(config(allowSchedulingOnControlPlanes=True)) == {}
        assert kubelet.taints(machine(nodeTaints={"a": "b:NoExecute", "c": "NoSchedule"})) == {
            "a": ("b", "NoExecute"),
            "c": ("", "NoSchedule"),
        }

    def test_fitted_to_a_shared_system(self, hardware: Hardware):
        found = kubelet.kubelet_configuration(config(), hardware)
        assert found["cgroupRoot"] == "/rebirth-demo/cp-1"
        assert found["failCgroupV1"] is False
        assert found["seccompDefault"] is True
        assert found["clusterDNS"] == ["10.96.0.10"]

    def test_extra_mounts(self):
        mount = {
            "source": "/var/lib/longhorn",
            "destination": "/var/lib/longhorn",
            "type": "bind",
            "options": ["rshared"],
        }
        assert kubelet.extra_mounts(machine(kubelet={"extraMounts": [mount]})) == [
            (Path("/var/lib/longhorn"), Path("/var/lib/longhorn"))
        ]


class TestRegistries:
    def test_credentials_of_both_kinds(self):
        found = containerd.credentials(
            MachineConfig.parse(
                yaml.safe_dump_all(
                    [
                        {
                            "machine": {
                                "registries": {"config": {"ghcr.io": {"auth": {"username": "u", "password": "p"}}}}
                            }
                        },
                        {"kind": "RegistryAuthConfig", "name": "quay.io", "identityToken": "t"},
                    ]
                ).encode()
            )
        )
        assert found == {"ghcr.io": {"username": "u", "password": "p"}, "quay.io": {"identitytoken": "t"}}

    def test_mirrors_in_order(self):
        mirrors = {"docker.io": {"endpoints": ["https://a.example", "https://b.example/v2/x"], "overridePath": True}}
        text = containerd.hosts(machine(registries={"mirrors": mirrors}))["docker.io/hosts.toml"]
        assert text.index("https://a.example") < text.index("https://b.example/v2/x")
        assert "override_path = true" in text
        assert "server" not in text

    def test_without_fallback_the_last_mirror_is_the_registry(self):
        mirrors = {"quay.io": {"endpoints": ["https://a.example", "https://b.example"], "skipFallback": True}}
        text = containerd.hosts(machine(registries={"mirrors": mirrors}))["quay.io/hosts.toml"]
        assert text.startswith('server = "https://b.example"')
        assert '[host."https://b.example"]' not in text

    def test_an_authority_of_its_own(self):
        tls = {"registry.lan:5000": {"tls": {"ca": base64.b64encode(b"PEM").decode()}}}
        files = containerd.hosts(machine(registries={"config": tls}))
        assert files["registry.lan_5000_/registry.lan:5000-ca.crt"] == "PEM"
        assert 'server = "https://registry.lan:5000"' in files["registry.lan_5000_/hosts.toml"]

    def test_every_registry(self):
        assert "_default/hosts.toml" in containerd.hosts(
            machine(registries={"mirrors": {"*": {"endpoints": ["https://a"]}}})
        )


class TestManifests:
    def test_the_token_lets_kubelets_join(self):
        secret, *bindings = manifests.bootstrap(config(token="abcdef.0123456789abcdef"))
        assert secret["metadata"]["name"] == "bootstrap-token-abcdef"
        assert secret["stringData"]["token-secret"] == "0123456789abcdef"
        assert "system-bootstrap-approve-node-client-csr" in [binding["metadata"]["name"] for binding in bindings]

    def test_inline(self):
        contents = "kind: A\n---\n---\nkind: B\n"
        assert manifests.inline(config(inlineManifests=[{"name": "x", "contents": contents}])) == [
            {"kind": "A"},
            {"kind": "B"},
        ]

    def test_coredns_is_at_the_tenth_address(self):
        service = next(item for item in manifests.coredns(config()) if item["kind"] == "Service")
        assert service["spec"]["clusterIP"] == "10.96.0.10"


def test_pod_network_is_routed():
    plugins = cni.configuration("10.244.1.0/24")["plugins"]
    assert plugins[0]["type"] == "ptp"
    assert plugins[0]["ipam"]["ranges"] == [[{"subnet": "10.244.1.0/24"}]]
    assert "ip saddr 10.244.0.0/16 ip daddr != 10.244.0.0/16" in cni.masquerade("10.244.0.0/16")
