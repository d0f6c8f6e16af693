"""A stood-in cluster, as the product's client sees it, and the healthy one that tests break."""

import pytest

from cli.desk import desk
from cluster.conftest import inside, paths
from living.healthy import Healthy
from standins.conftest import pytest_asyncio_loop_factories

__all__ = ["desk", "inside", "paths", "pytest_asyncio_loop_factories"]


@pytest.fixture
def healthy(inside):
    return Healthy(inside)
