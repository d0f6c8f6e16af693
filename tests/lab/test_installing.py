"""Machines that are not where they should be, and disks that take their time: in the lab, by the command."""

import pytest
import yaml

from rebirth.castle import load
from rehearsal import rehearsed

pytestmark = pytest.mark.lab

_SLOW = 60  # seconds that a disk takes to be written


def with_hardware(castle, **machines):
    """A fresh lab whose machines' hardware does as lab.yaml says."""
    file = castle.folder / "lab.yaml"
    data = yaml.safe_load(file.read_text()) | {"machines": machines}
    file.write_text(yaml.safe_dump(data))
    castle.rebirth("lab", "down", castle.lab.name)
    castle.rebirth("lab", "up", str(castle.folder), "--lab-name", castle.lab.name)


def configurations(castle):
    return [str(path) for path in castle.lab.folder.glob("machines/*/state/config.yaml")]


def test_the_machines_are_asked_who_they_are_and_may_take_their_time(tmp_path):
    with rehearsed(tmp_path, "hardware") as castle:
        text = (castle.folder / "castle.yaml").read_text()
        (castle.folder / "castle.yaml").write_text(
            text.replace("machines:\n", "machines:\n  addressing: reserved-dhcp\n")
        )
        plane, worker = load(castle.folder).machines.nodes

        with_hardware(castle, dhcp={plane.name: str(worker.address), worker.name: str(plane.address)})
        ended, said, complained = castle.run(*castle.in_lab("create", "--budget", "300"))
        assert ended == 1, said + complained
        assert f"{plane.address} is answered by {worker.name} (" in complained
        assert f"{worker.address} is answered by {plane.name} (" in complained
        assert "Nothing was sent" in complained
        assert not configurations(castle)

        with_hardware(castle, disks_never_written=[worker.name])
        ended, said, complained = castle.run(*castle.in_lab("create", "--budget", "60"))
        assert ended == 1, said + complained
        assert worker.name in complained, complained
        assert "does not answer to this castle's credentials" in complained, complained
        assert len(configurations(castle)) == 2, "both have got theirs"

        with_hardware(castle, install_seconds=_SLOW)
        said = castle.inside("create", "--budget", "900")
        assert "online after" in said
        times = {e["event"]: e["at"] for e in castle.last_events() if e.get("phase") == "configure_machines"}
        assert times["PhaseDone"] - times["PhaseStarted"] > _SLOW
