"""Whether a machine's address is answered by that machine: an address can be anybody's, a network card's is its own."""

from rebirth.castle import Existing, Identity, Machine, Machines
from rebirth.errors import Broken, NotYet
from rebirth.providers.talos import Talosctl
from rebirth.run.waiting import together

_RESERVE = (
    "Reserve each address for its machine's MAC in DHCP (`rebirth plan` prints them), and start the machines again; a machine that "
    "has another card keeps it with `mac` in castle.yaml."
)
_TAKEN = (
    "Another machine has the address: give it, or the one in castle.yaml, another; a machine that has another card keeps it with "
    "`mac` in castle.yaml."
)


async def identified(
    identity: Identity, machines: Machines, existing: Existing | None, asked: list[Machine], talosctl: Talosctl
) -> dict[str, NotYet]:
    """Asks machines in maintenance mode for their network cards, before any of them is sent a secret.

    The names of those that say nothing, of which it is not known who they are, each with why. Raises Broken that says which
    machine answers where.
    """
    silent: dict[str, NotYet] = {}

    async def cards(machine: Machine) -> frozenset[str] | None:
        try:
            return await talosctl.cards(address=str(machine.address))
        except NotYet as error:
            silent[machine.name] = error
            return None

    names = [machine.name for machine in asked]
    found = dict(zip(names, await together(*map(cards, asked)), strict=True))
    # The card of a machine that somebody else made is known only where castle.yaml says it.
    own = [machine for machine in asked if machine.mac or not existing]
    owners = {machine.mac_address(identity.name): machine for machine in own}
    wrong = [
        f"{machine.address} is answered by {_described(cards_, owners)}, not by {machine.name} ({card})"
        for card, machine in owners.items()
        if (cards_ := found[machine.name]) is not None and card not in cards_
    ]
    if wrong:
        hint = f"{_RESERVE if machines.addressing == 'reserved-dhcp' else _TAKEN} Nothing was sent to them."
        raise Broken("; ".join(wrong), system="Talos", operation="configure machines", hint=hint)
    return silent


def _described(cards: frozenset[str], owners: dict[str, Machine]) -> str:
    if known := sorted(cards & owners.keys()):
        return f"{owners[known[0]].name} ({known[0]})"
    others = ", ".join(sorted(card for card in cards if card.strip("0:")))  # that of lo is all zeros
    return f"a machine that castle.yaml does not know ({others or 'no network card'})"
