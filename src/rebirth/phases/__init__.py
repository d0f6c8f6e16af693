"""The bootstrap, one file per phase. The order here means nothing: it follows from what each phase takes."""

from rebirth.phases import (
    announce_pool,
    apply_vault_store,
    await_external_secrets,
    await_machines,
    await_nodes,
    await_ready,
    await_storage,
    boot_machines,
    bootstrap_flux,
    bootstrap_flux_instance,
    bootstrap_kubernetes,
    configure_machines,
    converge,
    create_machines,
    create_namespaces,
    find_ingress,
    free_names,
    hand_over,
    install_cilium,
    install_coredns,
    install_external_secrets,
    install_metallb,
    install_storage,
    mint_node_key,
    open_vault_store,
    place_secrets,
    reach_outside,
    read_repository,
    resolve_secrets,
    upload_image,
    visit_sites,
)
from rebirth.phases.connections import CONNECTIONS as _CONNECTIONS
from rebirth.run.bootstrap import Bootstrap
from rebirth.run.phase import declared, read

PHASES = tuple(
    map(
        read,
        (
            resolve_secrets,
            read_repository,
            reach_outside,
            free_names,
            mint_node_key,
            upload_image,
            create_machines,
            boot_machines,
            await_machines,
            configure_machines,
            bootstrap_kubernetes,
            install_cilium,
            await_nodes,
            create_namespaces,
            place_secrets,
            install_coredns,
            install_external_secrets,
            await_external_secrets,
            apply_vault_store,
            open_vault_store,
            announce_pool,
            install_metallb,
            bootstrap_flux,
            bootstrap_flux_instance,
            install_storage,
            await_storage,
            converge,
            hand_over,
            find_ingress,
            await_ready,
            visit_sites,
        ),
    )
)
CONNECTIONS = tuple(declared(connection) for connection in _CONNECTIONS)
BOOTSTRAP = Bootstrap(PHASES, CONNECTIONS, resolve_secrets.resolved)
