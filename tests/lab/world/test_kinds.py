"""Generated secrets are taken by what parses them."""

import base64
import json

import pytest
from cryptography import x509
from cryptography.hazmat.primitives import serialization
from cryptography.hazmat.primitives.asymmetric.x25519 import X25519PrivateKey

from lab.world.castles import write_castle
from rebirth.castle import load
from rebirth.lab import canaries, kinds
from rebirth.lab.ca import Authority
from rebirth.lab.kinds import Kinds, kind_of, place_of
from rebirth.lab.spec import load_lab

AUTHORITY = Authority("lab")


@pytest.fixture
def made() -> Kinds:
    return Kinds(AUTHORITY, ["blog.example"], "git.example")


@pytest.mark.parametrize(
    ("key", "name", "kind"),
    [
        ("age.agekey", "sops", "age"),
        ("keys.txt", "sops-age", "age"),
        ("value", "storage-key", "word"),
        ("identity", "flux", "ssh"),
        ("password", "git-deploy-key", "ssh"),
        ("identity.pub", "flux", "ssh.pub"),
        ("known_hosts", "flux", "known_hosts"),
        ("tls.crt", "blog", "certificate"),
        ("tls.key", "blog", "key"),
        ("ca.crt", "vault", "authority"),
        (".dockerconfigjson", "pull", "docker"),
        ("token", "github-api", "github"),
        ("token", "gitlab/runner", "gitlab"),
        ("password", "database", "word"),
        ("page", "image-page", "word"),
        ("SECRET_DOMAIN", "cluster-secrets", "domain"),
        ("ACME_EMAIL", "cluster-secrets", "email"),
        ("LB_CIDR", "cluster-secrets", "network"),
        ("NAS_IP", "cluster-secrets", "address"),
        ("webhook-url", "alerts", "url"),
        ("values.yaml", "release", "mapping"),
        ("domain.crt", "blog", "certificate"),
        ("shipping", "url-of-a-name", "word"),
    ],
)
def test_kinds(key, name, kind):
    assert kind_of(key, name) == kind


@pytest.mark.parametrize(
    ("path", "name", "place"),
    [
        ("engine.direct_secrets[0].data.ca.crt", "a/b", ("ca.crt", "engine.direct_secrets[0]")),
        ("proxmox.token", "pve/token", ("token", "pve/token")),
        ("machines.patch", "certs/node.key", ("node.key", "certs/node")),
    ],
)
def test_what_a_reference_is_held_by(path, name, place):
    assert place_of(path, name) == place


def test_an_age_identity(made):
    """As age-keygen writes it: the recipient in a comment; Bech32 with age's prefix, a checksum that holds, 32 bytes inside."""
    whole = made.make("age.agekey", "sops", "g")
    comment, value = whole.splitlines()
    assert comment == f"# public key: {kinds.recipient_of(whole)}"
    assert value.startswith("AGE-SECRET-KEY-1")
    assert len(value) == 74
    prefix, _, data = value.lower().rpartition("1")
    digits = ["qpzry9x8gf2tvdw0s3jn54khce6mua7l".index(letter) for letter in data]
    expanded = [ord(letter) >> 5 for letter in prefix] + [0] + [ord(letter) & 31 for letter in prefix]
    assert kinds._polymod([*expanded, *digits]) == 1
    number = 0
    for digit in digits[:-6]:
        number = number << 5 | digit
    key = X25519PrivateKey.from_private_bytes((number >> 4).to_bytes(32, "big"))
    recipient = kinds._bech32("age", key.public_key().public_bytes_raw())
    assert recipient == kinds.recipient_of(whole)
    assert recipient.startswith("age1")


def test_bech32_as_published():
    """Vectors of BIP 173: nothing at all, and what a segwit address holds, without its version."""
    program = bytes.fromhex("751e76e8199196d454941c45d1b3a323f1433bd6")
    assert kinds._bech32("a", b"") == "a12uel5l"
    assert kinds._bech32("bc", program)[3:-6] == "w508d6qejxtdg4y5r3zarvary0c5xw7k"


def test_an_ssh_key_and_its_public_half(made, tmp_path):
    private, public = made.make("identity", "flux", "g"), made.make("identity.pub", "flux", "g")
    key = serialization.load_ssh_private_key(private.encode(), None)
    openssh = key.public_key().public_bytes(serialization.Encoding.OpenSSH, serialization.PublicFormat.OpenSSH)
    assert openssh.decode() == public
    assert made.make("identity.pub", "flux", "another") != public
    assert made.make("known_hosts", "flux", "g").startswith("git.example ssh-ed25519 ")


def test_a_certificate_and_its_key(made):
    certificate = x509.load_pem_x509_certificate(made.make("tls.crt", "blog", "g").encode())
    key = serialization.load_pem_private_key(made.make("tls.key", "blog", "g").encode(), None)
    assert certificate.public_key() == key.public_key()
    names = certificate.extensions.get_extension_for_class(x509.SubjectAlternativeName).value
    assert names.get_values_for_type(x509.DNSName) == ["blog.example"]
    certificate.verify_directly_issued_by(x509.load_pem_x509_certificate(AUTHORITY.pem.encode()))


def test_a_pull_secret(made):
    entry = json.loads(made.make(".dockerconfigjson", "pull", "g"))["auths"]["ghcr.io"]
    assert base64.b64decode(entry["auth"]).decode() == f"lab:{entry['password']}"


@pytest.mark.parametrize(
    ("key", "value"),
    [
        ("DOMAIN", "blog.example"),
        ("EMAIL", "somebody@blog.example"),
        ("PUBLIC_URL", "https://blog.example"),
        ("NODE_CIDR", "192.0.2.0/24"),
        ("NAS_IP", "192.0.2.10"),
        ("SMTP_PORT", "443"),
        ("TZ", "UTC"),
        ("values.yaml", "{}\n"),
    ],
)
def test_what_the_kubernetes_api_reads_has_its_form(made, key, value):
    assert made.make(key, "cluster-secrets", "g") == value


def test_without_a_host_there_are_certificates_all_the_same():
    nobody = Kinds(AUTHORITY, [], "git.example")
    assert nobody.make("tls.crt", "blog", "g").startswith("-----BEGIN CERTIFICATE")
    assert nobody.make("DOMAIN", "blog", "g") == "castle.internal"


def test_a_castle_gets_each_secret_by_where_it_ends_up(tmp_path):
    castle = write_castle(tmp_path)
    file = castle / "castle.yaml"
    more = (
        "    - namespace: flux-system\n      name: sops-age\n      data: {age.agekey: {secret: the-repositorys-key}}\n"
    )
    file.write_text(file.read_text().replace("  direct_secrets:\n", f"  direct_secrets:\n{more}"))
    values = canaries.make(load(castle), load_lab(castle), ca=AUTHORITY, vault_ca=AUTHORITY)
    assert "\nAGE-SECRET-KEY-1" in values["the-repositorys-key"]
    assert values["github-token"].startswith("ghp_")
