"""What waits for the repository's graph ends where that can no longer become Ready."""

import pytest

from rebirth.phases import CONNECTIONS, PHASES
from rebirth.run import facts
from rebirth.run.phase import needs


def stopped_by(failed: type[facts.Fact]) -> set[type]:
    """The facts that are no longer made where `failed` is not: by who takes them, and by who waits for them."""
    needed = {phase.makes: {*needs(phase, PHASES, CONNECTIONS), *phase.waits_for} for phase in PHASES}
    found: set[type] = {failed}
    while more := {kind for kind, others in needed.items() if others & found} - found:
        found |= more
    return found


@pytest.mark.parametrize(
    "failed",
    [
        facts.ExternalSecretsInstalled,
        facts.MetalLbInstalled,
        facts.CoreDnsInstalled,
        facts.StorageInstalled,
        facts.VaultStoreOpened,
        facts.FluxBootstrapped,
        facts.HandedOver,
    ],
)
def test_nobody_waits_on_for_a_graph_that_cannot_become_ready(failed):
    waiting = {facts.Converged, facts.HandedOver, facts.IngressFound, facts.SitesVisited}
    assert waiting <= stopped_by(failed)


def test_what_is_waited_for_is_made_by_a_phase():
    made = {phase.makes for phase in PHASES}
    assert all(kind in made for phase in PHASES for kind in phase.waits_for)
