"""What a bootstrap applies first, where the API server does not take it at once."""

import asyncio

from rebirth.errors import Broken, NotYet
from rebirth.rehearse.placing import Placing
from rebirth.run.waiting import beside

WEBHOOK = "failed calling webhook: connection refused"


class Server:
    """Takes an object once its name is in `takes`; refuses one called wrong."""

    def __init__(self, *takes):
        self.takes, self.has = set(takes), []

    async def apply(self, item):
        name = item["metadata"]["name"]
        if name == "wrong":
            raise Broken("spec: Required value", system="Kubernetes", operation="apply", status=422)
        if name not in self.takes:
            raise NotYet(WEBHOOK)
        self.has.append(name)


def named(*names):
    return [{"kind": "ConfigMap", "metadata": {"name": name}} for name in names]


async def test_what_is_late_is_taken_later_and_that_is_said():
    server = Server("here")
    placing = Placing(server, within=0.1)
    await placing.place(named("here", "late", "never", "wrong"))
    assert server.has == ["here"]
    assert placing.refused == {
        "ConfigMap late": WEBHOOK, "ConfigMap never": WEBHOOK, "ConfigMap wrong": "Kubernetes: apply: spec: Required value",
    }  # fmt: skip
    server.takes |= {"late", "taken as there"}
    async with beside(placing.go_on(named("taken as there"))):
        async with asyncio.timeout(10):
            while len(server.has) < 3:
                await asyncio.sleep(0.01)
    assert set(server.has) == {"here", "late", "taken as there"}
    assert placing.refused["ConfigMap late"] == f"{WEBHOOK}; taken after all, while Flux ran"
    assert placing.refused["ConfigMap never"] == WEBHOOK, "it is still not there"
