"""Step 2 of the protocol: a short-lived tailnet key for the nodes. It exists in memory only and is minted again on resume."""

from functools import partial

from rebirth.castle import Identity, Tailscale
from rebirth.providers.tailnet import TailnetApi
from rebirth.run.facts import Made, NodeKeyMinted, OutsideReached
from rebirth.run.journal import Marks
from rebirth.run.waiting import together
from rebirth.secrets import Redaction

LAYER = "key"
PATIENCE = 60
ON_DEMAND = True


_KEYS = "rebirth "  # and the castle's name: by this description its keys are known again
_MARK = "description of a key"
SENT = "key that a machine was sent"


async def mint_node_key(
    identity: Identity,
    tailscale: Tailscale,
    tailnet: TailnetApi,
    redaction: Redaction,
    marks: Marks,
    outside: OutsideReached,
) -> NodeKeyMinted:
    """Mint the nodes' tailnet key."""
    asked, description = tailscale.node_key, f"{_KEYS}{identity.name}"
    if description in marks.of(_MARK):  # else nothing was ever minted from here
        await _revoke_what_nobody_has(description, tailnet, marks)
    marks.add(_MARK, description)  # should the castle be renamed
    key = await tailnet.mint_key(
        tags=asked.tags,
        seconds=asked.ttl_seconds,
        reusable=asked.reusable,
        ephemeral=asked.ephemeral,
        description=description,
    )
    redaction.learn(key.value)
    return NodeKeyMinted(key.value, key.identity)


async def _revoke_what_nobody_has(description: str, tailnet: TailnetApi, marks: Marks) -> None:
    """Keys of runs that ended before a machine was sent them: their values died with those runs."""
    sent = marks.of(SENT)
    left = [key for key, said in (await tailnet.keys()).items() if said == description and key not in sent]
    await together(*(tailnet.delete_key(identity=key) for key in left))


async def undo(identity: Identity, tailnet: TailnetApi, marks: Marks) -> list[Made]:
    """The tailnet keys that were minted for the castle."""
    ours = {f"{_KEYS}{identity.name}", *marks.of(_MARK)}
    return [
        Made("key", description, key, partial(tailnet.delete_key, identity=key))
        if description in ours
        else Made("key", description, key, stays="minted for another castle, or for this one under an earlier name")
        for key, description in (await tailnet.keys()).items()
        if description.startswith(_KEYS)
    ]
