"""What the matrix looks for in each cell is found where it is: else it would prove nothing."""

import pytest

from faults.cell import Cell, complaints, forms
from faults.page import play
from faults.scenes import configuring, reading
from standins.programs import Call


def spoiled(folder, scene, spoil):
    cell = Cell("Git" if scene is reading else "Talos", "nothing", scene, lambda stage: None)
    seen = play(cell, folder)
    assert complaints(cell, seen) == []
    spoil(seen.stage, seen.stage.secrets.values["github-token"].reveal())
    return complaints(cell, seen)


@pytest.mark.parametrize("number", range(len(list(forms("a/b")))))
def test_a_secret_in_a_log(tmp_path, number):
    def spoil(stage, value):
        file = stage.paths.logs / "x.log"
        file.write_text(f"before {list(forms(value))[number % len(list(forms(value)))]} after")

    assert spoiled(tmp_path, reading, spoil) == ["a file or message shows github-token"]


def test_a_secret_in_an_argument_and_in_an_environment(tmp_path):
    def spoil(stage, value):
        stage.programs.calls.append(Call(("helm", f"--set=token={value}"), b"", {"TOKEN": value}))

    assert spoiled(tmp_path, reading, spoil) == ["an argument shows github-token", "an environment shows github-token"]


def test_credentials_that_others_may_read(tmp_path):
    assert spoiled(tmp_path, configuring, lambda stage, _: stage.paths.talosconfig.chmod(0o640)) == [
        "others may read talosconfig"
    ]
