"""Secrets show themselves nowhere."""

import pickle
import secrets

import pytest
from pydantic import ValidationError

from rebirth.secrets import REDACTED, Redaction, Secret, SecretRef


def test_a_secret_does_not_show_itself():
    canary = secrets.token_urlsafe(16)
    secret = Secret(canary)
    for shown in (str(secret), repr(secret), f"{secret}", f"{secret!r:>40}", str([secret]), str({"a": secret})):
        assert canary not in shown
    with pytest.raises(TypeError):
        pickle.dumps(secret)
    assert secret.reveal() == canary


def test_redaction_takes_out_every_line_of_a_pem_and_the_longest_value_first():
    body, short = secrets.token_hex(32), secrets.token_hex(4)
    pem = f"-----BEGIN KEY-----\n{body}\n-----END KEY-----\n"
    redaction = Redaction([Secret(short), Secret(short + "more"), Secret(pem)])
    assert redaction.redact(f"a {short}more b {short} c") == f"a {REDACTED} b {REDACTED} c"
    assert body not in redaction.redact(f"x={body}")
    assert redaction.redact("-----BEGIN KEY-----") == "-----BEGIN KEY-----"
    assert Redaction([Secret("ab")]).redact("about") == "about", "very short values would blank out ordinary text"


@pytest.mark.parametrize("name", ["../x", "a/../b", "/etc/passwd", "", "a//b", "a b"])
def test_a_reference_stays_below_the_vault_directory(name):
    with pytest.raises(ValidationError):
        SecretRef(secret=name)


def test_the_variable_of_a_reference():
    assert SecretRef(secret="lushycorp-vault/ca.crt").variable == "REBIRTH_SECRET_LUSHYCORP_VAULT_CA_CRT"
