"""What is kept of earlier proofs changes nothing but the time that the next one takes."""

import asyncio
import os
import random
import shutil
from pathlib import Path

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from flux_trees import config_map, node, resources
from proof.mutations import mutations
from rebirth.findings.data import render
from rebirth.findings.places import Places
from rebirth.findings.verdict import weigh
from rebirth.proof.prove import prove
from rebirth.proof.reading.kept import Kept, opened, put_away
from rebirth.proof.reading.repository_files import IGNORE, Files
from rebirth.proof.reading.yaml_files import UnreadableError

EXAMPLE = Path(__file__).parents[2] / "examples" / "castle"
ALL = list(mutations(EXAMPLE))


def told(root, kept=None):
    """All that a proof says, as text."""
    places = Places(asked=root)
    return render(
        weigh(asyncio.run(prove(root, clusters=["clusters/tazlab-k8s"], kept=kept or Kept())), places), places
    )


@given(st.lists(st.sampled_from([one for one in ALL if one.file.startswith("gitops/")]), min_size=1, max_size=3))
@settings(max_examples=5, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
def test_a_changed_tree_is_told_as_if_nothing_were_kept(tmp_path, changes):
    castle = tmp_path / "castle"
    shutil.rmtree(castle, ignore_errors=True)
    shutil.copytree(EXAMPLE, castle, ignore=shutil.ignore_patterns("logs", ".rebirth"))
    kept = Kept(tick=0)  # files as young as these are known again, too
    told(castle / "gitops", kept)
    for change in changes:
        if (castle / change.file).exists():
            try:
                change.apply(castle)
            except (KeyError, IndexError, TypeError):
                continue  # an earlier one has taken away what it changes
        assert told(castle / "gitops", kept) == told(castle / "gitops")


@pytest.fixture
def root(tmp_path):
    folder = tmp_path / "tree"
    for number in range(300):
        file = folder / "apps" / f"{number}.yaml"
        file.parent.mkdir(parents=True, exist_ok=True)
        file.write_text(config_map(f"a{number}") + "data: {text: '" + "x" * 1000 + "'}\n")
        os.utime(file, (1, 1))
    return folder


@pytest.fixture
def cache(tmp_path, monkeypatch):
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path / "cache"))
    return tmp_path / "cache" / "rebirth" / "read"


def read(root, kept):
    files = Files(root, kept)
    return [files.documents(file) for file in files.yaml_files()]


def test_what_has_not_changed_is_not_read_again_by_the_next_process(root, cache):
    first = Kept(tick=0)
    documents = read(root, first)
    assert first.made
    put_away(first, root)
    again = opened(root)
    assert read(root, again) == documents
    assert not again.made


def test_a_change_of_the_same_length_is_seen(root, cache):
    kept = Kept(tick=0)
    read(root, kept)
    file = root / "apps" / "7.yaml"
    file.write_text(file.read_text().replace("a7", "b7"))
    os.utime(file, (1, 1))  # its time of change still tells
    assert Files(root, kept).documents(file)[0].data["metadata"]["name"] == "b7"


def test_what_has_just_been_written_is_read_again(root):
    kept = Kept()
    read(root, kept)
    assert not kept.files


def test_what_no_file_holds_any_more_is_let_go(root):
    kept = Kept()
    documents = read(root, kept)
    kept.forget_unused()
    (root / "apps" / "7.yaml").write_text(config_map("new"))
    assert read(root, kept) != documents
    before = len(kept.values)
    kept.forget_unused()
    assert len(kept.values) == before - 1
    made = kept.made
    read(root, kept)
    assert kept.made == made


def test_a_file_that_lies_elsewhere_is_known_by_its_content(root, cache, tmp_path):
    kept = Kept()
    documents = read(root, kept)
    made = kept.made
    shutil.copytree(root, tmp_path / "copy")
    assert read(tmp_path / "copy", kept) == documents
    assert kept.made == made


def test_an_error_is_the_same_when_it_is_kept(root, cache):
    bad = root / "apps" / "bad.yaml"
    bad.write_text("a: [\nb: {\n")
    said = []
    kept = Kept(tick=0)
    for _ in range(2):
        with pytest.raises(UnreadableError) as caught:
            Files(root, kept).documents(bad)
        said.append((caught.value.words, caught.value.line, caught.value.ours))
    put_away(kept, root)
    with pytest.raises(UnreadableError) as caught:
        Files(root, opened(root)).documents(bad)
    assert said == [(caught.value.words, caught.value.line, caught.value.ours)] * 2


@pytest.fixture
def pack(root, cache):
    """A pack that is good, and its file."""
    kept = Kept(tick=0)
    read(root, kept)
    put_away(kept, root)
    (file,) = cache.iterdir()
    assert opened(root).packed
    return file


@pytest.mark.parametrize("content", [b"", b"short", b"\0" * 400])
def test_a_broken_pack_is_none(root, pack, content):
    pack.write_bytes(content)
    assert not opened(root).packed


@pytest.mark.parametrize("at", [0, 40, -1])
def test_a_pack_with_a_byte_changed_is_none(root, pack, at):
    content = bytearray(pack.read_bytes())
    content[at] ^= 1
    pack.write_bytes(content)
    assert not opened(root).packed


def test_a_pack_that_others_may_write_to_is_none(root, pack):
    pack.chmod(0o666)
    assert not opened(root).packed


def test_a_pack_in_a_folder_that_others_may_write_to_is_none(root, pack):
    pack.parent.chmod(0o777)
    assert not opened(root).packed


def test_a_pack_behind_a_link_is_none(root, pack, tmp_path):
    pack.rename(tmp_path / "elsewhere")
    pack.symlink_to(tmp_path / "elsewhere")
    assert not opened(root).packed


def test_packs_are_nobody_else_s(pack):
    assert pack.stat().st_mode & 0o077 == 0
    assert pack.parent.stat().st_mode & 0o077 == 0


def test_packs_used_longest_ago_go(root, pack):
    for number in range(40):
        old = pack.with_name(f"{number:064}")
        old.write_bytes(b"old")
        os.utime(old, (number, number))
    kept = Kept(tick=0)
    read(root, kept)
    put_away(kept, root)
    left = {file.name for file in pack.parent.iterdir()}
    assert len(left) == 24
    assert pack.name in left
    assert f"{39:064}" in left


def test_a_pack_is_written_again_when_enough_is_new(root, pack):
    before = pack.read_bytes()
    kept = opened(root)
    (root / "apps" / "7.yaml").write_text(config_map("new"))
    read(root, kept)
    put_away(kept, root)
    assert pack.read_bytes() == before
    rng = random.Random(1)
    for number in range(200):
        (root / "apps" / f"{number}.yaml").write_text(
            config_map(f"n{rng.random()}") + "data: {text: '" + "y" * 1000 + "'}\n"
        )
    kept = opened(root)
    read(root, kept)
    put_away(kept, root)
    assert pack.read_bytes() != before


def test_a_folder_that_kustomize_has_built_is_not_built_again(tmp_path, cache):
    root = tmp_path / "tree"
    for name, text in {
        "clusters/x/a.yaml": node("a", "./a"),
        "a/kustomization.yaml": resources("a.yaml", more="namePrefix: p-\n"),
        "a/a.yaml": config_map("a", "x"),
    }.items():
        (root / name).parent.mkdir(parents=True, exist_ok=True)
        (root / name).write_text(text)
    kept = Kept()

    def names():
        proof = asyncio.run(prove(root, clusters=["clusters/x"], kept=kept))
        return [member.name for member, _ in proof.model.objects("ConfigMap")]

    assert names() == ["p-a"]
    made = kept.made
    assert names() == ["p-a"]
    assert kept.made == made
    (root / "a/a.yaml").write_text(config_map("b", "x"))
    assert names() == ["p-b"]


def test_a_comment_that_says_what_not_to_report_is_seen_whether_kept_or_new(root):
    file, kept = root / "apps" / "1.yaml", Kept(tick=0)
    assert str(file) in Files(root, kept).silent(IGNORE)
    file.write_text("# rebirth: ignore R1 a reason\n" + file.read_text())
    for _ in range(2):
        assert str(file) not in Files(root, kept).silent(IGNORE)
    assert len(Files(root, kept).silent(IGNORE)) == 299


def test_a_path_is_resolved_without_asking_where_no_link_is_on_the_way(root):
    (root / "linked").symlink_to("apps")
    files = Files(root)
    for path in (root / "apps", root / "linked", root / "linked" / "1.yaml", root / "none" / "there", root.parent):
        assert files.resolved(path) == path.resolve()
