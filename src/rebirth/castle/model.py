"""What every section of castle.yaml has in common, and the value types they share."""

import re
from ipaddress import IPv4Network, IPv6Address, IPv6Network
from typing import Annotated
from urllib.parse import urlsplit

from pydantic import (
    AfterValidator,
    BaseModel,
    BeforeValidator,
    ConfigDict,
    Field,
    StringConstraints,
    ValidatorFunctionWrapHandler,
    WithJsonSchema,
    WrapValidator,
)
from pydantic_core import PydanticCustomError

from rebirth.addresses import IPAddress, span_of


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


def https_url(value: str) -> str:
    try:
        parts = urlsplit(value)
        port_is_sound = parts.port is None or parts.port > 0
    except ValueError:
        port_is_sound = False
    if not port_is_sound or parts.scheme != "https" or not parts.hostname or parts.username:
        raise ValueError("must be an https URL without user information, such as https://host.example:8006")
    return value


def _address_range(value: str) -> str:
    try:
        sound = span_of(value) is not None
    except ValueError:
        raise ValueError(
            "must be FIRST-LAST of one family, such as 192.168.50.200-192.168.50.220, or a network in CIDR form"
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


def _chart_repository(value: str) -> str:
    if value.startswith("oci://"):
        https_url(value.replace("oci", "https", 1))
        return value
    return https_url(value)


def _version(value: str) -> str:
    if not re.fullmatch(_VERSION, value):
        raise ValueError("must be a version such as v1.35.4")
    return value


_SECONDS = {"h": 3600, "m": 60, "s": 1}
DURATION = r"^(\d+(h|m|s))+$"


def seconds_of(text: str) -> float | None:
    """Of a duration such as 1h30m; None where the text is none."""
    if not re.fullmatch(DURATION, text):
        return None
    return float(sum(int(number) * _SECONDS[unit] for number, unit in re.findall(r"(\d+)([hms])", text)))


def _seconds(value: object) -> float:
    seconds: float = 0
    if isinstance(value, str):
        seconds = seconds_of(value) or 0
    elif isinstance(value, int | float) and not isinstance(value, bool):
        seconds = value
    if not 0 < seconds < _LONGEST:
        raise ValueError("must be seconds, or a duration such as 40m or 1h30m, of at most a week")
    return float(seconds)


_LONGEST = 7 * 24 * 3600.0  # seconds
_DNS_LABEL = r"[a-z0-9]([-a-z0-9]*[a-z0-9])?"

# What editors are told of a value whose validator is a function: never more than that refuses.
_HTTPS = {"pattern": r"^[Hh][Tt]{2}[Pp][Ss]://[^/?#@]+([/?#]|$)"}
_VERSION = r"v\d+\.\d+\.\d+(-[0-9A-Za-z.]+)?"
_SPAN = {"pattern": r"^\s*[0-9a-fA-F.:]+(/\d+|\s*-\s*[0-9a-fA-F.:]+)?\s*$"}

ChartRepository = Annotated[str, AfterValidator(_chart_repository), Field(title="https or oci URL")]
HttpsUrl = Annotated[str, AfterValidator(https_url), Field(title="https URL", json_schema_extra=_HTTPS)]
Address = Annotated[
    IPAddress,
    in_our_words("must be an IPv4 or IPv6 address, such as 192.168.50.11 or fd00:50::11"),
    Field(title="IP address"),
]
Network = Annotated[
    IPv4Network | IPv6Network,
    in_our_words("must be an IPv4 or IPv6 network without host bits, such as 192.168.50.0/24 or fd00:50::/64"),
    Field(title="IP network"),
]
AddressRange = Annotated[
    str, AfterValidator(_address_range), Field(title="range of addresses", json_schema_extra=_SPAN)
]
Version = Annotated[
    str, AfterValidator(_version), Field(title="version", json_schema_extra={"pattern": f"^{_VERSION}$"})
]
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
Duration = Annotated[
    float,
    BeforeValidator(_seconds),
    WithJsonSchema({"anyOf": [{"type": "number"}, {"type": "string", "pattern": DURATION}], "title": "duration"}),
]
Positive = Annotated[int, Field(gt=0)]


def port_of(url: str, default: int = 443) -> int:
    """The port of a URL that has been validated."""
    return urlsplit(url).port or default


def bracketed(host: str) -> str:
    """A host as it stands in a URL: an IPv6 address in brackets."""
    try:
        return f"[{IPv6Address(host)}]"
    except ValueError:
        return host
