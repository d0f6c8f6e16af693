"""Secrets show themselves nowhere."""

import base64
import json
import pickle
import secrets
import time
from difflib import SequenceMatcher
from urllib.parse import quote, quote_plus

import pytest
from pydantic import ValidationError

from rebirth.castle.reference import SecretRef
from rebirth.secrets import REDACTED, Redaction, Secret


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


AWKWARD = 'p@ss "wörd"/&+ü\\x'


@pytest.mark.parametrize(
    "value",
    [secrets.token_hex(16), "ghp_" + secrets.token_hex(18), AWKWARD, "s3cr3t!!"],
    ids=["hex", "token", "awkward", "short"],  # the same in every process of tests
)
@pytest.mark.parametrize("before", ["", "u", "us", "git:"])
@pytest.mark.parametrize("encode", [base64.b64encode, base64.urlsafe_b64encode])
def test_redaction_knows_base64_wherever_the_value_begins(value, before, encode):
    """Of the value at most the characters that it shares with its neighbours are left: two bytes."""
    redacted = Redaction([Secret(value)]).redact(f"Authorization: {encode(f'{before}{value}:x'.encode()).decode()} !")
    assert redacted.startswith("Authorization: ")
    assert redacted.endswith(" !")
    left = redacted.replace(REDACTED, "").removeprefix("Authorization: ").removesuffix(" !")
    assert len(left) <= len(base64.b64encode(before.encode())) + 8
    assert REDACTED in redacted


@pytest.mark.parametrize("value", [AWKWARD, "a b/c?d=e&f", "line one\nline two is longer\n"])
@pytest.mark.parametrize(
    "form",
    [
        quote,
        quote_plus,
        lambda value: quote(value, safe=""),
        lambda value: quote(value, safe="").lower().replace(value.lower(), value),
        lambda value: json.dumps(value)[1:-1],
        lambda value: json.dumps(value, ensure_ascii=False)[1:-1],
    ],
)
def test_redaction_knows_what_urls_and_json_make_of_a_value(value, form):
    assert Redaction([Secret(value)]).redact(f"<{form(value)}>") == f"<{REDACTED}>"


def key_file() -> str:
    body = base64.encodebytes(secrets.token_bytes(600)).decode().splitlines()
    return "\n".join(["-----BEGIN PRIVATE KEY-----", *body, "-----END PRIVATE KEY-----", ""])


def longest_common(text: str, other: str) -> int:
    return SequenceMatcher(None, text, other, autojunk=False).find_longest_match().size


def test_redaction_knows_parts_of_a_key_file_however_it_is_wrapped_or_cut_off():
    pem = key_file()
    redaction = Redaction([Secret(pem)])
    body = "".join(line for line in pem.splitlines() if "-----" not in line)
    wrapped = "\n".join(body[at : at + 50] for at in range(0, len(body), 50))
    for text in (body, wrapped, body[100:140], pem, json.dumps(pem), quote_plus(pem)):
        assert longest_common(redaction.redact(text), body) < 16, text
    encoded = base64.b64encode(pem.encode()).decode()
    for text in (encoded, encoded[200:300], base64.encodebytes(b"x" + pem.encode()).decode()):
        redacted = redaction.redact(text)
        assert longest_common(redacted, text) < 48, redacted  # the line that says what it is, which is no secret
        assert len(redacted) < len(text) / 4


def test_redaction_leaves_ordinary_text_alone():
    redaction = Redaction(
        [Secret(key_file()), Secret("line one\nyes\ntrue\n"), Secret("abcd"), Secret(secrets.token_hex(20))]
    )
    for text in (
        "Kustomization flux-system/infrastructure-controllers/with-a-long-name is Ready: true, yes",
        "-----BEGIN PRIVATE KEY-----",
        "sha256:9f86d081884c7d659a2feaa0c55ad015a3bf4f1b2b0b822cd15d6c15b0f00a08",
        "LS0tLS1CRUdJTiBDRVJUSUZJQ0FURS0tLS0t",
        "YWJ",  # base64 of a part of a short one
    ):
        assert redaction.redact(text) == text


def test_redaction_is_fast():
    redaction = Redaction([Secret(key_file()) for _ in range(4)] + [Secret(secrets.token_hex(20)) for _ in range(20)])
    text = "  9.1s  converge  Kustomization flux-system/apps: dependency 'flux-system/infra' is not ready\n" * 5000
    text += base64.b64encode(secrets.token_bytes(100_000)).decode()
    began = time.perf_counter()
    assert redaction.redact(text) == text
    assert time.perf_counter() - began < 5  # about 0.3 s on a quiet machine; what is to be seen is a quadratic one


@pytest.mark.parametrize("name", ["../x", "a/../b", "/etc/passwd", "", "a//b", "a b"])
def test_a_reference_stays_below_the_vault_directory(name):
    with pytest.raises(ValidationError):
        SecretRef(secret=name)


def test_the_variable_of_a_reference():
    assert SecretRef(secret="lushycorp-vault/ca.crt").variable == "REBIRTH_SECRET_LUSHYCORP_VAULT_CA_CRT"
