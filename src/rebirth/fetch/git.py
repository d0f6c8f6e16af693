"""Git repositories, through the git program, into bare ones that can be served again."""

from collections.abc import Iterator, Mapping
from contextlib import AbstractContextManager, nullcontext
from pathlib import Path

from rebirth.commands import Commands, ProgramFailed
from rebirth.errors import Broken, NoAnswer
from rebirth.fetch.logins import Credential
from rebirth.fetch.patience import Patience
from rebirth.fetch.things import Git
from rebirth.fetch.web import host_of
from rebirth.providers.git import has_no_host, is_passing
from rebirth.providers.git_access import Access, Call, Token
from rebirth.store.versions import newest

_SETTINGS = {  # of a mirror: who clones it may ask for any commit that is in it
    "uploadpack.allowAnySHA1InWant": "true",
    "uploadpack.allowFilter": "true",
}
_LAST = ("--depth=1",)  # the last commit alone
_HEADS, _TAGS = "refs/heads/", "refs/tags/"


class _AsThisMachine:
    """With what git itself knows of the host: its own configuration, and the SSH agent."""

    def call(self) -> AbstractContextManager[Call]:
        return nullcontext(Call())

    def refusal(self, said: str) -> tuple[str, str] | None:
        return None


class GitHost:
    """One repository."""

    def __init__(
        self, url: str, commands: Commands, credential: Credential | None = None, patience: Patience | None = None
    ) -> None:
        self._url, self._commands, self._credential = url, commands, credential
        self._patience = patience or Patience()
        self._access: Access = Token(credential.username, credential.password) if credential else _AsThisMachine()

    async def take(self, mirror: Path, commit: str) -> dict[str, str]:
        """Everything of a repository on this machine, as the host has it that it was cloned from; with its history."""
        await self._prepare(mirror)
        for kept in (
            ("+refs/remotes/origin/*:refs/heads/*", "^refs/remotes/origin/HEAD"),
            ("+refs/heads/*:refs/heads/*",),
        ):
            await self._git("-C", str(mirror), "fetch", "--quiet", "--tags", "--update-shallow", self._url, *kept)
        said = await self._git("-C", str(mirror), "for-each-ref", "--format=%(refname) %(objectname)")
        found = dict(line.split(" ") for line in said.splitlines())
        head = _head(await self._references())
        if head in found:
            await self._git("-C", str(mirror), "symbolic-ref", "HEAD", head)
            found["HEAD"] = head
        return found | ({commit: commit} if commit and await self._has(mirror, commit) else {})

    async def fetch(self, thing: Git, mirror: Path) -> dict[str, str]:
        """Brings what is meant into the bare repository `mirror`; returns its references with their objects.

        Raises Broken, also where there is no such reference.
        """
        known = await self._references()
        head, wanted = _head(known), list(wanted_of(thing, known))
        if not wanted:
            raise self._broken(f"there is no {thing.label.partition(', ')[2]}")
        await self._prepare(mirror)
        for reference, depth in wanted:
            await self._fetch(mirror, reference, depth)
        if thing.commit and not await self._has(mirror, thing.commit):
            await self._fetch(mirror, thing.commit, _LAST)
        if head:
            await self._git("-C", str(mirror), "symbolic-ref", "HEAD", head)
        found = {name: await self._object(mirror, name) for name, _ in wanted}
        found |= {thing.commit: thing.commit} if thing.commit else {}
        return found | ({"HEAD": head} if head else {})

    async def _prepare(self, mirror: Path) -> None:
        if not (mirror / "HEAD").is_file():
            mirror.mkdir(parents=True, exist_ok=True)
            await self._git("init", "--quiet", "--bare", str(mirror))
            for name, value in _SETTINGS.items():
                await self._git("-C", str(mirror), "config", name, value)

    async def _object(self, mirror: Path, reference: str) -> str:
        return (await self._git("-C", str(mirror), "rev-parse", "--verify", reference)).strip()

    async def _has(self, mirror: Path, commit: str) -> bool:
        try:
            await self._git("-C", str(mirror), "cat-file", "-e", f"{commit}^{{commit}}")
        except ProgramFailed:
            return False
        return True

    async def _fetch(self, mirror: Path, reference: str, depth: tuple[str, ...]) -> None:
        keep = f"+{reference}:{reference}" if reference.startswith("refs/") else reference
        arguments = ("-C", str(mirror), "fetch", "--quiet", "--no-tags", *depth, self._url, keep)
        await self._git(*arguments, operation="fetch", outside=True)
        if not reference.startswith("refs/"):  # a commit: it needs a name, or the next cleaning takes it away
            await self._git("-C", str(mirror), "update-ref", f"refs/rebirth/{reference}", reference)

    async def _references(self) -> dict[str, str]:
        """What the host has: reference -> commit; HEAD -> the branch that it stands for."""
        said = await self._git("ls-remote", "--symref", self._url, operation="list references", outside=True)
        found = {}
        for line in said.splitlines():
            value, _, name = line.partition("\t")
            if value.startswith("ref: "):
                found[name] = value.removeprefix("ref: ")
            else:
                found.setdefault(name, value)
        return found

    async def _git(self, *arguments: str, operation: str = "prepare", outside: bool = False) -> str:
        async def look() -> str:
            try:
                with self._access.call() as call:
                    environment = {"GIT_TERMINAL_PROMPT": "0", **_without_helpers(call.environment)}
                    return await self._commands.run(
                        (*call.before, "git", *arguments), operation=operation, stdin=call.stdin, env=environment
                    )
            except ProgramFailed as error:
                if outside and has_no_host(error.said):
                    raise self._broken("no such host") from None
                if outside and is_passing(error.said):
                    raise NoAnswer(error.said.splitlines()[-1] if error.said else "no answer") from None
                raise self._refused(error, operation) if outside else error from None

        return await self._patience.asked(look, system=host_of(self._url) or self._url, operation=operation)

    def _refused(self, error: ProgramFailed, operation: str) -> Broken:
        refused = self._access.refusal(error.said)
        if self._credential and refused:
            hint = f"They are those of {self._credential.where}."
            words = f"the credentials of {self._credential.username} were rejected, or there is no such repository"
            return Broken(words, system=self._url, operation=operation, hint=hint)
        words = error.said.rpartition("; ")[2] or "git failed"
        return Broken(words, system=self._url, operation=operation, status=error.status)

    def _broken(self, words: str) -> Broken:
        return Broken(words, system=self._url, operation="fetch")


def _without_helpers(environment: Mapping[str, str]) -> dict[str, str]:
    """Where there are credentials, those that this machine knows for the host are not asked for."""
    if not environment:
        return {}
    return {"GIT_CONFIG_KEY_0": "credential.helper", "GIT_CONFIG_VALUE_0": "", **environment}


def _head(known: Mapping[str, str]) -> str:
    """The branch that the host's HEAD stands for."""
    head = known.get("HEAD", "")
    return head if head.startswith(_HEADS) else ""


def wanted_of(thing: Git, known: Mapping[str, str]) -> Iterator[tuple[str, tuple[str, ...]]]:
    """Each reference that has to be fetched, with how much of its history: of a branch and a tag the last commit alone."""
    if thing.commit:
        # Who asks for a commit of a branch is given the branch: source-controller looks for it in there.
        branch = f"{_HEADS}{thing.branch}" if thing.branch else _head(known)
        if branch in known:
            yield branch, ()
        else:
            yield thing.commit, _LAST
    elif thing.name:
        if thing.name in known:
            yield thing.name, _LAST
    elif thing.semver:
        tags = {one.removeprefix(_TAGS) for one in known if one.startswith(_TAGS) and not one.endswith("^{}")}
        chosen = newest(sorted(tags), thing.semver)
        if chosen:
            yield f"{_TAGS}{chosen}", _LAST
    elif thing.loose:
        named = [f"{_TAGS}{thing.loose}", f"{_HEADS}{thing.loose}"]
        yield next((one for one in named if one in known), thing.loose), _LAST
    else:
        tag, branch = f"{_TAGS}{thing.tag}", f"{_HEADS}{thing.branch}"
        name = tag if thing.tag else branch if thing.branch else _head(known)
        if name in known or (name and name == _head(known)):
            yield name, _LAST
