"""What each kind of object waits for: one file for what belongs together, one entry a kind."""

from collections.abc import Mapping

from rebirth.diagnosis.search import Step
from rebirth.diagnosis.steps import certificates, flux, network, platform, stores, workloads

STEPS: Mapping[str, Step] = {
    **flux.STEPS,
    **workloads.STEPS,
    **platform.STEPS,
    **network.STEPS,
    **stores.STEPS,
    **certificates.STEPS,
}
