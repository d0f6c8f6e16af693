"""Every exchange of a test with the Proxmox stand-in is held against the published API."""

from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass, field

import pytest
from starlette.types import ASGIApp

from pve_schema import judge
from rebirth.lab.proxmox.recording import Exchange, recording


@dataclass
class PublishedApi:
    """`strict` False: the test asks for what is not published; the stand-in has to refuse it all the same."""

    strict: bool = True
    seen: Counter[str] = field(default_factory=Counter)
    violations: list[str] = field(default_factory=list)

    def around(self, app: ASGIApp) -> ASGIApp:
        return recording(app, self.hold)

    def hold(self, exchange: Exchange) -> None:
        verdict = judge(exchange)
        self.seen[verdict.title] += 1
        self.violations += [f"{verdict.title} {said}" for said in verdict.wrong]
        if self.strict and exchange.status != 401:
            self.violations += [
                f"{verdict.title}: {name or 'the client'}: {said}" for name, said in verdict.asked.items()
            ]
            if exchange.status == 400 and not verdict.asked:
                self.violations.append(f"{verdict.title} refuses what is published: {exchange.answer}")


@pytest.fixture
def published() -> Iterator[PublishedApi]:
    """`published.around(proxmox_app(pve))`: fails the test for what is outside of the published API, on either side."""
    api = PublishedApi()
    yield api
    assert not api.violations, "\n".join(sorted(set(api.violations)))


@pytest.fixture
def outside_the_schema(published: PublishedApi) -> None:
    """For tests that ask for what Proxmox does not know, to see how it is refused."""
    published.strict = False
