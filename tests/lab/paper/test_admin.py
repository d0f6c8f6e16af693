"""The lab's own way into a castle's cluster, out of what Talos keeps on a machine's disk."""

import base64

import pytest
import yaml
from cryptography import x509

from rebirth.lab.ca import Authority
from rebirth.lab.paper.admin import Plane, authority_of, connect


@pytest.fixture
def configured(tmp_path):
    """A control plane with a configuration of two documents, and one without."""
    certificate, key = Authority("Kubernetes").below("of this castle")
    pair = {"crt": base64.b64encode(certificate.encode()).decode(), "key": base64.b64encode(key.encode()).decode()}
    file = tmp_path / "config.yaml"
    file.write_text(yaml.safe_dump_all([{"machine": {}, "cluster": {"ca": pair}}, {"kind": "HostnameConfig"}]))
    return certificate, [Plane(tmp_path / "none.yaml", "10.0.0.1"), Plane(file, "10.0.0.2")]


def test_the_authority_of_the_cluster_signs_for_an_administrator(tmp_path, configured):
    certificate, planes = configured
    file = tmp_path / "kubeconfig"
    assert connect(planes, file) == certificate == authority_of(planes)
    assert file.stat().st_mode & 0o777 == 0o600
    config = yaml.safe_load(file.read_text())
    assert config["clusters"][0]["cluster"]["server"] == "https://10.0.0.2:6443"
    client = x509.load_pem_x509_certificate(base64.b64decode(config["users"][0]["user"]["client-certificate-data"]))
    client.verify_directly_issued_by(x509.load_pem_x509_certificate(certificate.encode()))
    assert client.subject.rfc4514_string() == "CN=rebirth-lab,O=system:masters"


@pytest.mark.parametrize("text", ["", "machine: {}\n", "cluster: {}\n", "cluster: {ca: {crt: '%'}}\n", "cluster: [\n"])
def test_a_machine_without_a_whole_configuration_has_none(tmp_path, text):
    file = tmp_path / "config.yaml"
    file.write_text(text)
    assert connect([Plane(file, "10.0.0.1")], tmp_path / "kubeconfig") is None
    assert not (tmp_path / "kubeconfig").exists()
