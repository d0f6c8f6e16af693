"""Secrets as files of the vault directory: what is no file of a bearable size is refused at once."""

import os
from pathlib import Path

import pytest

from rebirth.errors import SpecError
from rebirth.phases.resolve_secrets import resolve
from rebirth.place import Place
from rebirth.secrets import Redaction, SecretRef


@pytest.fixture
def place(tmp_path: Path) -> Place:
    return Place(tmp_path, tmp_path, tmp_path, tmp_path, tmp_path)


def told(place: Place) -> str:
    with pytest.raises(SpecError) as caught:
        resolve(SecretRef(secret="token"), place, Redaction())
    return str(caught.value)


def test_a_pipe(place):
    os.mkfifo(place.vault / "token")
    assert told(place) == f"{place.vault}/token: the secret cannot be read: a FIFO, not a file"


def test_a_device(place):
    (place.vault / "token").symlink_to("/dev/zero")
    assert told(place) == f"{place.vault}/token: the secret cannot be read: a device, not a file"


def test_a_directory(place):
    (place.vault / "token").mkdir()
    assert "a directory, not a file" in told(place)


def test_more_than_any_secret_is(place):
    (place.vault / "token").write_text("x" * ((1 << 20) + 1))
    assert "larger than 1048576 bytes" in told(place)
    (place.vault / "token").write_text("x" * (1 << 20))
    assert resolve(SecretRef(secret="token"), place, Redaction()).reveal()
