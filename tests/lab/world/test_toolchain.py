"""The cache of built programs."""

from rebirth.lab.building.toolchain import Toolchain


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
