"""Who is shown to the systems that things are fetched from: the castle's own credentials, then those of ~/.docker/config.json.

Nothing of it is written anywhere, or shown to another host than it is for.
"""

import base64
import json
import os
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

from rebirth.castle import Castle
from rebirth.castle.reference import SecretRef
from rebirth.errors import SpecError
from rebirth.fetch.things import Thing
from rebirth.paths import Paths
from rebirth.phases.resolve_secrets import resolve
from rebirth.secrets import Redaction, Secret
from rebirth.store.names import HUB

_HUBS = ("docker.io", "index.docker.io", "registry-1.docker.io")


@dataclass(frozen=True)
class Credential:
    username: str
    password: Secret
    where: str  # where it was found, for who has to correct it

    @property
    def basic(self) -> dict[str, str]:
        """The header of HTTP's Basic authentication."""
        said = f"{self.username}:{self.password.reveal()}".encode()
        return {"Authorization": f"Basic {base64.b64encode(said).decode()}"}


@dataclass
class Logins:
    """Looked up when a thing is fetched: a secret that is not needed may be missing."""

    redaction: Redaction
    castle: Castle | None = None
    paths: Paths | None = None
    _docker: dict[str, Credential] | None = field(default=None, repr=False)

    def of(self, thing: Thing, host: str) -> Credential | None:
        """Of the Secret that the object names, else of the registry's pull secret, else of Docker's file. Raises SpecError."""
        return self._of_object(thing) or self._of_pull_secret(host) or self._of_docker(host)

    def of_git(self, thing: Thing, url: str) -> Credential | None:
        """Of the Secret that the object names, else of the castle's own repository where that is on the same host."""
        if found := self._of_object(thing):
            return found
        gitops = self.castle.gitops if self.castle else None
        if gitops and gitops.token and urlsplit(gitops.repository).netloc == urlsplit(url).netloc:
            return Credential(gitops.username, self._resolved(gitops.token), "gitops.token")
        return None

    def _of_object(self, thing: Thing) -> Credential | None:
        """Of a Secret that the castle places itself."""
        if self.castle is None or thing.login is None:
            return None
        engine, login = self.castle.engine, thing.login
        for secret in engine.direct_secrets:
            if (secret.namespace, secret.name) == (login.namespace, login.name):
                user, password = secret.data.get("username"), secret.data.get("password")
                if user is not None and password is not None:
                    where = f"engine.direct_secrets, {login.namespace}/{login.name}"
                    return Credential(self._text(user), self._secret(password), where)
        for pull in engine.pull_secrets:
            if pull.name == login.name and login.namespace in pull.namespaces:
                return Credential(pull.username, self._resolved(pull.password), f"engine.pull_secrets, {pull.name}")
        return None

    def _of_pull_secret(self, host: str) -> Credential | None:
        for pull in self.castle.engine.pull_secrets if self.castle else ():
            if _same(pull.registry, host):
                return Credential(pull.username, self._resolved(pull.password), f"engine.pull_secrets, {pull.name}")
        return None

    def _of_docker(self, host: str) -> Credential | None:
        if self._docker is None:
            self._docker = _read(docker_file(), self.redaction)
        return next((found for name, found in self._docker.items() if _same(name, host)), None)

    def _text(self, value: SecretRef | str) -> str:
        return self._resolved(value).reveal() if isinstance(value, SecretRef) else value

    def _secret(self, value: SecretRef | str) -> Secret:
        return self._resolved(value) if isinstance(value, SecretRef) else Secret(value)

    def _resolved(self, reference: SecretRef) -> Secret:
        if self.paths is None:
            raise SpecError(f"{reference.secret}: there is no vault directory to read it from")
        return resolve(reference, self.paths, self.redaction)


def _same(name: str, host: str) -> bool:
    return name == host or (name in _HUBS and host in _HUBS)


def docker_file(environment: Mapping[str, str] = os.environ) -> Path:
    """Where docker login, helm registry login and crane keep what they are told."""
    folder = environment.get("DOCKER_CONFIG")
    return (Path(folder) if folder else Path.home() / ".docker") / "config.json"


def _read(file: Path, redaction: Redaction) -> dict[str, Credential]:
    """Host -> credential; what is not as it should be counts as not there."""
    try:
        auths: Any = json.loads(file.read_bytes())["auths"]
        entries = list(auths.items())
    except (OSError, ValueError, KeyError, TypeError, AttributeError):
        return {}
    found = {}
    for name, entry in entries:
        if (login := _credential(entry, file)) is not None:
            redaction.learn(login.password)
            found[_host(name)] = login
    return found


def _host(name: str) -> str:
    """Docker Hub's entry is the URL of its first API; others may be URLs, too."""
    host = name.partition("://")[2] if "://" in name else name
    host = host.partition("/")[0]
    return HUB if host == "index.docker.io" else host


def _credential(entry: Any, file: Path) -> Credential | None:
    try:
        if entry.get("username"):
            user, password = str(entry["username"]), str(entry["password"])
        else:
            user, _, password = base64.b64decode(entry["auth"]).decode().partition(":")
    except (AttributeError, KeyError, TypeError, ValueError):
        return None
    return Credential(user, Secret(password), str(file)) if user and password else None
