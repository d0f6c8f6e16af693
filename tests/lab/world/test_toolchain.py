"""The cache of built programs."""

import asyncio
from pathlib import Path

import pytest

from rebirth.errors import Broken
from rebirth.lab.building.toolchain import Built, Component, Toolchain, chosen, components


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


def test_a_component_that_nobody_knows_is_rejected():
    with pytest.raises(Broken, match="no component nothing"):
        chosen(["etcd", "nothing"])


def test_what_is_optional_says_so_and_is_chosen_by_name_alone():
    optional = {component.name for component in components() if component.optional}
    assert "flux" in optional
    assert {component.name for component in chosen()} == {component.name for component in components()} - optional
    assert [component.name for component in chosen(["flux", "etcd"])] == ["etcd", "flux"]


@pytest.mark.parametrize("component", components(), ids=lambda component: component.name)
def test_several_binaries_have_the_names_that_go_gives(component):
    names = component.binaries
    assert len(names) == 1 or all(path.rpartition("/")[2] == binary for path, binary in names.items())


async def test_several_binaries_are_built_at_once(tmp_path, paper_go):
    toolchain = Toolchain(tmp_path / "cache")
    await toolchain.build_all(names=["metallb"])
    found = await toolchain.programs()
    assert {name for name, path in found.items() if Path(path).exists()} == {"controller", "speaker"}


async def test_what_is_built_later_is_downloaded_meanwhile(tmp_path, paper_go, monkeypatch):
    monkeypatch.setenv("GO_FETCHED", str(tmp_path / "fetched"))

    async def wait(component: str) -> None:
        while not (tmp_path / "fetched").exists():
            await asyncio.sleep(0.01)

    class Slow(Toolchain):
        async def build(self, component: Component) -> Built:
            await wait(component.name)
            return await super().build(component)

    await Slow(tmp_path / "cache").build_all(names=["etcd", "registry"])
    said = (tmp_path / "fetched").read_text()
    assert "-deps github.com/distribution/distribution/v3/cmd/registry" in said
    assert "etcd" not in said, "it is being built"
