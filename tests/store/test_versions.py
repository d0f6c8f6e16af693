"""Constraints as Masterminds/semver takes them, whose own tests these examples are like."""

import pytest

from rebirth.store.versions import Constraint, Version, newest

ALLOWED = [
    ("", "1.2.3"),
    ("*", "1.2.3"),
    ("1.x", "1.9.0"),
    ("1", "1.9.0"),
    ("v1.2", "1.2.9"),
    ("1.2.3", "v1.2.3"),
    ("1.2.3", "1.2.3+build"),
    (">=1 <2", "1.5.0"),
    (">= 1.2, < 2", "1.5.0"),
    (">11", "12.0.0"),
    (">11.1", "11.2.0"),
    ("<=11", "11.9.0"),
    ("=<11.1", "11.1.9"),
    ("^1.2", "1.9.9"),
    ("^0.2.3", "0.2.9"),
    ("^0.0.3", "0.0.3"),
    ("^0", "0.9.0"),
    ("^0.0", "0.0.9"),
    ("~1.2.3", "1.2.9"),
    ("~1", "1.9.0"),
    ("~>2.0", "2.0.9"),
    ("~0.0.0", "5.0.0"),
    ("1.2.3 - 2.0", "2.0.5"),
    ("1.2 - 1.4.5", "1.4.5"),
    ("!=1.2.3", "1.2.4"),
    ("!=1.x", "2.0.0"),
    ("<1 || >=2", "2.0.0"),
    (">=1.0.0-0", "1.1.0-rc.1"),
    (">=1.0.0-0 <2", "1.1.0-rc.1"),
    ("1.2.3-rc.1", "1.2.3-rc.1"),
    ("2025.02.x", "2025.02.03"),
    (">*", "1.2.3"),
    ("!=x", "1.2.3"),
    ("<=x", "0.0.9"),
]
REFUSED = [
    ("*", "1.0.0-rc.1"),
    ("^x", "1.2.3"),  # Masterminds' own table says any; its code does not
    ("<=x", "0.1.0"),
    ("1.x", "2.0.0"),
    ("1.2.3", "1.2.4"),
    (">11", "11.9.0"),
    (">11.1", "11.1.9"),
    ("<2", "2.0.0"),
    ("<=11", "12.0.0"),
    ("^1.2", "1.1.9"),
    ("^1.2", "2.0.0"),
    ("^1.2-0", "2.0.0-alpha"),
    ("^0.2.3", "0.3.0"),
    ("^0.0.3", "0.0.4"),
    ("^0.0", "0.1.0"),
    ("~1.2", "1.3.0"),
    ("~1.2.3", "1.2.2"),
    ("1.2.3 - 2.0", "2.1.0"),
    ("!=1.x", "1.5.0"),
    ("<1 || >2", "2.5.0"),  # > 2 is 3 and more
    ("<1-0 || 3.x", "3.0.0-rc.1"),  # the alternative that allows 3 knows no pre-release
]


@pytest.mark.parametrize(("constraint", "version"), ALLOWED)
def test_allowed(constraint, version):
    assert Constraint(constraint).allows(Version.parse(version))


@pytest.mark.parametrize(("constraint", "version"), REFUSED)
def test_refused(constraint, version):
    assert not Constraint(constraint).allows(Version.parse(version))


@pytest.mark.parametrize("written", ["latest", ">>1", "1.2.3.4", "1,", "^", "sha256:00", "1.2.3 and more"])
def test_no_constraint(written):
    with pytest.raises(ValueError, match="no version and no range"):
        Constraint(written)


@pytest.mark.parametrize("written", ["", "latest", "1.2.3.4", "v", "1.2.x"])
def test_no_version(written):
    assert Version.parse(written) is None


def test_order():
    """The order that semver.org gives as its example."""
    written = "1.0.0-alpha 1.0.0-alpha.1 1.0.0-alpha.beta 1.0.0-beta 1.0.0-beta.2 1.0.0-beta.11 1.0.0-rc.1 1.0.0 1.10.0"
    versions = [Version.parse(one) for one in written.split()]
    assert sorted(versions, reverse=True) == versions[::-1]


def test_newest():
    offered = ["1.2.3", "1.10.0", "1.9.0", "2.0.0-rc.1", "junk", "5", "v1.2"]
    assert newest(offered) == "1.10.0"
    assert newest(offered, "1.2.x") == "1.2.3"
    assert newest(offered, ">=1-0") == "2.0.0-rc.1"
    assert newest(offered, "3.x") is None


def test_the_very_same_words_come_first():
    assert newest(["latest", "1.0.0"], "latest") == "latest"
    assert newest(["1.2", "1.2.9"], "1.2") == "1.2"
