"""Places where a dependency is written, one file each: `read` adds to the graph what it finds in the model."""

from rebirth.sources import castle, dns, flux, phases, talos

SOURCES = (flux.read, phases.read, castle.read, talos.read, dns.read)
