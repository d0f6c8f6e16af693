"""The cache of builds."""

import asyncio

import pytest

from flux_trees import config_map, node, resources
from rebirth.commands import Commands
from rebirth.proof.reading.kustomize import BuildFailed, Kustomize
from rebirth.secrets import Redaction


class Counting(Commands):
    """Runs programs, and counts how often."""

    def __init__(self):
        super().__init__(Redaction())
        self.count = 0

    async def run(self, argv, **options):
        self.count += 1
        return await super().run(argv, **options)


@pytest.fixture
def build(tree, tmp_path):
    root = tree({"a/kustomization.yaml": resources("a.yaml", more="namePrefix: p-\n"), "a/a.yaml": config_map("a")})
    commands = Counting()

    def run(**written):
        kustomize = Kustomize(commands=commands, cache=tmp_path / "cache")
        files = [root / "a/kustomization.yaml", root / "a/a.yaml"]
        more = {root / "a/kustomization.yaml": written} if written else {}
        return asyncio.run(kustomize.build(folder=root / "a", root=root, reads=files, written=more))

    run.root, run.commands, run.cache = root, commands, tmp_path / "cache"
    return run


def test_what_has_not_changed_is_not_built_again(build):
    assert build() == build()
    assert "name: p-a" in build()
    assert build.commands.count == 1


def test_what_has_changed_is(build):
    build()
    (build.root / "a/a.yaml").write_text(config_map("b"))
    assert "name: p-b" in build()
    assert "name: x-b" in build(resources=["a.yaml"], namePrefix="x-")
    assert build.commands.count == 3


@pytest.mark.parametrize("content", [b"", b"\xff\xfe", b"0" * 64 + b"\nkind: Evil\n", b"half"])
def test_a_corrupted_build_is_made_again(build, content):
    good = build()
    (kept,) = build.cache.iterdir()
    kept.write_bytes(content)
    assert build() == good
    assert build.commands.count == 2
    assert build() == good
    assert build.commands.count == 2


def test_builds_are_nobody_else_s(build):
    build()
    (kept,) = build.cache.iterdir()
    assert kept.stat().st_mode & 0o077 == 0
    assert build.cache.stat().st_mode & 0o077 == 0


def test_without_a_place_for_the_cache(build):
    build.cache.write_text("a file")
    assert build() == build()
    assert build.commands.count == 2


def test_what_kustomize_refuses(build):
    with pytest.raises(BuildFailed) as caught:
        build(resources=["a.yaml", "none.yaml"])
    assert "none.yaml" in caught.value.said
    assert "rebirth-kustomize" not in caught.value.said


def test_the_survey_builds_nothing_twice(tree, tmp_path):
    from rebirth.proof.reading.survey import survey

    root = tree({
        "clusters/x/a.yaml": node("a", "./a", "namePrefix: p-"), "clusters/x/b.yaml": node("b", "./a", "namePrefix: q-"),
        "a/a.yaml": config_map("a", "x"),
    })  # fmt: skip
    commands = Counting()
    for _ in range(2):
        asyncio.run(survey(root, ["clusters/x"], Kustomize(commands=commands, cache=tmp_path / "cache")))
    assert commands.count == 2
