"""From what waits down to what says why: one walk over objects that somebody else has read.

What one kind of object waits for is its step (`steps/`): it asks `Search.of` for the causes of what it needs, and says its own
word where that is all well. Who asked for whom stays known (`held`): it is the tree from a root up to all that waits.
"""

from collections import defaultdict
from collections.abc import Callable, Collection, Iterable, Iterator, Mapping
from functools import cached_property

from rebirth.diagnosis.cause import Cause, Outlook, label
from rebirth.diagnosis.wanted import FLUX, Key, Object


class Search:
    """`objects` is what was read, all of the kinds `whole`; `absent` what was asked for besides and is not there.

    `events` are those of the API; `made_by` who makes what is not there, as far as somebody else knows; `now` (RFC 3339, UTC) is
    when it was read, "" where the time plays no role.
    """

    def __init__(
        self,
        objects: Mapping[Key, Object],
        steps: Mapping[str, "Step"],
        absent: Iterable[Key] = (),
        *,
        whole: Collection[str] = (),
        events: Iterable[Object] = (),
        made_by: Mapping[Key, Collection[Key]] | None = None,
        now: str = "",
    ) -> None:
        self.objects, self.now = objects, now
        self._absent, self._whole, self._made_by = frozenset(absent), frozenset(whole), made_by or {}
        self.held: dict[Key, dict[Key, None]] = defaultdict(dict)  # who waits for it, as far as was asked
        self._steps = steps
        self._path: list[tuple[Key, bool]] = []
        self._known: dict[Key, list[Cause]] = {}
        self._events: dict[Key, list[Object]] = defaultdict(list)
        for event in sorted(events, key=_last):
            of = event.get("involvedObject") or {}
            self._events[of.get("kind") or "", of.get("namespace") or "", of.get("name") or ""].append(event)

    def of(self, key: Key, *, first: bool = False) -> list[Cause]:
        """Why something is not well; nothing where it is, or where nothing is known of its kind.

        `first`: who asks cannot begin before it is well; a way of such needs that comes back to itself never ends.
        """
        if self._path and self._path[-1][0] != key:
            self.held[key][self._path[-1][0]] = None
        if key in self._known:
            return self._known[key]
        if key in {other for other, _ in self._path}:
            return self._cycle(key, first=first)
        self._path.append((key, first))
        try:
            found = list(dict.fromkeys(self._look(key)))
        finally:
            self._path.pop()
        self._known[key] = found
        return found

    def is_absent(self, key: Key) -> bool:
        """Whether it is known not to be there."""
        return key in self._absent or (key[0] in self._whole and key not in self.objects)

    def missing(self, key: Key, why: str) -> list[Cause]:
        """The causes of what is not there; that it is missing itself where nobody is known to make it. `why`: who needs it."""
        return [
            Cause(key, f"does not exist; {why}", cause.outlook) if cause.key == key else cause for cause in self.of(key)
        ]

    def said(self, key: Key, *reasons: str) -> str:
        """The last event of an object, of those reasons, or of any that is a warning; "" where there is none."""
        for event in reversed(self.events(key)):
            if event.get("reason") in reasons or (not reasons and event.get("type") == "Warning"):
                return " ".join(str(event.get("message") or "").split())
        return ""

    def events(self, key: Key) -> list[Object]:
        """What was said of an object, in order of time."""
        return self._events.get(key, [])

    def is_known(self, key: Key, cause: Key) -> bool:
        """Whether somebody asked for it, and it waits for what is said by `cause`."""
        return any(one.key == cause for one in self._known.get(key, ()))

    def kinds(self, *kinds: str) -> Iterator[tuple[Key, Object]]:
        """The objects of those kinds."""
        for kind in kinds:
            yield from self._by_kind.get(kind, ())

    def pods(self, namespace: str, selector: Mapping[str, str]) -> list[tuple[Key, Object]]:
        """The pods that have these labels; none for no labels."""
        every = self._pods.get(namespace, ()) if selector else ()
        return [(key, pod) for key, pod in every if selector.items() <= (pod["metadata"].get("labels") or {}).items()]

    @cached_property
    def addresses(self) -> dict[str, Key]:
        """The Services, by their addresses inside the cluster."""
        listed = (
            (address, key)
            for key, service in self.kinds("Service")
            for address in (service.get("spec") or {}).get("clusterIPs")
            or [(service.get("spec") or {}).get("clusterIP")]
        )
        return {address: key for address, key in listed if address and address != "None"}

    @cached_property
    def _makers(self) -> dict[Key, list[Key]]:
        """What would make an object, and is there itself."""
        found: dict[Key, list[Key]] = defaultdict(list)
        for key, item in self.objects.items():
            for made in _makes(key, item):
                found[made].append(key)
        return found

    @cached_property
    def _by_kind(self) -> dict[str, list[tuple[Key, Object]]]:
        found: dict[str, list[tuple[Key, Object]]] = defaultdict(list)
        for key, item in self.objects.items():
            found[key[0]].append((key, item))
        return found

    @cached_property
    def _pods(self) -> dict[str, list[tuple[Key, Object]]]:
        found: dict[str, list[tuple[Key, Object]]] = defaultdict(list)
        for key, pod in self.kinds("Pod"):
            found[key[1]].append((key, pod))
        return found

    def _look(self, key: Key) -> Iterator[Cause]:
        item = self.objects.get(key)
        if item is not None:
            if step := self._steps.get(key[0]):
                yield from step(self, key, item)
        elif self.is_absent(key) or key[0] in FLUX:
            makers = [*self._makers.get(key, ()), *self._made_by.get(key, ())]
            made = [cause for maker in makers for cause in self.of(maker)]
            yield from made or [Cause(key, "does not exist", Outlook.STUCK)]

    def _cycle(self, key: Key, *, first: bool) -> list[Cause]:
        """A way that comes back to where it was: without an end where each needs the next one first."""
        start = next(at for at, (other, _) in enumerate(self._path) if other == key)
        way = self._path[start:]
        if not first or not all(needed for _, needed in way[1:]):
            return []
        keys = [other for other, _ in way]
        least = keys.index(min(keys))
        turned = [*keys[least:], *keys[:least], keys[least]]
        return [Cause(keys[least], f"waits for itself: {' → '.join(map(label, turned))}", Outlook.FINAL)]


Step = Callable[[Search, Key, Object], Iterable[Cause]]


def _last(event: Object) -> str:
    series = event.get("series") or {}
    found = event.get("lastTimestamp") or series.get("lastObservedTime") or event.get("eventTime")
    return str(found or event["metadata"].get("creationTimestamp") or "")


def _makes(key: Key, item: Object) -> Iterator[Key]:
    """Secrets that operators make of an object."""
    kind, namespace, name = key
    spec = item.get("spec") or {}
    if kind == "ExternalSecret":
        yield "Secret", namespace, (spec.get("target") or {}).get("name") or name
    if kind == "Certificate" and spec.get("secretName"):
        yield "Secret", namespace, spec["secretName"]
    if kind == "SealedSecret":
        yield kind.removeprefix("Sealed"), namespace, name
