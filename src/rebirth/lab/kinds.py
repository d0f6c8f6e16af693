"""What a generated secret looks like, by its kind: programs that parse a key take the lab's as they take a real one."""

import base64
import json
import re
import secrets
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from functools import partial
from pathlib import PurePosixPath

from cryptography.hazmat.primitives import serialization
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
from cryptography.hazmat.primitives.asymmetric.x25519 import X25519PrivateKey

from rebirth.lab.ca import Authority

_SSH = {"identity", "ssh-privatekey", "id_ed25519", "id_rsa", "id_ecdsa"}
_TOKENS = {"github": "ghp_", "gitlab": "glpat-"}
_NOWHERE = "castle.internal"  # a name that nobody can own (ICANN has set .internal aside)
# Words of a key that say what its value is, where programs or the Kubernetes API read it.
_SAID = {
    "url": {"url", "uri", "endpoint"},
    "email": {"email", "mail"},
    "domain": {"domain", "host", "hostname", "fqdn"},
    "network": {"cidr", "subnet"},
    "address": {"ip", "addr", "address"},
    "port": {"port"},
    "timezone": {"timezone", "tz"},
}
_ALWAYS = {"network": "192.0.2.0/24", "address": "192.0.2.10", "port": "443", "timezone": "UTC", "mapping": "{}\n"}
_RECIPIENT = "# public key: "
_PUBLIC = serialization.Encoding.Raw, serialization.PublicFormat.Raw
_RAW = serialization.Encoding.Raw, serialization.PrivateFormat.Raw, serialization.NoEncryption()


def kind_of(key: str, name: str) -> str:
    """The kind of the secret `name`, which some object holds under `key`: the key says more than the name."""
    file = key.lower()
    words = _words(f"{file} {name.lower()}")
    known = [
        ("age", file.endswith(".agekey") or {"age", "agekey"} & words),
        ("authority", file in {"ca.crt", "ca.pem"} or file.endswith("-ca.crt")),
        ("certificate", file.endswith((".crt", ".pem", ".cert"))),
        ("key", file.endswith(".key")),
        ("known_hosts", file == "known_hosts"),
        ("ssh.pub", file.endswith(".pub")),
        ("ssh", file in _SSH or "ssh" in words or {"deploy", "key"} <= words),
        ("docker", file == ".dockerconfigjson"),
        *((forge, forge in words) for forge in _TOKENS),
        ("mapping", file.endswith((".yaml", ".yml", ".json"))),
        *((kind, _words(file) & said) for kind, said in _SAID.items()),
    ]
    return next((kind for kind, fits in known if fits), "word")


def _words(text: str) -> set[str]:
    return set(re.split(r"[^a-z0-9]+", text))


@dataclass
class Kinds:
    """Makes secrets of one lab. What belongs together (a certificate and its key) is made together, by its group."""

    authority: Authority
    hosts: Sequence[str]  # that certificates are for
    git_host: str
    _pairs: dict[tuple[str, str], tuple[str, str]] = field(default_factory=dict)

    def make(self, key: str, name: str, group: str) -> str:
        """A value for the secret `name`, held under `key` by what `group` names."""
        makers: dict[str, Callable[[], str]] = {
            "age": _age,
            "authority": lambda: self.authority.pem,
            "certificate": lambda: self._pair("tls", group)[0],
            "key": lambda: self._pair("tls", group)[1],
            "known_hosts": lambda: f"{self.git_host} {new_ssh_key()[1]}\n",
            "ssh": lambda: self._pair("ssh", group)[0],
            "ssh.pub": lambda: self._pair("ssh", group)[1],
            "docker": _docker,
            "domain": lambda: self._domain,
            "url": lambda: f"https://{self._domain}",
            "email": lambda: f"somebody@{self._domain}",
            **{forge: partial(_token, prefix) for forge, prefix in _TOKENS.items()},
            **{kind: partial(str, text) for kind, text in _ALWAYS.items()},
        }
        return makers.get(kind_of(key, name), _word)()

    def encoded(self, key: str, group: str) -> str:
        """As `data` of a Secret holds it."""
        return base64.b64encode(self.make(key, group, group).encode()).decode()

    def _pair(self, kind: str, group: str) -> tuple[str, str]:
        if (kind, group) not in self._pairs:
            self._pairs[kind, group] = (
                self.authority.issue(self.hosts or [_NOWHERE]) if kind == "tls" else new_ssh_key()
            )
        return self._pairs[kind, group]

    @property
    def _domain(self) -> str:
        return next(iter(self.hosts), _NOWHERE)


def place_of(path: str, name: str) -> tuple[str, str]:
    """The key under which a reference at that path of castle.yaml ends up, and what it belongs to."""
    holder, data, key = path.partition(".data.")
    file = PurePosixPath(name)
    return (key, holder) if data else (file.name, str(file.with_suffix("")))


def _word() -> str:
    return secrets.token_hex(20)


def _token(prefix: str) -> str:
    return prefix + secrets.token_hex(18)


def new_ssh_key() -> tuple[str, str]:
    """Private key and public key, as ssh-keygen(1) writes them."""
    key = Ed25519PrivateKey.generate()
    private = key.private_bytes(
        serialization.Encoding.PEM, serialization.PrivateFormat.OpenSSH, serialization.NoEncryption()
    )
    public = key.public_key().public_bytes(serialization.Encoding.OpenSSH, serialization.PublicFormat.OpenSSH)
    return private.decode(), public.decode()


def public_of(private: str) -> str:
    """The public key of a private one that was made here."""
    key = serialization.load_ssh_private_key(private.encode(), password=None)
    return key.public_key().public_bytes(serialization.Encoding.OpenSSH, serialization.PublicFormat.OpenSSH).decode()


def _docker() -> str:
    password = _token(_TOKENS["github"])
    auth = base64.b64encode(f"lab:{password}".encode()).decode()
    entry = {"username": "lab", "password": password, "auth": auth}
    return json.dumps({"auths": {"ghcr.io": entry}}, separators=(",", ":"))


def _age() -> str:
    """An identity of age(1): a key for X25519 in Bech32, after the comment that age-keygen writes above it."""
    key = X25519PrivateKey.generate()
    recipient = _bech32("age", key.public_key().public_bytes(*_PUBLIC))
    return f"{_RECIPIENT}{recipient}\n{_bech32('age-secret-key-', key.private_bytes(*_RAW)).upper()}\n"


def recipient_of(identity: str) -> str:
    """To whom an identity that was made here decrypts."""
    return identity.partition(_RECIPIENT)[2].partition("\n")[0]


_BECH32 = "qpzry9x8gf2tvdw0s3jn54khce6mua7l"


def _bech32(prefix: str, data: bytes) -> str:
    """BIP 173, which age's keys are written in."""
    number, count = int.from_bytes(data, "big") << (-len(data) * 8 % 5), -(-len(data) * 8 // 5)
    values = [number >> 5 * place & 31 for place in reversed(range(count))]
    expanded = [ord(letter) >> 5 for letter in prefix] + [0] + [ord(letter) & 31 for letter in prefix]
    checked = _polymod([*expanded, *values, *[0] * 6]) ^ 1
    values += [checked >> 5 * place & 31 for place in reversed(range(6))]
    return f"{prefix}1{''.join(_BECH32[value] for value in values)}"


def _polymod(values: Sequence[int]) -> int:
    check = 1
    for value in values:
        top, check = check >> 25, (check & 0x1FFFFFF) << 5 ^ value
        for place, generator in enumerate((0x3B6A57B2, 0x26508E6D, 0x1EA119FA, 0x3D4233DD, 0x2A1462B3)):
            check ^= generator if top >> place & 1 else 0
    return check
