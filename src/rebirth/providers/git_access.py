"""How a Git host is shown who reads a repository: with a token over HTTPS, a deploy key over SSH, or not at all."""

import shlex
from collections.abc import Iterator, Mapping
from contextlib import AbstractContextManager, contextmanager, nullcontext
from dataclasses import dataclass, field
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Protocol

from rebirth.secrets import Secret

# Of the host, or of ssh. GitHub says "not found" of what a token may not see.
_REFUSED = (
    "Authentication failed",
    "could not read Username",
    "error: 401",
    "error: 403",
    "access denied",
    "not found",
)
_REFUSED_KEY = ("Permission denied (", "does not appear to be a git repository", *_REFUSED)
_REFUSED_HOST = "Host key verification failed"
# What this machine knows of that host is not the castle's: no configuration, no keys, no known hosts but these.
_SSH = (
    *("-F", "none"),
    *("-o", "BatchMode=yes"),
    *("-o", "IdentityFile=none"),  # the agent's alone
    *("-o", "PreferredAuthentications=publickey"),
    *("-o", "StrictHostKeyChecking=yes"),
    *("-o", "GlobalKnownHostsFile=none"),
    *("-o", "UpdateHostKeys=no"),
    *("-o", "ConnectTimeout=10"),
    *("-o", "ServerAliveInterval=5"),
)
# An agent ends with the program that it was started for, but only looks for that every ten seconds.
_WITH_KEY = 'ssh-add -q - && "$@"; code=$?; kill "$SSH_AGENT_PID"; exit $code'


@dataclass(frozen=True)
class Call:
    """What a call of git is begun with. A secret stands in its environment or standard input: never an argument, never a file."""

    before: tuple[str, ...] = ()  # stands before git's own arguments
    environment: Mapping[str, str] = field(default_factory=dict)
    stdin: bytes = b""


class Access(Protocol):
    def call(self) -> AbstractContextManager[Call]:
        """For one call of git."""

    def refusal(self, said: str) -> tuple[str, str] | None:
        """What was refused where git said that, and what to do; None where it was not this."""


class Anybody:
    """A public repository."""

    def call(self) -> AbstractContextManager[Call]:
        return nullcontext(Call())

    def refusal(self, said: str) -> tuple[str, str] | None:
        if not any(word in said for word in _REFUSED):
            return None
        return "the repository does not exist, or is not public", "Name its token with gitops.token."


class Token:
    def __init__(self, username: str, token: Secret) -> None:
        self._username, self._token = username, token

    def call(self) -> AbstractContextManager[Call]:
        environment = {
            "GIT_CONFIG_COUNT": "2",
            "GIT_CONFIG_KEY_1": "credential.helper",
            "GIT_CONFIG_VALUE_1": '!f() { echo "username=$REBIRTH_GIT_USER"; echo "password=$REBIRTH_GIT_TOKEN"; }; f',
            "REBIRTH_GIT_USER": self._username,
            "REBIRTH_GIT_TOKEN": self._token.reveal(),
        }
        return nullcontext(Call(environment=environment))

    def refusal(self, said: str) -> tuple[str, str] | None:
        if not any(word in said for word in _REFUSED):
            return None
        words = "the token was rejected, or the repository does not exist"
        return words, "Check the token of gitops.token, gitops.username, and gitops.repository."


class DeployKey:
    """An SSH key in an agent of this call's own, and the keys that the host may have."""

    def __init__(self, private_key: Secret, known_hosts: Secret) -> None:
        self._private_key, self._known_hosts = private_key, known_hosts

    @contextmanager
    def call(self) -> Iterator[Call]:
        with TemporaryDirectory(prefix="rebirth-ssh-") as scratch:
            hosts = Path(scratch) / "known_hosts"  # no secret, even where it is kept among them
            hosts.write_text(self._known_hosts.reveal().strip() + "\n")
            options = (*_SSH, "-o", f'UserKnownHostsFile="{hosts}"')
            agent = ("ssh-agent", "-a", f"{scratch}/agent")
            yield Call(
                before=(*agent, "sh", "-c", _WITH_KEY, "sh"),
                environment={"GIT_SSH_COMMAND": shlex.join(("ssh", *options))},
                stdin=(self._private_key.reveal().strip() + "\n").encode(),
            )

    def refusal(self, said: str) -> tuple[str, str] | None:
        if _REFUSED_HOST in said:
            hint = "Compare with `ssh-keyscan HOST`, and with what the host's owner publishes: gitops.ssh.known_hosts."
            return "the host's key is not among gitops.ssh.known_hosts", hint
        if any(word in said for word in _REFUSED_KEY):
            hint = (
                "Is gitops.repository right, and does it have the public key of gitops.ssh.private_key as a deploy key?"
            )
            return "the deploy key was rejected, or the repository does not exist", hint
        return None
