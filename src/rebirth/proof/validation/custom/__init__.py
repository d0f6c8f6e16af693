"""What is refused of custom kinds beyond their schema: rules that their CRDs have in CEL, and what operators' webhooks say no to.

The few that matter are written here as they are there; a library for CEL would read those of CRDs alone, which the bundled schemas do not keep.
"""

from collections.abc import Callable, Iterator, Mapping

from rebirth.proof.validation.custom import flux, gateway, operators
from rebirth.proof.validation.values import Fields, Refusal

_FLUX, _SOURCE = "toolkit.fluxcd.io", "source.toolkit.fluxcd.io"
_GATEWAY = "gateway.networking.k8s.io"

# By the group, of whichever version, and the kind.
CUSTOM: Mapping[tuple[str, str], Callable[[Fields], Iterator[Refusal]]] = {
    (f"helm.{_FLUX}", "HelmRelease"): flux.helm_release,
    (f"kustomize.{_FLUX}", "Kustomization"): flux.kustomization,
    (f"notification.{_FLUX}", "Receiver"): flux.receiver,
    (_SOURCE, "Bucket"): flux.bucket,
    (_SOURCE, "HelmChart"): flux.helm_chart,
    ("fluxcd.controlplane.io", "FluxInstance"): flux.flux_instance,
    ("fluxcd.controlplane.io", "ResourceSet"): flux.resource_set,
    ("fluxcd.controlplane.io", "ResourceSetInputProvider"): flux.input_provider,
    (_GATEWAY, "Gateway"): gateway.gateway,
    (_GATEWAY, "HTTPRoute"): gateway.route,
    (_GATEWAY, "GRPCRoute"): gateway.route,
    (_GATEWAY, "TLSRoute"): gateway.route,
    (_GATEWAY, "TCPRoute"): gateway.route,
    (_GATEWAY, "UDPRoute"): gateway.route,
    ("postgresql.cnpg.io", "Cluster"): operators.cluster,
    ("postgresql.cnpg.io", "Database"): operators.database,
    ("tailscale.com", "Connector"): operators.connector,
    ("longhorn.io", "RecurringJob"): operators.recurring_job,
}

__all__ = ["CUSTOM"]
