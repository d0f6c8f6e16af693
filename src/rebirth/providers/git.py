"""The GitOps repository, through the git program."""

import re
from pathlib import Path

import yaml

from rebirth.commands import Commands, ProgramFailed
from rebirth.errors import Broken, NotYet
from rebirth.providers.git_access import Access
from rebirth.providers.scratch import scratch_below
from rebirth.run.waiting import asking

_NO_HOST = "Could not resolve host"
_PASSING = (
    _NO_HOST,
    "Connection refused",
    "Failed to connect",
    "timed out",
    "Could not connect",
    "SSL_ERROR_SYSCALL",
    "early EOF",
    "Empty reply",
    "transfer closed",
    "Connection reset",
    "hung up unexpectedly",
    "unexpected eof",
    "recv error",
    "RPC failed",
    "Connection closed",
    "No route to host",
    "Network is unreachable",
    "Broken pipe",
    "kex_exchange_identification",
)
_ADVICE = {
    r"certificate has expired|not yet valid": "Is the host's certificate renewed, and the clock of this machine right?",
    r"[Cc]ertificate|SSL:": "git trusts the CAs of this machine, and those of http.sslCAInfo (GIT_SSL_CAINFO).",
    r"No space left on device|Disk quota exceeded": "Make room where temporary files are (TMPDIR), and run the same command again.",
}
_CLONE = "clone"
_REACHABLE = "Is gitops.repository right, and reachable from here?"
_PASSING_STATUS = re.compile(r"(?:HTTP|error:) (?:429|5\d\d)\b")


def is_passing(said: str) -> bool:
    """Whether what git said may be different another time."""
    return any(word in said for word in _PASSING) or _PASSING_STATUS.search(said) is not None


def has_no_host(said: str) -> bool:
    """Whether git found nobody to ask."""
    return _NO_HOST in said


SCRATCH = "git"  # below the state folder: copies that are read and gone


class GitRemote:
    """One branch of one repository. `scratch` is a folder for copies of it that are read and gone."""

    def __init__(self, *, url: str, branch: str, access: Access, commands: Commands, scratch: Path) -> None:
        self._url, self._branch, self._access, self._commands = url, branch, access, commands
        self._scratch = scratch

    async def documents(self, *, path: str, beside: str) -> tuple[str, list[dict[str, object]] | None]:
        """The commit, and the YAML documents of the files in `path`/`beside` (None where that folder does not exist).

        Raises Broken where the branch or `path` is not there, or the token is refused.
        """
        with scratch_below(self._scratch) as scratch:
            folder = scratch / "tree"
            await self.fetch(folder)
            commit = (await self._git("rev-parse", "-C", str(folder), "rev-parse", "HEAD")).strip()
            if not (folder / path).is_dir():
                hint = f"gitops.path must be a folder of the branch {self._branch}."
                raise Broken(f"the repository has no folder {path}", system=self._url, operation="read", hint=hint)
            manifests = folder / path / beside
            if not manifests.is_dir():
                return commit, None
            found: list[dict[str, object]] = []
            for file in sorted(manifests.glob("*.yaml")):
                try:
                    documents = list(
                        yaml.load_all(file.read_text(), Loader=getattr(yaml, "CSafeLoader", yaml.SafeLoader))
                    )
                except yaml.YAMLError as error:
                    place = f"{path}/{beside}/{file.name}"
                    raise Broken(
                        f"{place} is not YAML: {getattr(error, 'problem', '')}", system=self._url, operation="read"
                    ) from None
                found += [
                    document
                    for document in documents
                    if document and document.get("kind") not in {None, "Kustomization"}
                ]
                found += [
                    d
                    for d in documents
                    if d and d.get("kind") == "Kustomization" and "toolkit.fluxcd.io" in d["apiVersion"]
                ]
            return commit, found

    async def fetch(self, folder: Path) -> None:
        """The branch as it is now, as files in `folder`, which is not there yet. Raises Broken or NotYet."""
        await self._git(
            _CLONE,
            "clone",
            "--quiet",
            "--depth=1",
            "--single-branch",
            "--branch",
            self._branch,
            self._url,
            str(folder),
        )

    async def _git(self, operation: str, *arguments: str) -> str:
        environment = {
            "GIT_TERMINAL_PROMPT": "0",
            "GIT_CONFIG_COUNT": "1",
            "GIT_CONFIG_KEY_0": "credential.helper",
            "GIT_CONFIG_VALUE_0": "",  # what this machine knows of that host is not the castle's
        }
        try:
            with asking("git", operation), self._access.call() as call:
                return await self._commands.run(
                    (*call.before, "git", *arguments),
                    operation=operation,
                    stdin=call.stdin,
                    env={**environment, **call.environment},
                )
        except ProgramFailed as error:
            if operation == _CLONE and await self._is_no_repository(error.said):
                hint = f"{_REACHABLE} A proxy, a portal or another server may be answering there."
                raise Broken(
                    "not a Git repository, or an empty one", system=self._url, operation=operation, hint=hint
                ) from None
            if "Remote branch" in error.said:
                raise Broken(
                    f"has no branch {self._branch}", system=self._url, operation=operation, hint="Check gitops.branch."
                ) from None
            if is_passing(error.said):
                raise NotYet(f"git: {operation}: {error.said}", hint=_REACHABLE) from None
            if refused := self._access.refusal(error.said):
                words, hint = refused
                raise Broken(words, system=self._url, operation=operation, hint=hint) from None
            by_hand = f"`git clone --branch {self._branch} {self._url}` by hand says more."
            failed = ProgramFailed("git", operation, error.status or 0, error.said)
            raise failed.advised(_ADVICE, by_hand) from None

    async def _is_no_repository(self, said: str) -> bool:
        """Whether what answers there is none. Of an answer that is not Git's, git says that it has no such branch."""
        if "is this a git repository" in said:
            return True
        return "Remote branch" in said and not await self._git("ls-remote", "ls-remote", "--heads", self._url)
