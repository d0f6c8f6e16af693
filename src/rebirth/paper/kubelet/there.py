"""What exists in a namespace, out of what was seen."""

from dataclasses import dataclass

from rebirth.paper.api.client import Object
from rebirth.paper.api.kinds import CLAIM, CONFIG_MAP, SECRET
from rebirth.paper.api.seen import Seen
from rebirth.paper.kubelet.needs import Keys, keys_of


@dataclass(frozen=True)
class Namespace:
    """One of them, for `needs`."""

    seen: Seen
    name: str

    def keys(self, kind: str, name: str) -> Keys | None:
        found = self.seen.get(SECRET if kind == "Secret" else CONFIG_MAP, self.name, name)
        return None if found is None else keys_of(found)

    def claim(self, name: str) -> Object | None:
        return self.seen.get(CLAIM, self.name, name)
