"""Places where a dependency is written, one file each: `read` adds to the graph what it finds in the model."""

from rebirth.sources import castle, crds, flux, flux_sources, helm, operators, phases, webhooks

# The last two look at what all others have found.
SOURCES = (flux.read, flux_sources.read, helm.read, phases.read, castle.read, crds.read, operators.read, webhooks.read)
