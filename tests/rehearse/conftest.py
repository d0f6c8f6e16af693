"""What tests of a rehearsal share: a tree, a store, and what is outside for them."""

from pathlib import Path

import pytest

from rebirth.lab.ca import Authority
from rebirth.proof.prove import prove
from rebirth.rehearse.outside.outside import Outside
from rebirth.store.store import Store
from releases import root


@pytest.fixture
def tree(tmp_path) -> Path:
    return root(tmp_path / "tree")


@pytest.fixture
def store(tmp_path) -> Store:
    return Store(tmp_path / "store")


@pytest.fixture
async def outside(short_path, tree, store):
    """Starts it for the tree as it is then, or as whoever names another folder means it."""
    started = []

    async def start(named=tree, **options):
        world = (await prove(named)).worlds[0]
        made = Outside(short_path / "outside", Authority("test"), world, store, **options)
        started.append(made)
        await made.start()
        return made

    yield start
    for one in started:
        await one.stop()
