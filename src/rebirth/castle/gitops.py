"""Section `gitops`: the repository that Flux follows."""

from pathlib import PurePosixPath
from typing import Annotated, Self
from urllib.parse import urlsplit

from pydantic import AfterValidator, StringConstraints, model_validator

from rebirth.castle.flux import FluxByOperator
from rebirth.castle.model import DURATION, DnsName, Section, Text, https_url, in_our_words
from rebirth.castle.reference import SecretRef

FLUX = "flux-system"  # the namespace
VARIABLES = "cluster-variables"


def _inside(value: str) -> str:
    if PurePosixPath(value).is_absolute() or ".." in PurePosixPath(value).parts:
        raise ValueError("must be a folder inside the repository")
    return value.removeprefix("./")


def is_ssh(url: str) -> bool:
    return url.startswith("ssh://")


def _repository_url(value: str) -> str:
    if "://" not in value and ":" in value:
        words = "git@HOST:OWNER/REPOSITORY.git is written ssh://git@HOST/OWNER/REPOSITORY.git: Flux takes URLs only"
        raise ValueError(words)
    return _ssh_url(value) if is_ssh(value) else https_url(value)


def _ssh_url(value: str) -> str:
    try:
        parts = urlsplit(value)
        sound = bool(parts.hostname and parts.username and parts.path.strip("/")) and parts.password is None
        sound = sound and (parts.port is None or parts.port > 0)
    except ValueError:
        sound = False
    if not sound:
        raise ValueError("must be an SSH URL with a user name, such as ssh://git@github.com/owner/repository.git")
    return value


def known_hosts(value: str) -> str:
    """Each line of it names hosts, the kind of a key, and the key. Raises ValueError."""
    lines = [line.split() for line in value.splitlines() if line.strip() and not line.lstrip().startswith("#")]
    if not lines or any(len(words) < (4 if words[0].startswith("@") else 3) for words in lines):
        raise ValueError("must be lines of a known_hosts file, as `ssh-keyscan HOST` prints them")
    return value


RepositoryUrl = Annotated[str, AfterValidator(_repository_url)]
_Variable = Annotated[
    str,
    StringConstraints(pattern=r"^[_a-zA-Z][_a-zA-Z0-9]*$"),
    in_our_words("must be the name of a variable: letters, digits and _, such as BLOG_HOST"),
]


class Decryption(Section):
    """SOPS with age: the key is placed as a Secret, and Flux decrypts with it what the repository holds."""

    age_key: SecretRef
    """The private age key."""
    secret_name: DnsName = "sops-age"  # noqa: S105 - a name
    """The name of the Secret in flux-system that the key is placed in."""


class Ssh(Section):
    """A deploy key, and the keys of the host that it is shown to: this machine and Flux read the repository with them."""

    private_key: SecretRef
    """The private key, without a passphrase."""
    known_hosts: SecretRef | Annotated[str, AfterValidator(known_hosts)]
    """The host's public keys, as ssh-keyscan prints them; no secret, but the lab can only replace one that is a reference."""


class Substitution(Section):
    """What Flux's postBuild substitution reads in the namespace flux-system. Name -> variable -> value."""

    config_maps: dict[DnsName, dict[_Variable, str]] = {}
    """Name of a ConfigMap -> variable -> value."""
    secrets: dict[DnsName, dict[_Variable, SecretRef | str]] = {}
    """Name of a Secret -> variable -> value or reference."""


class GitOps(Section):
    """The repository that Flux follows."""

    repository: RepositoryUrl
    """The URL of the Git repository: https://..., or ssh://git@... with a deploy key."""
    branch: Text
    """The branch that Flux follows."""
    path: Annotated[Text, AfterValidator(_inside)]
    """The folder in the repository that Flux starts from, such as `clusters/home`."""
    token: SecretRef | None = None
    """A token that may read the repository; a public one needs none."""
    username: Text = "git"
    """The user name that goes with the token: oauth2 for GitLab, x-token-auth for Bitbucket."""
    ssh: Ssh | None = None
    """The deploy key of a repository with an ssh URL."""
    decryption: Decryption | None = None
    """Where the repository holds secrets that are encrypted with SOPS."""
    flux: FluxByOperator | None = None
    """flux-operator, where it installs Flux; else Flux comes from the repository's folder flux-system, or from the flux program."""
    auth_secret: DnsName = "flux-system"  # noqa: S105 - a name
    """The Secret in namespace flux-system from which Flux takes user name and password."""
    interval: Annotated[
        str, StringConstraints(pattern=DURATION), in_our_words("must be a duration such as 1m or 1h30m")
    ] = "1m"
    """How often Flux looks for changes."""
    variables: dict[_Variable, str] = {}
    """The ConfigMap `cluster-variables` in flux-system, for Flux's postBuild substitution."""
    substitution: Substitution = Substitution()
    """Further ConfigMaps and Secrets for substitution, under the names that the repository has for them."""

    @property
    def config_maps(self) -> dict[str, dict[str, str]]:
        """Those for substitution, by name."""
        own = {VARIABLES: self.variables} if self.variables else {}
        return {**own, **self.substitution.config_maps}

    @property
    def secret_names(self) -> list[str]:
        """Those that the castle places for Flux in its namespace."""
        others = [self.decryption.secret_name] if self.decryption else []
        return [*others, *([self.auth_secret] if self.ssh else []), *self.substitution.secrets]

    @property
    def by_ssh(self) -> bool:
        return is_ssh(self.repository)

    @property
    def credentials(self) -> list[SecretRef]:
        """What the repository is read with."""
        ours = (self.token, self.ssh.private_key, self.ssh.known_hosts) if self.ssh else (self.token,)
        return [one for one in ours if isinstance(one, SecretRef)]

    @model_validator(mode="after")
    def _one_way_in(self) -> Self:
        if self.by_ssh and not self.ssh:
            raise ValueError("at ssh: is missing: a repository with an ssh URL is read with a deploy key")
        if self.ssh and not self.by_ssh:
            words = "a deploy key is for an ssh URL, such as ssh://git@github.com/owner/repository.git"
            raise ValueError(f"at ssh: {words}; an https URL takes `token`")
        if self.ssh and self.token:
            raise ValueError("at token: a repository with an ssh URL is read with `ssh`, not with a token")
        if self.variables and VARIABLES in self.substitution.config_maps:
            raise ValueError(f"at substitution.config_maps.{VARIABLES}: `variables` makes this one")
        if "username" in self.model_fields_set and not self.token:
            raise ValueError("at username: it goes with `token`, which is missing")
        return self
