"""Step 1 of the protocol: every secret that the castle references, checked and never altered."""

import datetime as dt
import os
import re
from collections.abc import Callable, Iterable, Mapping

from rebirth.castle import Castle
from rebirth.castle.files import text_of
from rebirth.castle.gitops import known_hosts
from rebirth.castle.reference import SecretRef
from rebirth.errors import Problem, SpecError
from rebirth.paths import Paths
from rebirth.run.facts import SecretsResolved
from rebirth.secrets import Redaction, Secret

LAYER = "secrets"
PATIENCE = 30
PREPARES = True
LOOKS = True
ON_DEMAND = True

_PROXMOX_TOKEN = re.compile(r"[^@\s!=]+@[^@\s!=]+![^@\s!=]+=[0-9a-fA-F-]{36}")
_AGE_IDENTITY = re.compile(r"^AGE-SECRET-KEY-(PQ-)?1[0-9A-Z]+\s*$", re.MULTILINE)
# Programs take secrets from their environment, where Linux ends a value at NUL and takes none above 128 KiB.
_LONGEST = 64 << 10
_TOO_LONG = f"is larger than {_LONGEST >> 10} KiB: that is not a secret"
_CONTROL = re.compile(r"[\x00-\x08\x0b\x0c\x0e-\x1f\x7f]")


async def resolve_secrets(castle: Castle, paths: Paths, redaction: Redaction) -> SecretsResolved:
    """Resolve the castle's secrets."""
    return resolved(castle.references(), paths, redaction)


def resolved(references: Iterable[tuple[str, SecretRef]], paths: Paths, redaction: Redaction) -> SecretsResolved:
    """These secrets alone, each with its YAML path; all problems at once. Raises SpecError."""
    found: dict[str, Secret] = {}
    problems: dict[str, Problem] = {}
    for path, reference in references:
        value = _value(reference, paths, os.environ)
        if isinstance(value, Problem):
            problems.setdefault(reference.secret, value)
            continue
        redaction.learn(value)
        if complaint := _complaint(path, value.reveal()):
            problems[reference.secret] = _problem(reference, paths, complaint)
        found[reference.secret] = value
    if problems:
        raise SpecError(list(problems.values()))
    return SecretsResolved(found)


def resolve(reference: SecretRef, paths: Paths, redaction: Redaction) -> Secret:
    """One secret, for who needs no other. Raises SpecError."""
    value = _value(reference, paths, os.environ)
    if isinstance(value, Problem):
        raise SpecError([value])
    redaction.learn(value)
    return value


def _problem(reference: SecretRef, paths: Paths, message: str) -> Problem:
    hint = f"Write the value into the file, or set {reference.variable}."
    return Problem(str(paths.vault / reference.secret), 0, "", message, hint)


def _value(reference: SecretRef, paths: Paths, environment: Mapping[str, str]) -> Secret | Problem:
    """From the environment first, then from the vault directory."""
    if (given := environment.get(reference.variable)) is not None:
        return Secret(given)
    file = paths.vault / reference.secret
    try:
        text = text_of(file, largest=_LONGEST)
    except FileNotFoundError:
        return _problem(reference, paths, "no such file: the secret is missing")
    except (OSError, UnicodeDecodeError) as error:
        reason = error.strerror if isinstance(error, OSError) else "not text"
        return _problem(reference, paths, f"the secret cannot be read: {reason}")
    # Editors end a file with a line break that is not part of a token; a PEM file keeps its own.
    return Secret(text if "-----BEGIN" in text else text.removesuffix("\n").removesuffix("\r"))


def _complaint(path: str, value: str) -> str | None:
    """Why the value of the reference at that YAML path cannot be right."""
    if not value.strip():
        return "the secret is empty"
    if len(value.encode()) > _LONGEST:
        return _TOO_LONG
    if _CONTROL.search(value):
        return "the secret contains a control character, so it is not text"
    for ending, complaint in _COMPLAINTS.items():
        if path.endswith(ending):
            return complaint(value)
    if ".data." in path or path.startswith("gitops.substitution."):
        return None  # what a direct Secret holds may be a whole file: an age identity with its comments, known_hosts
    if "-----BEGIN" not in value and re.search(r"\s", value):
        return "the secret contains white space"
    return None


def _token_complaint(value: str) -> str | None:
    return None if _PROXMOX_TOKEN.fullmatch(value) else "the secret does not have the form USER@REALM!TOKENID=UUID"


def _age_complaint(value: str) -> str | None:
    return None if _AGE_IDENTITY.search(value) else "the secret is not an age identity (AGE-SECRET-KEY-1...)"


def _ssh_key_complaint(value: str) -> str | None:
    from cryptography.exceptions import UnsupportedAlgorithm
    from cryptography.hazmat.primitives.serialization import load_pem_private_key, load_ssh_private_key

    text = value.strip().encode() + b"\n"
    try:
        (load_ssh_private_key if b"BEGIN OPENSSH" in text else load_pem_private_key)(text, password=None)
    except TypeError:
        return "the SSH key is protected by a passphrase, and nobody is there to type it (ssh-keygen -p takes it away)"
    except ValueError:
        return "the secret is not a private SSH key, as ssh-keygen writes it"
    except UnsupportedAlgorithm:
        return None  # of a kind that only ssh knows
    return None


def _known_hosts_complaint(value: str) -> str | None:
    try:
        known_hosts(value)
    except ValueError as error:
        return f"the secret {error}"
    return None


def _certificate_complaint(value: str) -> str | None:
    from cryptography import x509

    try:
        certificates = x509.load_pem_x509_certificates(value.encode())
    except ValueError:
        return "the secret is not a PEM certificate"
    now = dt.datetime.now(dt.UTC)
    if all(certificate.not_valid_after_utc < now for certificate in certificates):
        return "the certificate has expired"
    return None


# YAML path, or its end -> what a value that is named there has to be.
_COMPLAINTS: Mapping[str, Callable[[str], str | None]] = {
    ".ca": _certificate_complaint,
    "ca.crt": _certificate_complaint,
    "proxmox.token": _token_complaint,
    ".age_key": _age_complaint,
    "gitops.ssh.private_key": _ssh_key_complaint,
    "gitops.ssh.known_hosts": _known_hosts_complaint,
}
