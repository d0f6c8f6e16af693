"""Names that differ by a slip of the finger, and names that are others on purpose."""

import pytest

from rebirth.proof.rules.slips import is_slip


@pytest.mark.parametrize(
    ("written", "meant"),
    [
        ("hoem", "home"),
        ("home-disc", "home-disk"),
        ("infrastucture", "infrastructure"),
        ("apps-", "apps"),
        ("xapps", "apps"),
    ],
)
def test_a_slip(written, meant):
    assert is_slip(written, meant)
    assert is_slip(meant, written)


@pytest.mark.parametrize(
    ("written", "meant"),
    [
        ("apps", "apps"), ("db1-secret", "db2-secret"), ("web", "wet"), ("database", "cache"), ("web-tls", "web"), ("abcd", "abdce"),
        ("node10", "node1"), ("stag", "gats"),
    ],
)  # fmt: skip
def test_another_name(written, meant):
    assert not is_slip(written, meant)
    assert not is_slip(meant, written)
