"""The cache of built programs."""

import pytest

from rebirth.errors import Broken
from rebirth.lab.building.toolchain import Component, Toolchain, components, sources


async def test_what_is_built_next_is_said_and_how_far_that_is(tmp_path, paper_go):
    toolchain = Toolchain(tmp_path / "cache")
    said: list[str] = []
    built = []
    await toolchain.build_all(built.append, ["helm", "etcd"], said.append)
    assert said == ["building etcd (1 of 2)", "building helm (2 of 2)"]
    assert [one.cached for one in built] == [False, False]
    assert "etcd" in await toolchain.programs()
    await toolchain.build_all(built.append, ["helm", "etcd", "registry"], said.append)
    assert said[2:] == ["building registry (1 of 1)"], "what is in the cache is not spoken of"
    assert sorted(one.cached for one in built[2:]) == [False, True, True]


async def test_a_component_that_nobody_knows_is_rejected(tmp_path, paper_go):
    with pytest.raises(Broken, match="no component nothing"):
        await Toolchain(tmp_path / "cache").build_all(names=["etcd", "nothing"])


def test_what_is_optional_says_so():
    folder = sources() / "components" / "etcd"
    assert not Component.read(folder).optional


async def test_what_is_optional_is_built_where_it_is_named_alone(tmp_path, paper_go):
    built = []
    await Toolchain(tmp_path / "cache").build_all(built.append)
    optional = {component.name for component in components() if component.optional}
    assert {one.component for one in built} == {component.name for component in components()} - optional
    await Toolchain(tmp_path / "cache").build_all(built.append, optional or ["etcd"])
    assert optional <= {one.component for one in built}
