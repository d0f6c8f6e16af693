"""What every section of castle.yaml has in common, and the value types they share."""

import re
from ipaddress import IPv4Address, IPv4Network
from typing import Annotated
from urllib.parse import urlsplit

from pydantic import (
    AfterValidator,
    BaseModel,
    ConfigDict,
    Field,
    StringConstraints,
    ValidatorFunctionWrapHandler,
    WrapValidator,
)
from pydantic_core import PydanticCustomError


class Section(BaseModel):
    """A section of castle.yaml: immutable, unknown keys refused, nothing coerced, input never shown in errors.

    A string below a field is its meaning: editors show it, `rebirth init` asks with it, the reference is made of it.
    """

    model_config = ConfigDict(
        frozen=True,
        extra="forbid",
        strict=True,
        hide_input_in_errors=True,
        populate_by_name=True,
        use_attribute_docstrings=True,
    )


def _https_url(value: str) -> str:
    try:
        parts = urlsplit(value)
        port_is_sound = parts.port is None or parts.port > 0
    except ValueError:
        port_is_sound = False
    if not port_is_sound or parts.scheme != "https" or not parts.hostname or parts.username:
        raise ValueError("must be an https URL without user information, such as https://host.example:8006")
    return value


def _address_range(value: str) -> str:
    first, dash, last = value.partition("-")
    try:
        sound = IPv4Address(first) <= IPv4Address(last) if dash else bool(IPv4Network(value))
    except ValueError:
        raise ValueError(
            "must be FIRST-LAST, such as 192.168.50.200-192.168.50.220, or a network in CIDR form"
        ) from None
    if not sound:
        raise ValueError("the range ends before it starts")
    return value


OTHER_SHAPE = "other_shape"  # the type of the error where a value is not even a string


def in_our_words(words: str) -> WrapValidator:
    """Says `words` instead of Python's own message, which quotes the value: it could be a secret in the wrong place."""

    def validate(value: object, handler: ValidatorFunctionWrapHandler) -> object:
        try:
            return handler(value)
        except ValueError:
            if isinstance(value, str):
                raise ValueError(words) from None  # noqa: TRY004 - pydantic makes a problem of this one
            raise PydanticCustomError(OTHER_SHAPE, "{words}", {"words": words}) from None

    return WrapValidator(validate)


def _version(value: str) -> str:
    if not re.fullmatch(r"v\d+\.\d+\.\d+(-[0-9A-Za-z.]+)?", value):
        raise ValueError("must be a version such as v1.35.4")
    return value


_DNS_LABEL = r"[a-z0-9]([-a-z0-9]*[a-z0-9])?"

HttpsUrl = Annotated[str, AfterValidator(_https_url), Field(title="https URL")]
Address = Annotated[
    IPv4Address, in_our_words("must be an IPv4 address, such as 192.168.50.11"), Field(title="IPv4 address")
]
Network = Annotated[
    IPv4Network,
    in_our_words("must be an IPv4 network without host bits, such as 192.168.50.0/24"),
    Field(title="IPv4 network"),
]
AddressRange = Annotated[str, AfterValidator(_address_range), Field(title="range of addresses")]
Version = Annotated[str, AfterValidator(_version), Field(title="version")]
DnsLabel = Annotated[
    str,
    StringConstraints(pattern=rf"^{_DNS_LABEL}$", max_length=63),
    in_our_words("must be a DNS label: at most 63 lower-case letters, digits and hyphens, such as my-castle"),
    Field(title="DNS label"),
]
DnsName = Annotated[
    str,
    StringConstraints(pattern=rf"^{_DNS_LABEL}(\.{_DNS_LABEL})*$", max_length=253),
    in_our_words("must be a DNS name in lower case, such as blog.example.org"),
    Field(title="DNS name"),
]
Tag = Annotated[
    str,
    StringConstraints(pattern=r"^tag:[a-z0-9][-a-z0-9]*$"),
    in_our_words("must be a tag such as tag:my-castle"),
    Field(title="tag"),
]
Text = Annotated[
    str,
    StringConstraints(min_length=1, pattern=r"\S"),
    in_our_words("must be text that is not blank (in quotes where it looks like a number, a date or true)"),
    Field(title="text"),
]
Image = Annotated[
    str,
    StringConstraints(pattern=r"^[^\s/@:]+\S*$"),
    in_our_words("must be an image reference, such as registry.k8s.io/pause:3.10"),
    Field(title="image reference"),
]
Patch = Annotated[
    Text | Annotated[dict[str, object], Field(min_length=1)],
    in_our_words("must be the name of a file beside castle.yaml, or a document of Talos' machine configuration"),
    Field(title="file or document"),
]
Positive = Annotated[int, Field(gt=0)]


def host_of(url: str) -> str:
    """The host name of a URL that has been validated."""
    return urlsplit(url).hostname or ""


def port_of(url: str, default: int = 443) -> int:
    """The port of a URL that has been validated."""
    return urlsplit(url).port or default
