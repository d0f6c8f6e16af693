"""Network cards."""

from typing import Annotated

from pydantic import Field, StringConstraints

from rebirth.castle.model import Address, Section, Text, in_our_words

_JUMBO = 65520  # bytes: the largest MTU of a card

Mac = Annotated[
    str,
    StringConstraints(pattern=r"^[0-9A-Fa-f]{2}(:[0-9A-Fa-f]{2}){5}$"),
    in_our_words("must be a MAC address such as 02:00:00:12:34:56"),
    Field(title="MAC address"),
]


class Card(Section):
    """A network card, as Proxmox makes it."""

    bridge: Text | None = None
    """The bridge of Proxmox."""
    vlan: Annotated[int, Field(ge=1, le=4094)] | None = None
    """The VLAN tag; Proxmox sets it, the machine sees none."""
    mtu: Annotated[int, Field(ge=1, le=_JUMBO)] | None = None
    """The MTU in bytes; 1: that of the bridge."""
    firewall: bool | None = None
    """Whether Proxmox' firewall looks at it."""


class Interface(Card):
    """A further network card. Without an address nothing asks for one: it is there for what runs on the machine."""

    bridge: Text
    """The bridge of Proxmox."""
    mac: Mac | None = None
    """Its MAC address; computed if it is not given."""
    address: Address | None = None
    """Its address; without one nothing asks for one."""
    prefix: Annotated[int, Field(ge=1, le=32)] = 24
    """The length of the prefix of its network."""
