"""Section `tailscale`: the tailnet, who may mint keys on it, and the key that nodes join with."""

from typing import Annotated

from pydantic import Field

from rebirth.castle.model import DnsLabel, DnsName, HttpsUrl, Section, Tag
from rebirth.castle.reference import SecretRef


class NodeKey(Section):
    """The key with which machines join the tailnet."""

    tags: Annotated[list[Tag], Field(min_length=1)]
    """The tags that the machines get on the tailnet."""
    ttl_seconds: Annotated[int, Field(ge=60, le=90 * 24 * 3600)] = 3600
    """How long the key is valid, in seconds."""
    reusable: bool = True
    """Whether several machines may join with it."""
    ephemeral: bool = True
    """Whether machines are removed from the tailnet when they are gone."""


class Tailscale(Section):
    """The tailnet, and who may mint keys on it."""

    tailnet: DnsName
    """The DNS name of the tailnet, such as `tail1234.ts.net`."""
    api: HttpsUrl = "https://api.tailscale.com"
    """The URL of the Tailscale API."""
    oauth_client_id: SecretRef
    """The id of the OAuth client that mints keys and removes devices."""
    oauth_client_secret: SecretRef
    """The secret of that OAuth client."""
    node_key: NodeKey
    """The key with which machines join the tailnet."""
    names: list[DnsLabel] = []
    """Names on the tailnet that must be free: with a stale device the new one would become `name-1`."""
