"""rebirth fetch and rebirth cache, as they are typed."""

import asyncio
import json
import os
import signal
import sys

import pytest

from cli.desk import desk
from fetch.hosts import Files, RegistryHost, digest_of
from fetch.test_imports import layout
from fetch.test_wanted import SYNC, release, repository
from rebirth.store.store import Store
from store.archives import chart
from trees import write

__all__ = ["desk"]
LAYER = bytes(range(256)) * 4000
POD = "apiVersion: v1\nkind: Pod\nmetadata: {name: %s, namespace: default}\nspec: {containers: [{name: a, image: '%s'}]}\n"


@pytest.fixture
async def world(desk, serve, keys, tmp_path):
    """A tree with a chart and an image, and the hosts that have them."""
    files, registry = Files(), RegistryHost()
    files.index(chart(tmp_path / "packed", "web", "1.2.3"))
    registry.push("owner/app", "v1", LAYER)
    desk.files, desk.registry = files, registry
    desk.url, desk.host = (await serve(files)).url, f"localhost:{(await serve(registry)).port}"
    desk.environment |= {"SSL_CERT_FILE": str(keys.folder / "ca.crt"), "REBIRTH_FETCHED": str(tmp_path / "fetched")}
    desk.store = Store(tmp_path / "fetched")
    write(desk.folder, "tree/clusters/x/sync.yaml", SYNC)
    write(desk.folder, "tree/clusters/x/repository.yaml", repository("r", desk.url))
    write(desk.folder, "tree/clusters/x/release.yaml", release("a", "r"))
    write(desk.folder, "tree/clusters/x/pod.yaml", POD % ("p", f"{desk.host}/owner/app:v1"))

    async def run(*arguments):
        return await asyncio.to_thread(desk.process, *arguments)

    desk.ask = run
    return desk


async def test_from_nothing_and_again(world):
    code, said, complaints = await world.ask("fetch", "--gitops", "tree")
    assert (code, complaints) == (0, "")
    first, second, third, fourth = said.splitlines()
    assert first.startswith(f"fetched   chart web 1.2.3 of {world.url} (")
    assert second.startswith("fetched 1 chart (")
    assert third == "not fetched: 1 image (`--images small` or `all` fetches them)"
    assert fourth.startswith("of 1 release the images are not known")
    code, said, _ = await world.ask("fetch", "--gitops", "tree")
    assert (code, said.splitlines()[0]) == (0, "1 chart was there already")


async def test_images(world):
    code, said, _ = await world.ask("fetch", "--gitops", "tree", "--images", "all")
    assert code == 0
    assert f"fetched   image {world.host}/owner/app:v1 (1000.0 KiB)" in said
    assert world.store.has_image(f"{world.host}/owner/app:v1")


async def test_images_that_are_not_small(world):
    world.registry.push("owner/app", "v1", LAYER, LAYER[1:])
    code, said, _ = await world.ask("fetch", "--gitops", "tree", "--images", "small", "--largest", "1")
    assert code == 0
    assert "left out: 1 image of 2.0 MiB (`--images all` fetches them)" in said


async def test_what_cannot_be_had_stops_nothing_else(world):
    write(world.folder, "tree/clusters/x/b.yaml", release("b", "r", version="9.9.9"))
    code, said, _ = await world.ask("fetch", "--gitops", "tree")
    assert code == 1
    lines = said.splitlines()
    at = lines.index("could not be had:")
    assert lines[at + 1 : at + 4] == [
        f"  chart web 9.9.9 of {world.url}",
        "    wanted by tree/clusters/x/b.yaml:6",
        f"    {world.url}: read index.yaml: there is no version 9.9.9 of web; the newest is 1.2.3",
    ]
    assert world.store.chart(world.url, "web", "1.2.3")


async def test_json(world):
    write(world.folder, "tree/clusters/x/b.yaml", release("b", "r", version="9.9.9"))
    code, said, _ = await world.ask("fetch", "--gitops", "tree", "--json")
    answer = json.loads(said)
    assert (code, answer["version"], answer["ok"]) == (1, 1, False)
    first, second = sorted(answer["things"], key=lambda thing: thing["name"])
    assert (first["kind"], first["state"], first["error"]) == ("chart", "fetched", None)
    assert second["name"] == f"web 9.9.9 of {world.url}"
    assert second["where"] == "tree/clusters/x/b.yaml:6"
    assert "there is no version 9.9.9" in second["error"]
    assert answer["images_left_out"] == [f"{world.host}/owner/app:v1"]


async def test_quiet(world):
    assert await world.ask("fetch", "--gitops", "tree", "--quiet") == (0, "", "")


async def test_a_tree_that_uses_nothing(desk):
    write(desk.folder, "tree/clusters/x/sync.yaml", SYNC)
    code, said, _ = desk.process("fetch", "--gitops", "tree")
    assert (code, said) == (0, "nothing to fetch: the tree uses nothing from elsewhere\n")


def test_where_there_is_neither_castle_nor_repository(desk):
    code, _, complaints = desk.process("fetch")
    assert code == 2
    assert "castle.yaml: no such file" in complaints


# -- ended in the middle


@pytest.mark.parametrize(("number", "code"), [(signal.SIGINT, 130), (signal.SIGTERM, 143), (signal.SIGKILL, -9)])
async def test_interrupted_and_resumed(world, number, code):
    """Of a layer whose end does not come, what has come is kept; the next run asks for the rest alone."""
    at = f"/v2/owner/app/blobs/{digest_of(LAYER)}"
    world.registry.breaks[at], world.registry.stalls = 500_000, True
    argv = [sys.executable, "-m", "rebirth", "fetch", "--gitops", "tree", "--images", "all"]
    pipe = asyncio.subprocess.PIPE
    process = await asyncio.create_subprocess_exec(
        *argv, cwd=world.folder, env=world.environment, stdout=pipe, stderr=pipe
    )
    partial = world.store.blobs.partial(digest_of(LAYER))
    async with asyncio.timeout(60):
        while not (partial.exists() and partial.stat().st_size == 500_000):
            await asyncio.sleep(0.05)
        os.kill(process.pid, number)
        _, complaints = await process.communicate()
    assert process.returncode == code
    if number != signal.SIGKILL:
        assert complaints.decode() == "interrupted; what came is kept: run the same command again to go on\n"
    assert not world.store.has_image(f"{world.host}/owner/app:v1")
    assert (await world.ask("fetch", "--gitops", "tree", "--images", "all"))[0] == 0
    assert [headers["range"] for _, _, headers in world.registry.asked if "range" in headers] == ["bytes=500000-"]
    assert world.store.has_image(f"{world.host}/owner/app:v1")


async def test_two_at_once(world):
    """Of two that fetch the same, one loads a layer and the other waits for it."""
    both = [world.ask("fetch", "--gitops", "tree", "--images", "all") for _ in range(2)]
    assert {code for code, _, _ in await asyncio.gather(*both)} == {0}
    assert world.registry.paths().count(f"/v2/owner/app/blobs/{digest_of(LAYER)}") == 1


# -- secrets


async def test_a_password_is_nowhere(world, docker, tmp_path):
    world.registry.bearer = ("me", "c4nary-of-the-registry")
    docker(world.host, "me", "c4nary-of-the-registry")
    world.environment["DOCKER_CONFIG"] = str(tmp_path / "docker")
    code, said, complaints = await world.ask("fetch", "--gitops", "tree", "--images", "all")
    assert code == 0
    assert "c4nary" not in said + complaints
    kept = [file for file in world.store.folder.rglob("*") if file.is_file()]
    assert kept
    assert not any(b"c4nary" in file.read_bytes() or b"t0ken" in file.read_bytes() for file in kept)


# -- from a folder


async def test_from_a_folder(world, tmp_path):
    chart(world.folder / "usb", "web", "1.2.3")
    layout(world.folder / "usb" / "app", name=f"{world.host}/owner/app:v1")
    code, said, _ = await world.ask("fetch", "--gitops", "tree", "--from", "usb")
    assert code == 0
    assert said.startswith("fetched 1 chart, 1 image in ")
    assert not world.files.asked
    assert not world.registry.asked
    code, said, _ = await world.ask("fetch", "--gitops", "tree", "--from", str(world.store.folder))
    assert (code, said.splitlines()[0]) == (0, "1 chart, 1 image were there already")


async def test_what_is_not_in_a_folder(world):
    (world.folder / "usb").mkdir()
    code, said, _ = await world.ask("fetch", "--gitops", "tree", "--from", "usb")
    assert code == 1
    assert "import: is not in usb" in said


# -- the cache


async def test_list_and_prune(world):
    await world.ask("fetch", "--gitops", "tree", "--images", "all")
    code, said, _ = await world.ask("cache", "list")
    lines = [line.split() for line in said.splitlines()]
    assert code == 0
    assert [line[0] for line in lines] == ["chart", "image", "2"]
    assert lines[1][1:] == ["1000.4", "KiB", "today", f"{world.host}/owner/app:v1"]
    answer = json.loads((await world.ask("cache", "list", "--json"))[1])
    assert [thing["kind"] for thing in answer["things"]] == ["chart", "image"]
    code, said, _ = await world.ask("cache", "prune", "--unused-for", "1")
    assert (code, said) == (0, f"nothing to remove in {world.store.folder}\n")
    code, _, complaints = await world.ask("cache", "prune", "--all")
    assert (code, complaints.splitlines()[0]) == (2, "error: --all asks, and there is no terminal")
    code, said, _ = await world.ask("cache", "prune", "--all", "--yes")
    assert (code, said.split(",")[0]) == (0, "removed 2 things")
    assert (await world.ask("cache", "list"))[1].startswith("0 things, 0 B in ")


def test_prune_needs_to_know_what(desk):
    for arguments in ((), ("--all", "--unused-for", "3")):
        code, _, complaints = desk.process("cache", "prune", *arguments)
        assert code == 2
        assert "either --unused-for or --all is needed" in complaints
