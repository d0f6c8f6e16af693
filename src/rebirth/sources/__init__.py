"""Places where a dependency is written, one file each: `read` adds to the graph what it finds in the model."""

from rebirth.sources import (
    beforehand,
    capacity,
    castle,
    certificates,
    config,
    copies,
    crds,
    dns,
    flux,
    flux_sources,
    helm,
    names,
    namespaces,
    network,
    operators,
    orphans,
    phases,
    pod_security,
    secrets,
    storage,
    stores,
    talos,
    vault_operator,
    webhooks,
    workloads,
)

SOURCES = (
    beforehand.read,
    flux.read,
    flux_sources.read,
    helm.read,
    phases.read,
    castle.read,
    talos.read,
    crds.read,
    operators.read,
    namespaces.read,  # from here on: whether an operator runs is known
    config.read,
    workloads.read,
    stores.read,
    secrets.read,
    certificates.read,
    vault_operator.read,
    storage.read,
    network.read,
    pod_security.read,
    capacity.read,
    names.read,
    dns.read,  # once all names are asked for
    copies.read,  # the last two look at what all others need
    orphans.read,
    operators.assume,  # once all have said which operators they need
    webhooks.read,  # once it is known what comes before a webhook's configuration
)
