"""An archive in a bucket of a real S3 server: versitygw, a process on loopback over TLS."""

import socket
import subprocess
import time
from functools import partial
from types import SimpleNamespace

import pytest

from anchored import all_bytes, archive_in, new_key
from rebirth.errors import Broken, NoAnswer
from rebirth.lab.building.toolchain import Toolchain, chosen
from rebirth.providers.anchors.s3 import Bucket
from rebirth.secrets import Secret

ACCESS, SECRET = "canary-access", "canary-secret-key"
CANARY = b"canary-5ad0: what no bucket shows"
PART = ("vault", "secret")


def bucket(port, ca, **more):
    said = {"endpoint": f"https://localhost:{port}", "region": "us-east-1", "bucket": "kept", "prefix": "castles/home"}
    said |= {"access_key": Secret(ACCESS), "secret_key": Secret(SECRET), "ca": Secret(ca) if ca else None}
    return Bucket(**said | more)


@pytest.fixture
async def s3(tmp_path, keys):
    """`s3.bucket()`: a client of it; `s3.folder`: where the server keeps its bucket."""
    toolchain = Toolchain()
    (component,) = chosen(["versitygw"])
    await toolchain.build(component)  # the first time minutes: nothing else needs it
    program = (await toolchain.programs([component]))["versitygw"]
    with socket.create_server(("127.0.0.1", 0)) as free:
        port = free.getsockname()[1]
    folder = tmp_path / "served"
    (folder / "kept").mkdir(parents=True)
    argv = [program, "--port", f"127.0.0.1:{port}", "--cert", keys.certificate, "--key", keys.key, "posix", folder]
    environment = {"ROOT_ACCESS_KEY": ACCESS, "ROOT_SECRET_KEY": SECRET, "PATH": "/usr/bin:/bin"}
    opened = []

    def client(**more):
        opened.append(bucket(port, keys.authority.pem, **more))
        return opened[-1]

    with (
        (tmp_path / "log").open("w") as log,
        subprocess.Popen(argv, stdout=log, stderr=log, env=environment) as process,
    ):
        for _ in range(300):
            try:
                socket.create_connection(("127.0.0.1", port), timeout=1).close()
                break
            except OSError:
                time.sleep(0.05)
        yield SimpleNamespace(bucket=client, folder=folder, port=port)
        for one in opened:
            await one.close()
        process.kill()


@pytest.mark.lab
@pytest.mark.long
async def test_an_archive_in_a_bucket(s3, tmp_path):
    """Kept, listed, restored; twice; spoiled on the server; another prefix is another archive."""
    key = new_key()
    archive = archive_in(tmp_path, key, shelf=s3.bucket())
    assert await archive.listed() == []
    with pytest.raises(Broken, match="there is no generation"):
        await archive.contents("latest")
    first = await archive.write([await archive.keep(*PART, CANARY)])
    second = await archive.write([await archive.keep(*PART, CANARY * 200_000)])
    assert [one.name for one in await archive.listed()] == [first.name, second.name]
    assert (await archive.contents("latest"))[1] == {PART: CANARY * 200_000}
    assert (await archive.contents(first.name))[1] == {PART: CANARY}
    assert CANARY[:12] not in all_bytes(s3.folder)
    other = archive_in(tmp_path, key, shelf=s3.bucket(prefix="castles/other"))
    assert await other.listed() == []

    (blob,) = s3.folder.rglob(second.parts[0].digest)
    spoiled = bytearray(blob.read_bytes())
    spoiled[1000] ^= 1
    blob.write_bytes(spoiled)
    with pytest.raises(Broken, match="vault secret is damaged"):
        await archive.contents("latest")
    blob.unlink()
    with pytest.raises(Broken, match="vault secret is missing"):
        await archive.contents("latest")


@pytest.mark.lab
@pytest.mark.long
@pytest.mark.parametrize(
    ("wrong", "code", "hint"),
    [
        ({"bucket": "absent"}, "NoSuchBucket", r"anchors\.archive\.s3\.bucket"),
        ({"secret_key": Secret("wrong")}, "SignatureDoesNotMatch", "secret_key"),
        ({"access_key": Secret("nobody")}, "XAdminUserNotFound", "access_key"),
    ],
)
async def test_what_a_person_has_to_mend(s3, tmp_path, wrong, code, hint):
    archive = archive_in(tmp_path, new_key(), shelf=s3.bucket(**wrong))
    for ask in (partial(archive.keep, *PART, CANARY), archive.listed):
        with pytest.raises(Broken, match=code) as caught:
            await ask()
        assert hint.replace("\\", "") in caught.value.hint
        assert "canary" not in str(caught.value)


async def test_nobody_answers(keys):
    with socket.create_server(("127.0.0.1", 0)) as free:
        port = free.getsockname()[1]
    client = bucket(port, keys.authority.pem)
    with pytest.raises(NoAnswer, match="S3: list") as caught:
        await client.names("generations")
    assert "anchors.archive.s3.endpoint" in caught.value.hint
    await client.close()


async def test_somebody_else_answers(serve):
    """A portal is no S3 server; and one whose certificate is not trusted is asked nothing."""
    from starlette.applications import Starlette
    from starlette.responses import HTMLResponse
    from starlette.routing import Route

    portal = Starlette(
        routes=[Route("/{path:path}", lambda _: HTMLResponse("<h1>Sign in</h1>"), methods=["GET", "PUT"])]
    )
    served = await serve(portal)
    client = bucket(served.port, serve.ca.read_text())
    with pytest.raises(NoAnswer, match="S3: list: the answer does not match"):
        await client.names("generations")
    await client.close()
    stranger = bucket(served.port, None)
    with pytest.raises(Broken, match="certificate is not trusted") as caught:
        await stranger.names("generations")
    assert "anchors.archive.s3.ca" in caught.value.hint
    await stranger.close()
