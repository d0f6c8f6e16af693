"""Step 2 of the protocol: a short-lived tailnet key for the nodes. It exists in memory only and is minted again on resume."""

from rebirth.castle import Identity, Tailscale
from rebirth.providers.tailnet import TailnetApi
from rebirth.run.facts import NodeKeyMinted, OutsideReached
from rebirth.secrets import Redaction

LAYER = "key"
PATIENCE = 60
ON_DEMAND = True


def key_description(castle: str) -> str:
    """By which destroy knows the keys that were minted for a castle."""
    return f"rebirth {castle}"


async def mint_node_key(
    identity: Identity, tailscale: Tailscale, tailnet: TailnetApi, redaction: Redaction, outside: OutsideReached
) -> NodeKeyMinted:
    """Mint the nodes' tailnet key."""
    asked = tailscale.node_key
    key = await tailnet.mint_key(
        tags=asked.tags,
        seconds=asked.ttl_seconds,
        reusable=asked.reusable,
        ephemeral=asked.ephemeral,
        description=key_description(identity.name),
    )
    redaction.learn(key.value)
    return NodeKeyMinted(key.value, key.identity)
