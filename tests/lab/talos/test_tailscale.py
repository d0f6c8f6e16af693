"""The tailscale extension on a machine."""

import asyncio
import os

from rebirth.lab.tailscale import extension
from rebirth.lab.talos import tailscale
from rebirth.lab.talos.hardware import Hardware
from rebirth.lab.talos.parts import Parts


async def test_its_configuration_comes_over_what_the_extension_says(tmp_path, monkeypatch):
    """The program itself notes what it was started with."""
    monkeypatch.setitem(extension.ENVIRONMENT, "TS_SOCKET", str(tmp_path / "run" / "tailscaled.sock"))
    program, noted = tmp_path / "bin" / "containerboot", tmp_path / "noted"
    program.parent.mkdir()
    program.write_text(f"#!/bin/sh\nenv > {noted}.new\nmv {noted}.new {noted}\nsleep 60\n")
    program.chmod(0o755)
    machine = Hardware(
        lab="demo", name="cp-1", disk=tmp_path, address="10.0.0.2/24", gateway="10.0.0.1", nameservers=("10.0.0.1",),
        mac="bc:24:11:00:00:01", ca=tmp_path / "ca.crt", programs={"containerboot": str(program)},
        cgroup="/rebirth-demo/cp-1", talos_version="v1.12.0",
    )  # fmt: skip
    parts = Parts(tmp_path / "log")
    tailscale.start({"TS_AUTHKEY": "k", "TS_STATE_DIR": "/elsewhere"}, machine, parts, os.environ["PATH"])
    async with asyncio.timeout(10):
        while not noted.exists():
            await asyncio.sleep(0.02)
    await parts.stop()
    found = dict(line.partition("=")[::2] for line in noted.read_text().splitlines())
    assert (found["TS_AUTHKEY"], found["TS_STATE_DIR"], found["TS_USERSPACE"]) == ("k", "/elsewhere", "false")
    assert found["PATH"].startswith(f"{program.parent}:"), "it runs tailscaled and tailscale by their names"
    assert (tmp_path / "run").is_dir()
