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
    secret_name: DnsName = "sops-age"  # noqa: S105 - a name


class GitOps(Section):
    repository: HttpsUrl
    branch: Text
    path: Annotated[Text, AfterValidator(_inside)]
    token: SecretRef | None = None  # a public repository needs none
    decryption: Decryption | None = None
    auth_secret: DnsName = "flux-system"  # noqa: S105 - a name
    interval: Annotated[
        str, StringConstraints(pattern=r"^(\d+(h|m|s))+$"), in_our_words("must be a duration such as 1m or 1h30m")
    ] = "1m"
    variables: dict[_Variable, str] = {}
