"""Why the Flux graph waits: from what waits down to the one object that says why, as far as the API server's objects tell.

Pure functions over objects that somebody else has read. What lies at the end of a path is a `Cause`.
"""

from collections.abc import Iterable, Mapping

from rebirth.diagnosis.cause import Cause, Outlook
from rebirth.diagnosis.search import Search
from rebirth.diagnosis.steps import STEPS
from rebirth.diagnosis.wanted import Key, Object
from rebirth.providers.cluster import condition


def causes(nodes: Mapping[Key, Object], found: Mapping[Key, Object], absent: Iterable[Key]) -> dict[Key, list[Cause]]:
    """For each node of the Flux graph that is not Ready: why.

    `nodes` are the Kustomizations and HelmReleases, `found` the objects of `KINDS`; `absent` are those of `wanted_objects`
    that are not there.
    """
    search = Search({**nodes, **found}, STEPS, absent)
    waiting = [key for key, item in nodes.items() if condition(item)[0] != "True" and not item["spec"].get("suspend")]
    return {key: search.of(key) for key in waiting}


class Standstill:
    """For how long the same causes have stood while nothing else of the graph moved."""

    def __init__(self) -> None:
        self._since = 0.0
        self._shape: object = None
        self._final: set[Key] = set()

    def seconds(self, waiting: Mapping[Key, list[Cause]], now: float) -> float:
        """0 as long as anything is worked on, or nothing is final. To be asked again and again."""
        seen = [cause for found in waiting.values() for cause in found]
        final = {cause.key for cause in seen if cause.outlook is Outlook.FINAL}
        working = {cause.key for cause in seen if cause.outlook is Outlook.WORKING}
        # What fails for good is tried again all the same: for that moment it looks as if it were worked on.
        retried = working & self._final
        self._final = final | retried
        shape = frozenset(waiting), frozenset(self._final), frozenset(cause.key for cause in seen)
        if shape != self._shape or working - retried or not self._final:
            self._since, self._shape = now, shape
        return now - self._since if final else 0.0
