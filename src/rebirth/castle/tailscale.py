"""Section `tailscale`: the tailnet, who may mint keys on it, and the key that nodes join with."""

from typing import Annotated

from pydantic import Field

from rebirth.castle.model import DnsLabel, DnsName, HttpsUrl, Section, Tag
from rebirth.secrets import SecretRef


class NodeKey(Section):
    tags: Annotated[list[Tag], Field(min_length=1)]
    ttl_seconds: Annotated[int, Field(ge=60, le=90 * 24 * 3600)] = 3600
    reusable: bool = True
    ephemeral: bool = True


class Tailscale(Section):
    tailnet: DnsName
    api: HttpsUrl = "https://api.tailscale.com"
    oauth_client_id: SecretRef
    oauth_client_secret: SecretRef
    node_key: NodeKey
    names: list[DnsLabel] = []
