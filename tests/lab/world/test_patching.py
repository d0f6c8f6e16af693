"""A component with a patch is built from a copy of the module's source that has it; the module itself stays."""

import os

import pytest

from rebirth.errors import Broken
from rebirth.lab.building import patching

# A Go whose module cache is one folder, read-only as the real one's.
_GO = """#!/bin/sh
case "$1 $2" in
"list -mod=readonly") echo "$PAPER_MODULE" ;;
"mod edit") echo "$3" >>go.mod ;;
esac
"""
_PATCH = """--- a/mode.go
+++ b/mode.go
@@ -1,2 +1,2 @@
 package runtime
-const all = 1
+const all = 3
"""


@pytest.fixture
def component(tmp_path, monkeypatch):
    (tmp_path / "bin").mkdir()
    (tmp_path / "bin/go").write_text(_GO)
    (tmp_path / "bin/go").chmod(0o755)
    module = tmp_path / "module"
    module.mkdir()
    (module / "mode.go").write_text("package runtime\nconst all = 1\n")
    (module / "mode.go").chmod(0o444)
    monkeypatch.setenv("PAPER_MODULE", str(module))
    monkeypatch.setenv("PATH", f"{tmp_path / 'bin'}:{os.environ['PATH']}")
    folder = tmp_path / "component"
    folder.mkdir()
    for name, text in {"go.mod": "module x\n", "go.sum": "", "mode.patch": _PATCH}.items():
        (folder / name).write_text(text)
    return folder


async def test_a_copy_is_patched_and_the_build_is_pointed_to_it(component, tmp_path):
    async with patching.sources(component, {"example.org/talos": "mode.patch"}) as folder:
        assert (folder / "go.mod").read_text() == "module x\n-replace=example.org/talos=./0\n"
        assert (folder / "0/mode.go").read_text() == "package runtime\nconst all = 3\n"
    assert not folder.exists()
    assert (tmp_path / "module/mode.go").read_text().endswith("all = 1\n")
    assert (component / "go.mod").read_text() == "module x\n"


async def test_a_patch_that_does_not_fit_is_an_error(component):
    (component / "mode.patch").write_text(_PATCH.replace("const all = 1", "const all = 2"))
    with pytest.raises(Broken, match=r"mode\.go"):
        async with patching.sources(component, {"example.org/talos": "mode.patch"}):
            raise AssertionError("built without its patch")


async def test_without_a_patch_the_component_is_built_where_it_is(component):
    async with patching.sources(component, {}) as folder:
        assert folder == component
