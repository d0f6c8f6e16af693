"""Machines driven by the real talosctl, with a real Kubernetes behind: each scenario in a world of its own."""

import pytest

from lab.talos.world import World, programs, run_scenario

pytestmark = pytest.mark.lab


async def one_and_one(world: World) -> None:
    await world.bootstrap("cp-1", "worker-1")
    again = await world.talos("cp-1", "bootstrap", check=False)
    assert "AlreadyExists" in again
    assert "etcd data directory is not empty" in again
    assert "bootstrap can only be performed on a control plane node" in await world.talos("worker-1", "bootstrap", check=False)
    await world.ready("cp-1", "worker-1")


@pytest.fixture(scope="session")
def found():
    binaries = programs()
    if binaries is None:
        pytest.fail("the toolchain's binaries are not built: python -m rebirth.lab.toolchain")
    return binaries


def test_one_and_one(found):
    run_scenario(one_and_one, found)
