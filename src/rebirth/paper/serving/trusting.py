"""Who answers for a Service on paper is trusted: its CA stands where the API server looks for one.

In a real cluster cert-manager's cainjector, a Job of the chart or the operator itself writes it; all of them are on paper, too.
"""

from collections.abc import Callable, Iterator

from rebirth.paper.api.client import Api, Kind, Object
from rebirth.paper.api.kinds import API_SERVICE, CRD, MUTATING, VALIDATING
from rebirth.paper.api.seen import Key, Seen, key_of
from rebirth.paper.api.work import Work
from rebirth.paper.serving.admission import bundle

_TRUSTING = {VALIDATING, MUTATING, CRD, API_SERVICE}


def untrusted(
    kind: Kind, item: Object, bundle: str, on_paper: Callable[[str, str], bool] = lambda _, __: True
) -> list[Object]:
    """The steps of a JSON patch that puts the bundle wherever the object names a Service (namespace, name) that is on paper; none
    where all is well.

    Each list entry is tested for its name: the object may have changed meanwhile.
    """
    return [
        step
        for path, config, guard in _configs(kind, item)
        if (service := config.get("service")) and on_paper(service.get("namespace", ""), service["name"])
        for step in _steps(path, config, guard, bundle)
    ]


def _configs(kind: Kind, item: Object) -> Iterator[tuple[str, Object, list[Object]]]:
    """Path and value of each mapping with a Service and a bundle, and what has to hold for the path to be right."""
    if kind in {VALIDATING, MUTATING}:
        for index, webhook in enumerate(item.get("webhooks") or []):
            guard = {"op": "test", "path": f"/webhooks/{index}/name", "value": webhook["name"]}
            yield f"/webhooks/{index}/clientConfig", webhook.get("clientConfig") or {}, [guard]
    elif kind == CRD:
        webhook = (item["spec"].get("conversion") or {}).get("webhook") or {}
        yield "/spec/conversion/webhook/clientConfig", webhook.get("clientConfig") or {}, []
    elif kind == API_SERVICE and not item["spec"].get("insecureSkipTLSVerify"):
        yield "/spec", item["spec"], []


def _steps(path: str, config: Object, guard: list[Object], bundle: str) -> Iterator[Object]:
    if config.get("caBundle") != bundle:
        yield from guard
        yield {"op": "add", "path": f"{path}/caBundle", "value": bundle}


class Trusting:
    """Keeps it so, whoever writes these objects anew."""

    def __init__(self, api: Api, seen: Seen, pem: str, refused: Callable[[tuple[Kind, Key], str], None]) -> None:
        self._api, self._seen = api, seen
        self._bundle = bundle(pem)
        self.work: Work[tuple[Kind, Key]] = Work(self._look, refused, at_once=4)

    def heard(self, kind: Kind, item: Object, gone: bool) -> None:
        if kind in _TRUSTING and not gone and untrusted(kind, item, self._bundle):
            self.work.add((kind, key_of(item)))

    async def _look(self, one: tuple[Kind, Key]) -> None:
        kind, key = one
        item = self._seen.get(kind, *key)
        if item and (steps := untrusted(kind, item, self._bundle)):
            await self._api.edit(kind, *key, steps)
