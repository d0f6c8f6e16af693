"""What comes after a thing: asked once for each maker instead of once for each of its many users."""

from rebirth.proof.graph import Graph
from rebirth.proof.things import Scope, Thing


class After:
    """Everything that needs a thing on a first boot, directly or through others."""

    def __init__(self, graph: Graph) -> None:
        self.graph = graph
        self._users = graph.users(Scope.FIRST_BOOT)
        self._found: dict[Thing, set[Thing]] = {}

    def of(self, thing: Thing) -> set[Thing]:
        if thing not in self._found:
            found: set[Thing] = set()
            pending = [thing]
            while pending:
                for user in self._users.get(pending.pop(), ()):
                    if user not in found:
                        found.add(user)
                        pending.append(user)
            self._found[thing] = found
        return self._found[thing]

    def is_there(self, thing: Thing, gate: Thing) -> bool:
        """Whether `thing` is true once `gate` is: the gate, or what makes the gate true, needs it or one of its makers."""
        if gate == thing or gate in self.of(thing):
            return True
        return any(
            edge.needs in self.graph.starts or gate == edge.needs or gate in self.of(edge.needs)
            for edge in self.graph.makers(thing)
        )
