"""Section `existing`: machines that somebody else made, bare metal included."""

from rebirth.castle.model import Section


class Existing(Section):
    """Machines that somebody else made.

    They run Talos in maintenance mode at the addresses of section `machines`; nothing here switches them on or makes them.

    What `machines` says of cores, memory and disks is what they have: the proof compares it with what pods ask for.
    """

    reset_on_destroy: bool = True
    """Whether destroy wipes what Talos keeps on them, so that they come back in maintenance mode; else they stay as they are."""
