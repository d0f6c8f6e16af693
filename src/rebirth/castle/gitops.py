"""Section `gitops`: the repository that Flux follows."""

from pathlib import PurePosixPath
from typing import Annotated

from pydantic import AfterValidator, StringConstraints

from rebirth.castle.model import DnsName, HttpsUrl, Section, Text, in_our_words
from rebirth.secrets import SecretRef


def _inside(value: str) -> str:
    if PurePosixPath(value).is_absolute() or ".." in PurePosixPath(value).parts:
        raise ValueError("must be a folder inside the repository")
    return value.removeprefix("./")


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


class GitOps(Section):
    """The repository that Flux follows."""

    repository: HttpsUrl
    """The URL of the Git repository."""
    branch: Text
    """The branch that Flux follows."""
    path: Annotated[Text, AfterValidator(_inside)]
    """The folder in the repository that Flux starts from, such as `clusters/home`."""
    token: SecretRef | None = None
    """A token that may read the repository; a public one needs none."""
    decryption: Decryption | None = None
    """Where the repository holds secrets that are encrypted with SOPS."""
    auth_secret: DnsName = "flux-system"  # noqa: S105 - a name
    """The Secret in namespace flux-system from which Flux takes user name and password."""
    interval: Annotated[
        str, StringConstraints(pattern=r"^(\d+(h|m|s))+$"), in_our_words("must be a duration such as 1m or 1h30m")
    ] = "1m"
    """How often Flux looks for changes."""
    variables: dict[_Variable, str] = {}
    """The ConfigMap `cluster-variables` in flux-system, for Flux's postBuild substitution."""
