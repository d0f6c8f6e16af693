"""Modules that are built out of a changed copy."""

import asyncio
from pathlib import Path

import pytest

from rebirth.errors import Broken
from rebirth.lab.building.copied import Changes, copied

_GO = """#!/bin/sh
case "$1 $2" in
"list -mod=readonly") [ ! -e "$MODULES/$6.fetched" ] || echo "$MODULES/$6" ;; # as Go: nothing, where it is not there yet
"mod download") : > "$MODULES/$3.fetched" ;;
"mod edit") echo "replace ${3#-replace=}" >> "$4" ;;
*) exit 1 ;;
esac
"""
_PATCH = """why
--- a/default.go
+++ b/default.go
@@ -1 +1 @@
-package a // three
+package a // two
"""


@pytest.fixture
def component(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A component's folder; a Go that knows one module, whose files may not be written."""
    folder = tmp_path / "component"
    for name, text in {
        "component/go.mod": "module component\n",
        "component/go.sum": "",
        "component/changed.patch": _PATCH,
        "modules/example.com/a/default.go": "package a // three\n",
        "modules/example.com/a/sub/file.go": "package sub\n",
        "bin/go": _GO,
    }.items():
        (tmp_path / name).parent.mkdir(parents=True, exist_ok=True)
        (tmp_path / name).write_text(text)
        (tmp_path / name).chmod(0o755 if name.startswith("bin") else 0o444)
    monkeypatch.setenv("MODULES", str(tmp_path / "modules"))
    monkeypatch.setenv("PATH", f"{tmp_path / 'bin'}:/usr/bin:/bin")
    return folder


async def test_what_is_not_changed_needs_no_copy(component, tmp_path):
    assert await copied(component, "example.com/a", Changes({}, {}), tmp_path / "nowhere") == ()


async def test_a_patched_copy_takes_the_modules_place(component, tmp_path):
    (tmp_path / "made").mkdir()
    (flag,) = await copied(
        component, "example.com/a", Changes({"example.com/a": "changed.patch"}, {}), tmp_path / "made"
    )
    changed = Path(flag.removeprefix("-modfile="))
    name, _, copy = changed.read_text().splitlines()[1].removeprefix("replace ").partition("=")
    assert name == "example.com/a"
    assert (Path(copy) / "default.go").read_text() == "package a // two\n"
    assert (Path(copy) / "sub/file.go").read_text() == "package sub\n"
    assert changed.with_name("go.sum").exists(), "Go wants it beside the go.mod that it is told to take"
    assert (tmp_path / "modules/example.com/a/default.go").read_text() == "package a // three\n"
    assert (component / "go.mod").read_text() == "module component\n"


async def test_a_release_adds_files(component, tmp_path):
    (tmp_path / "made").mkdir()

    async def add(copy: Path) -> None:
        (copy / "sub/more.yaml").write_text("kind: Namespace\n")
        await asyncio.sleep(0)

    await copied(component, "example.com/a", Changes({}, {}, add), tmp_path / "made")
    assert [file.read_text() for file in (tmp_path / "made").rglob("more.yaml")] == ["kind: Namespace\n"]


async def test_files_of_the_component_are_added_to_its_module(component, tmp_path):
    (tmp_path / "made").mkdir()
    (component / "program").mkdir()
    (component / "program/main.go").write_text("package main\n")
    await copied(component, "example.com/a", Changes({}, {"sub": "program"}), tmp_path / "made")
    (main,) = (tmp_path / "made").rglob("main.go")
    assert (main.with_name("file.go")).read_text() == "package sub\n"
    assert not (tmp_path / "modules/example.com/a/sub/main.go").exists()


async def test_a_patch_that_does_not_apply_is_an_error(component, tmp_path):
    (tmp_path / "made").mkdir()
    (component / "changed.patch").chmod(0o644)
    (component / "changed.patch").write_text(_PATCH.replace("three", "four"))
    with pytest.raises(Broken, match="patch does not apply"):
        await copied(component, "example.com/a", Changes({"example.com/a": "changed.patch"}, {}), tmp_path / "made")
