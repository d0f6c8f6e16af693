"""Tests of stand-ins run on virtual time, but for those that a real server is started for."""

import asyncio
import json
from pathlib import Path

import pytest

from proof.virtual_time import VirtualTime
from rebirth.paths import Paths


def pytest_asyncio_loop_factories(config, item):
    return {"real": asyncio.new_event_loop} if "serve" in item.fixturenames else {"virtual": VirtualTime}


def write_kubeconfig(file: Path, server: str, ca: str = "") -> None:
    """The admin's, for that server; without a CA any certificate does."""
    trust = {"certificate-authority": ca} if ca else {"insecure-skip-tls-verify": True}
    named = {"cluster": "stand-in", "user": "admin"}
    config = {
        "apiVersion": "v1",
        "kind": "Config",
        "clusters": [{"name": "stand-in", "cluster": {"server": server, **trust}}],
        "users": [{"name": "admin", "user": {"token": "of-the-stand-in"}}],
        "contexts": [{"name": "stand-in", "context": named}],
        "current-context": "stand-in",
    }
    file.parent.mkdir(parents=True, exist_ok=True)
    file.write_text(json.dumps(config))


@pytest.fixture
def paths(tmp_path):
    return Paths(tmp_path, tmp_path, tmp_path / "produced", tmp_path / "state", tmp_path / "logs")
