"""What tests of the lab's world share."""

import asyncio
import os
from pathlib import Path

import pytest

from proof.virtual_time import Hurried

_GO = """#!/bin/sh
case "$1" in
env) printf 'go1.26.1\\namd64\\n' ;;
list) echo "$@" >> "${GO_FETCHED:-/dev/null}" ;;
build)
    while [ "$1" != -o ]; do shift; done
    into=$2; shift 2
    case "$into" in */) for package; do : > "$into${package##*/}"; done ;; *) : > "$into" ;; esac ;;
*) exit 1 ;;
esac
"""


def pytest_asyncio_loop_factories(config, item):
    return {"real": asyncio.new_event_loop} if item.get_closest_marker("lab") else {"hurried": Hurried}


@pytest.fixture
def paper_go(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """A Go that says its version and builds empty files, named as Go names them: what is tested hangs on no Go of this machine."""
    programs = tmp_path / "paper-go"
    programs.mkdir()
    (programs / "go").write_text(_GO)
    (programs / "go").chmod(0o755)
    monkeypatch.setenv("PATH", f"{programs}:{os.environ['PATH']}")
