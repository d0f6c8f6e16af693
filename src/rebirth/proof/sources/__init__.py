"""Places where a dependency is written, one file each: its function adds to the graph what it finds in the model.

Sources know nothing of each other: they meet by name (`meeting`). What one has to find in the graph already is said by its stage.
"""

from collections.abc import Callable, Iterator
from enum import IntEnum, auto

from rebirth.proof.graph import Graph
from rebirth.proof.reading.manifest import Model
from rebirth.proof.sources import addresses
from rebirth.proof.sources.castle import (
    api_address,
    api_names,
    beforehand,
    kubelets,
    machine_needs,
    roles,
    seed_templates,
    talos,
)
from rebirth.proof.sources.flux import (
    app_values,
    chart_addresses,
    chart_values,
    crds,
    fields,
    helm_releases,
    helmfile_needs,
    kustomizations,
    made_kinds,
    names,
    object_names,
    operators,
    orphans,
    rejected_values,
    resource_sets,
    sources,
    switched_on,
    traps,
    version,
)
from rebirth.proof.sources.outside import (
    allowed,
    authorities,
    copies,
    dns,
    fetched,
    mirrors,
    sealed,
    secrets,
    stores,
    templates,
    vault_operator,
)
from rebirth.proof.sources.refused import cert_manager, cloudnative_pg, metallb
from rebirth.proof.sources.refused import external_secrets as refused_secrets
from rebirth.proof.sources.refused import flux as refused_flux
from rebirth.proof.sources.workloads import (
    archives,
    bound_volumes,
    capacity,
    certificates,
    config,
    containers,
    custom_pods,
    identities,
    made_by_pods,
    namespaces,
    network,
    pod_security,
    reached,
    refusals,
    rights,
    shared_volumes,
    storage,
    webhooks,
    workloads,
)

Source = Callable[[Model, Graph], None]


def of_a_castle(model: Model, graph: Graph) -> None:
    """What only a castle has: its phases, and what they wait for. What those are made of is loaded for a castle alone."""
    if model.castle is not None:
        from rebirth.proof.sources.castle import castle, online, phases

        phases.read(model, graph)
        castle.read(model, graph)
        online.read(model, graph)


class Stage(IntEnum):
    """What a source finds in the graph: all that the sources of earlier stages have added."""

    GIVEN = auto()  # nothing: says what is there from the start
    UNITS = auto()  # the start; says which units there are, what each makes, and which operators run
    OBJECTS = auto()  # units and operators; says what single objects need and make
    NAMES = auto()  # every host name that somebody asks for
    WANTED = auto()  # every thing that somebody needs
    ASSUMED = auto()  # every thing that somebody makes, so what is left is taken as made
    ADMITTED = auto()  # everything: says which webhook looks at what


SOURCES: dict[Stage, tuple[Source, ...]] = {
    Stage.GIVEN: (beforehand.read, seed_templates.read),
    Stage.UNITS: (
        kustomizations.read,
        traps.read,
        version.read,
        fields.read,
        object_names.read,
        refusals.read,
        refused_flux.read,
        cert_manager.read,
        refused_secrets.read,
        metallb.read,
        cloudnative_pg.read,
        sources.read,
        chart_addresses.read,
        helm_releases.read,
        rejected_values.read,
        app_values.read,
        helmfile_needs.read,
        of_a_castle,
        talos.read,
        crds.read,
        operators.read,
    ),
    Stage.OBJECTS: (
        made_kinds.read,
        switched_on.read,
        resource_sets.read,
        namespaces.read,
        config.read,
        made_by_pods.read,
        workloads.read,
        custom_pods.read,
        stores.read,
        secrets.read,
        certificates.read,
        vault_operator.read,
        sealed.read,
        allowed.read,
        templates.read,
        storage.read,
        bound_volumes.read,
        archives.read,
        shared_volumes.read,
        network.read,
        addresses.read,
        reached.read,
        containers.read,
        identities.read,
        pod_security.read,
        rights.read,
        capacity.read,
        names.read,
        api_names.read,
        machine_needs.read,
        kubelets.read,
        api_address.read,
        roles.read,
        mirrors.read,
        fetched.read,
        authorities.read,
    ),
    Stage.NAMES: (dns.read,),
    Stage.WANTED: (chart_values.read, copies.read, orphans.read),
    Stage.ASSUMED: (helm_releases.assume, operators.assume),
    Stage.ADMITTED: (webhooks.read,),
}


def in_order() -> Iterator[Source]:
    """Every source, stage after stage."""
    for stage in sorted(SOURCES):
        yield from SOURCES[stage]
