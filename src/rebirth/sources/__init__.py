"""Places where a dependency is written, one file each: `read` adds to the graph what it finds in the model."""

from rebirth.sources import castle, crds, dns, flux, flux_sources, helm, operators, phases, talos, webhooks

SOURCES = (
    flux.read,
    flux_sources.read,
    helm.read,
    phases.read,
    castle.read,
    talos.read,
    dns.read,
    crds.read,
    operators.read,  # the last two look at what all others have found
    webhooks.read,
)
