"""Section `gitops.flux`: how Flux comes into the cluster."""

from typing import Literal, Self

from pydantic import model_validator

from rebirth.castle.foundation import Chart
from rebirth.castle.model import ChartRepository, Section


class FluxOfRepository(Section):
    """From its manifests: those of the repository's folder flux-system, else those of the flux program."""


class FluxOperator(Chart):
    """flux-operator's release."""

    repository: ChartRepository = "oci://ghcr.io/controlplaneio-fluxcd/charts"
    """Where the chart is published."""
    namespace: Literal["flux-system"] = "flux-system"
    """The namespace: Flux is where its operator is."""


class FluxByOperator(Section):
    """flux-operator installs it, as a FluxInstance says."""

    operator: FluxOperator
    """The release of flux-operator."""
    instance: dict[str, object] = {}
    """The `spec` of the FluxInstance; what it syncs is what the section gitops says."""

    @model_validator(mode="after")
    def _one_source(self) -> Self:
        if "sync" in self.instance:
            raise ValueError("at instance.sync: gitops itself says repository, branch and path")
        return self
