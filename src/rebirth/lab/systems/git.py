"""A Git host: git's own smart HTTP behind a token, with repositories that follow local folders."""

import asyncio
import base64
import os
import secrets
import shutil
from collections.abc import Awaitable, Callable
from dataclasses import dataclass, field
from pathlib import Path
from tempfile import TemporaryDirectory

from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Route


async def git(*arguments: str, cwd: Path | None = None, index: Path | None = None) -> str:
    """What git says. Raises RuntimeError with its words."""
    identity = {
        "GIT_AUTHOR_NAME": "lab",
        "GIT_AUTHOR_EMAIL": "lab@lab",
        "GIT_COMMITTER_NAME": "lab",
        "GIT_COMMITTER_EMAIL": "lab@lab",
    }
    environment = {**os.environ, **identity, "GIT_CONFIG_GLOBAL": "/dev/null", "GIT_CONFIG_SYSTEM": "/dev/null"}
    if index:
        environment["GIT_INDEX_FILE"] = str(index)
    pipe = asyncio.subprocess.PIPE
    process = await asyncio.create_subprocess_exec(
        "git", *arguments, cwd=cwd, env=environment, stdout=pipe, stderr=pipe
    )
    said, complained = await process.communicate()
    if process.returncode:
        raise RuntimeError(f"git {arguments[0]}: {complained.decode().strip()}")
    return said.decode().strip()


@dataclass
class Repository:
    """A bare repository whose branch gets what a local folder holds, each time that it is told to."""

    bare: Path
    source: Path
    branch: str
    change: Callable[[Path], Awaitable[None]] | None = None  # what is done to a copy of the folder before it is taken
    _taken: str = ""  # the tree that was taken last
    _turn: asyncio.Lock = field(default_factory=asyncio.Lock)

    async def make(self) -> None:
        """The bare repository, with one commit of the files as they are now. Raises RuntimeError, OSError."""
        self.bare.parent.mkdir(parents=True, exist_ok=True)
        await git("init", "--quiet", "--bare", f"--initial-branch={self.branch}", str(self.bare))
        await git("-C", str(self.bare), "config", "http.receivepack", "true")
        await self.take()

    async def take(self) -> str | None:
        """A new commit on the branch with the files as they are now; None where they are what was taken last.

        What was pushed meanwhile stays in the history, and in the tree as long as the folder does not change.
        """
        async with self._turn:
            place, tree = ("--git-dir", str(self.bare)), await self._tree(self.source)
            if tree == self._taken:
                return None
            self._taken = tree
            if self.change:
                with TemporaryDirectory(prefix="rebirth-git-") as scratch:
                    copy = Path(scratch) / "tree"
                    shutil.copytree(self.source, copy, symlinks=True)
                    await self.change(copy)
                    tree = await self._tree(copy)
            head = await git(*place, "for-each-ref", "--format=%(objectname)", f"refs/heads/{self.branch}")
            parents = ("-p", head) if head else ()
            commit = await git(*place, "commit-tree", tree, *parents, "-m", "The folder as it is")
            await git(*place, "update-ref", f"refs/heads/{self.branch}", commit)
            return commit

    async def _tree(self, folder: Path) -> str:
        """What Git calls the files of a folder."""
        index = self.bare / "folder.index"
        place = ("--git-dir", str(self.bare), "--work-tree", str(folder))
        await git(*place, "add", "--all", "--force", ".", cwd=folder, index=index)
        return await git(*place, "write-tree", index=index)


async def copy(bare: Path, target: Path) -> None:
    """A copy of a bare repository with all its references: pushes to it stay in it. Raises RuntimeError."""
    target.parent.mkdir(parents=True, exist_ok=True)
    await git("clone", "--quiet", "--mirror", str(bare), str(target))


def git_app(root: Path, token: str | None, public: Path | None = None) -> Starlette:
    """Serves the repositories in `root`/<host name>/. Any user name with `token` as password may read and write, nobody else;
    without a token they are public, as those in `public`/<host name>/ are in any case.
    """

    async def serve(request: Request) -> Response:
        host = request.url.hostname or "-"
        if public and _holds(public / host, request.url.path):
            return await _backend(public / host, request)
        given = request.headers.get("authorization", "").removeprefix("Basic ")
        try:
            password = base64.b64decode(given).decode().partition(":")[2]
        except ValueError:
            password = ""
        if token and not secrets.compare_digest(password.encode(), token.encode()):
            refusal = {"WWW-Authenticate": 'Basic realm="GitHub"'}
            return Response("Invalid username or token.\n", 401, headers=refusal)
        return await _backend(root / host, request)

    return Starlette(routes=[Route("/{path:path}", serve, methods=["GET", "POST"])])


def _holds(root: Path, path: str) -> bool:
    """Whether the repository that is asked for is in there, in one of the two spellings of its name."""
    name = path.partition("/info/refs")[0].partition("/git-")[0].strip("/").removesuffix(".git")
    return bool(name) and (root / f"{name}.git").is_dir()


async def _backend(root: Path, request: Request) -> Response:
    path = request.url.path
    if not (root / path.lstrip("/")).exists() and not path.partition(".git/")[1]:
        path = path.replace("/info/refs", ".git/info/refs").replace("/git-", ".git/git-")  # GitHub takes both spellings
    return await backend(root, path, request)


async def backend(root: Path, path: str, request: Request) -> Response:
    """One call of git-http-backend(1), as CGI: `path` is that of a service of a repository below `root`."""
    environment = {
        "PATH": os.environ.get("PATH", ""),
        "GIT_PROJECT_ROOT": str(root),
        "GIT_HTTP_EXPORT_ALL": "1",
        "GIT_CONFIG_COUNT": "1",
        "GIT_CONFIG_KEY_0": "safe.directory",
        "GIT_CONFIG_VALUE_0": "*",
        "REQUEST_METHOD": request.method,
        "PATH_INFO": path,
        "QUERY_STRING": request.url.query,
        "CONTENT_TYPE": request.headers.get("content-type", ""),
        "HTTP_CONTENT_ENCODING": request.headers.get("content-encoding", ""),
        "GIT_PROTOCOL": request.headers.get("git-protocol", ""),
        "REMOTE_USER": "token",
    }
    pipe = asyncio.subprocess.PIPE
    process = await asyncio.create_subprocess_exec(
        "git", "http-backend", env=environment, stdin=pipe, stdout=pipe, stderr=asyncio.subprocess.DEVNULL
    )
    said, _ = await process.communicate(await request.body())
    head, _, body = said.partition(b"\r\n\r\n")
    headers = dict(line.split(": ", 1) for line in head.decode().splitlines() if ": " in line)
    status = int(headers.pop("Status", "200").split()[0])
    return Response(body, status, headers=headers)
