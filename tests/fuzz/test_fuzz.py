"""Spoiled input ends in words: no trace, in time, without a secret. `make fuzz` goes on for an hour."""

import os
import random
from pathlib import Path
from tempfile import TemporaryDirectory

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from fuzz.good import CANARY
from fuzz.mutations import spoiled, spoiled_json
from fuzz.targets import TARGETS, Unsound, in_words
from rebirth.castle import load
from rebirth.castle.files import content_of
from rebirth.errors import Broken, SpecError

FEWER = {"repository": 20, "answers": 40}  # of those that take longest
SOME = 60


@pytest.mark.parametrize("name", TARGETS)
def test_spoiled_input_ends_in_words(name):
    """300 mutations and more, the same each time."""

    @settings(
        max_examples=FEWER.get(name, SOME),
        derandomize=True,
        database=None,
        deadline=None,
        suppress_health_check=list(HealthCheck),
    )
    @given(st.randoms(use_true_random=False))
    def spoil(rng):
        with TemporaryDirectory(prefix="rebirth-fuzz-") as folder:
            TARGETS[name](random.Random(rng.getrandbits(40)), Path(folder))

    spoil()


def test_it_is_three_hundred_at_least():
    assert sum(FEWER.get(name, SOME) for name in TARGETS) >= 300


def test_input_is_really_spoiled():
    text = "a: 1\nb: {c: [1, 2]}\n" * 4
    assert len({spoiled(random.Random(seed), text) for seed in range(100)} - {text}) > 90
    answer = b'{"items": [{"metadata": {"name": "x"}}]}'
    assert len({spoiled_json(random.Random(seed), answer) for seed in range(100)} - {answer}) > 60


@pytest.mark.parametrize(
    "error",
    [KeyError("x"), SpecError(f"shows {CANARY}"), Broken("unexpected KeyError: 'x'", operation="a", hint="")],
    ids=["a trace", "a secret", "taken for a bug"],
)
def test_what_is_unsound_is_found(error):
    with pytest.raises(Unsound), in_words("the test"):
        raise error


@pytest.mark.parametrize(
    "make", [os.mkfifo, os.mkdir, lambda place: place.symlink_to("/dev/zero")], ids=["FIFO", "folder", "device"]
)
def test_what_is_no_file_is_refused_unread(make, tmp_path):
    make(tmp_path / "castle.yaml")
    with pytest.raises(SpecError, match=r"castle.yaml: cannot be read: (a FIFO|a directory|a device), not a file"):
        load(tmp_path)


def test_a_huge_file_is_refused_unread(tmp_path):
    with (tmp_path / "castle.yaml").open("wb") as file:
        file.truncate(1 << 40)
    with pytest.raises(SpecError, match="larger than"):
        load(tmp_path)
    with pytest.raises(OSError, match="larger than 1 KiB"):
        content_of(tmp_path / "castle.yaml", largest=1024)
