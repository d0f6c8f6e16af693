"""Versions of stand-ins: Flux has to take them for what a release asks for."""

import pytest

from rebirth.paper.versions import fitting
from rebirth.store.versions import newest


@pytest.mark.parametrize(
    ("constraint", "version"),
    [
        ("", "0.0.0"),
        ("*", "0.0.0"),
        ("1.2.3", "1.2.3"),
        ("v1.15.3", "v1.15.3"),
        ("1.2.3-rc.1", "1.2.3-rc.1"),
        ("1.x", "1.0.0"),
        ("1.15.*", "1.15.0"),
        ("1.2", "1.2.0"),
        (">=1.2.0 <2.0.0", "1.2.0"),
        ("> 1.2.3", "1.2.4"),
        (">1", "2.0.0"),
        ("<2.0.0", "0.0.0"),
        ("!=0.0.0", "0.0.1"),
        ("^0.3", "0.3.0"),
        ("~1.2.3 || ^3", "1.2.3"),
        ("1.0 - 2.0", "1.0.0"),
        (">=1.0.0-0", "1.0.0-0"),
        ("words", "0.0.0"),
    ],
)
def test_the_lowest_version_that_fits(constraint, version):
    assert fitting(constraint) == version
    if constraint != "words":
        assert newest([version], constraint) == version
