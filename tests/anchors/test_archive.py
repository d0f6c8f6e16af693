"""Generations: what is damaged, half written, or another castle's is never taken for one of ours."""

import stat

import pytest

from anchored import all_bytes, archive_in, new_key
from rebirth.errors import Broken, NotYet
from rebirth.providers.anchors.archive import Archive
from rebirth.providers.anchors.sealing import Key
from rebirth.providers.anchors.shelves import Folder
from rebirth.secrets import Secret

CANARY = b"canary-1d5f0a8e: what no archive shows"
PART = ("credentials", "talos-secrets.yaml")


@pytest.fixture
def key():
    return new_key()


@pytest.fixture
def archive(tmp_path, key):
    return archive_in(tmp_path, key)


async def written(archive, content=CANARY):
    return await archive.write([await archive.keep(*PART, content)])


async def names(archive):
    return [one.name for one in await archive.listed()]


async def test_what_is_kept_comes_back_and_is_nowhere_in_clear(tmp_path, archive):
    made = await written(archive)
    assert await archive.contents("latest") == (made.name, {PART: CANARY})
    assert await archive.contents(made.name) == (made.name, {PART: CANARY})
    assert CANARY[:16] not in all_bytes(tmp_path)
    files = [file for file in tmp_path.rglob("*") if file.is_file()]
    assert {stat.S_IMODE(file.stat().st_mode) for file in files} == {0o600}


async def test_the_latest_is_the_last_that_was_written(archive):
    first, second = await written(archive, b"first"), await written(archive, b"second")
    assert await names(archive) == [first.name, second.name]
    assert (await archive.contents("latest"))[1] == {PART: b"second"}
    assert (await archive.contents(first.name))[1] == {PART: b"first"}


async def test_a_half_written_generation_is_none(tmp_path, archive):
    made = await written(archive)
    await archive.keep(*PART, b"kept, and then killed")
    half = tmp_path / "generations" / ".20990101T000000Z-x.json.half"
    half.write_text("{")
    assert await names(archive) == [made.name]
    assert (await archive.contents("latest"))[1] == {PART: CANARY}


async def test_two_in_the_same_second(tmp_path, key):
    archive = Archive(castle="castle", key=Key(Secret(key)), shelf=Folder(tmp_path), now=lambda: 1.0)
    await written(archive)
    with pytest.raises(NotYet, match="already"):
        await written(archive)


async def test_one_byte_of_anything_that_is_read(tmp_path, archive):
    await written(archive)
    files = [file for file in tmp_path.rglob("*") if file.is_file()]
    assert len(files) == 2
    for file in files:
        before = file.read_bytes()
        for at in range(len(before)):
            file.write_bytes(before[:at] + bytes([before[at] ^ 1]) + before[at + 1 :])
            with pytest.raises(Broken, match=r"damaged|of a format") as caught:
                await archive.contents("latest")
            assert caught.value.hint
        file.write_bytes(before[:-1])
        with pytest.raises(Broken, match="damaged"):
            await archive.contents("latest")
        file.write_bytes(before)
    await archive.contents("latest")


async def test_a_part_that_is_missing(tmp_path, archive):
    made = await written(archive)
    (tmp_path / "blobs" / made.parts[0].digest).unlink()
    with pytest.raises(Broken, match=r"credentials talos-secrets\.yaml is missing"):
        await archive.contents("latest")


async def test_an_archive_without_any(archive):
    with pytest.raises(Broken, match="there is no generation of castle-") as caught:
        await archive.contents("latest")
    assert "leave out anchors.restore" in caught.value.hint
    with pytest.raises(Broken, match="there is no generation 20260101T000000Z-castle"):
        await archive.contents("20260101T000000Z-castle")


@pytest.mark.parametrize("other", ["a name", "a key"])
async def test_another_castles(tmp_path, key, other):
    theirs = archive_in(tmp_path, key, "another") if other == "a name" else archive_in(tmp_path, new_key())
    made, archive = await written(theirs), archive_in(tmp_path, key)
    with pytest.raises(Broken, match=f"only of others \\({theirs.castle}\\)"):
        await archive.contents("latest")
    with pytest.raises(Broken, match=f"is of another castle; this one is {archive.castle}"):
        await archive.contents(made.name)
    assert await names(archive) == []
    assert await archive.others() == [made.name]


async def test_one_that_was_renamed_to_ours(tmp_path, key):
    """Who has the archive cannot pass one castle's data off as another's."""
    theirs, archive = archive_in(tmp_path, new_key()), archive_in(tmp_path, key)
    made = await written(theirs)
    name = f"{made.at}-{archive.castle}"
    file = tmp_path / "generations" / f"{made.name}.json"
    file.rename(file.with_name(f"{name}.json"))
    with pytest.raises(Broken, match=f"{name} is damaged"):
        await archive.contents("latest")


async def test_one_that_who_has_the_archive_has_made(tmp_path, key, archive):
    """The recipient is no secret: what lacks the seal is none of ours, well encrypted as it may be."""
    made = await written(archive)
    forged = await archive.keep(*PART, b"forged")
    file = tmp_path / "generations" / f"{made.name}.json"
    file.write_text(
        file.read_text().replace(made.parts[0].digest, forged.digest).replace(str(made.parts[0].size), str(forged.size))
    )
    with pytest.raises(Broken, match="not what this castle has sealed"):
        await archive.contents("latest")


async def test_a_damaged_list_is_said_and_hides_no_other(tmp_path, archive):
    first, second = await written(archive), await written(archive)
    (tmp_path / "generations" / f"{second.name}.json").write_text("{}")
    found = await archive.listed()
    assert [(one.name, one.generation is None) for one in found] == [(first.name, False), (second.name, True)]
    assert found[1].why.startswith("damaged")


@pytest.mark.parametrize("text", ["", "age1qqqq", "AGE-SECRET-KEY-1QQQQ", "AGE-SECRET-KEY-PQ-1ABC"])
def test_what_is_no_key(text):
    with pytest.raises(Broken, match=r"anchors\.age_key is not an X25519 identity"):
        Key(Secret(text))


async def test_a_folder_that_cannot_be_written(tmp_path, key):
    (tmp_path / "file").write_text("")
    archive = archive_in(tmp_path / "file", key)
    with pytest.raises(Broken, match="file") as caught:
        await written(archive)
    assert caught.value.hint
