"""Phases inside the cluster, against stand-ins in this process, on virtual time: minutes of patience take milliseconds."""

from itertools import count

import pytest

from phases.cluster.world import World
from proof.virtual_time import Hurried, VirtualTime


def pytest_asyncio_loop_factories(config, item):
    return {"hurried": Hurried} if "serve" in item.fixturenames else {"virtual": VirtualTime}


@pytest.fixture
def new_world(tmp_path):
    """`new_world(phase, fact, ...)`: a cluster of its own for a phase's run, with the facts that it takes."""
    numbers = count()

    def new(phase, *facts, **options):
        return World(phase, tmp_path / str(next(numbers)), facts, **options)

    return new
