"""A castle may do without each system outside; what is left of its graph follows from that."""

import pytest

from rebirth.castle import ExternalSecretsOfFlux
from rebirth.phases import BOOTSTRAP
from rebirth.run.create import sections
from rebirth.run.facts import CiliumInstalled, NodesReady
from rebirth.run.phase import goal, needs

ALL = {phase.name for phase in BOOTSTRAP.phases}
OF_ANCHORS = {"read_archive", "restore_credentials", "restore_databases", "restore_vault"}
OTHERWISE = {
    "install_cilium",
    "announce_pool",
    "await_storage",
    "await_ready",
    "await_machines",
    "bootstrap_flux_instance",
    *OF_ANCHORS,
}  # where the example does it in another way
OF_FLUX = {"await_external_secrets", *OTHERWISE}
OF_TAILSCALE = {"mint_node_key", "free_names"}
OF_THE_STORE = {"apply_vault_store", "open_vault_store"}


def phases(castle):
    return {phase.name for phase in BOOTSTRAP.of(sections(castle)).phases}


def test_the_example_has_all_but_what_waits_for_flux_to_install_external_secrets(draft):
    assert phases(draft.load()) == ALL - OF_FLUX


def test_without_tailscale(draft):
    del draft["tailscale"]
    assert phases(draft.load()) == ALL - OF_TAILSCALE - OF_FLUX


def test_without_vault(draft):
    for key in ("engine.vault", "engine.store", "handovers"):
        del draft[key]
    left = phases(draft.load())
    assert left == ALL - OF_THE_STORE - OF_FLUX - {"hand_over"}
    assert "install_external_secrets" in left, "its stores are the repository's"


def test_with_nothing_of_the_engine_and_no_tailnet(draft):
    for key in ("engine", "handovers", "tailscale"):
        del draft[key]
    castle = draft.load()
    gone = OF_TAILSCALE | OF_THE_STORE | {"install_external_secrets", "install_coredns", "hand_over"}
    assert phases(castle) == ALL - gone - OF_FLUX
    assert castle.engine.namespaces == []


def test_external_secrets_of_flux(draft):
    draft["engine.external_secrets"] = {"installed_by": "flux"}
    draft["engine.store.api"] = "v1beta1"
    castle = draft.load()
    assert castle.engine.external_secrets == ExternalSecretsOfFlux(installed_by="flux")
    assert phases(castle) == ALL - OTHERWISE - {"install_external_secrets"}


@pytest.mark.parametrize(
    ("without", "at", "said"),
    [
        ("engine.vault", "engine.store", "engine.vault, which is missing"),
        ("engine.external_secrets", "engine.store", "engine.external_secrets is missing"),
    ],
)
def test_a_store_needs_both_of_its_ends(draft, without, at, said):
    del draft["handovers"]
    del draft[without]
    (problem,) = draft.refused()
    assert (problem.path, said in problem.message) == (at, True)
    assert problem.line


def test_what_is_handed_over_goes_to_vault(draft):
    del draft["engine.vault"]
    del draft["engine.store"]
    (problem,) = draft.refused()
    assert problem.path == "handovers"
    assert "engine.vault, which is missing" in problem.message


@pytest.mark.parametrize(
    ("value", "path", "said"),
    [
        ({"installed_by": "helm"}, "engine.external_secrets.installed_by", "must be 'flux'"),
        ({"installed_by": "flux", "version": "1"}, "engine.external_secrets.version", "unknown key"),
        ({"repository": "https://a.example", "namespace": "a"}, "engine.external_secrets.version", "is missing"),
        ("flux", "engine.external_secrets", "must be a mapping"),
    ],
)
def test_of_two_forms_the_one_that_was_meant_is_told_about(draft, value, path, said):
    draft["engine.external_secrets"] = value
    (problem,) = draft.refused()
    assert (problem.path, problem.message) == (path, said)


OF_NETWORKING = {"install_metallb", "install_storage"}


def test_nothing_of_the_network_and_no_volumes(draft):
    for key in ("networking", "storage", "online"):
        del draft[key]
    gone = OF_NETWORKING | {"find_ingress", "visit_sites"}
    assert phases(draft.load()) == ALL - gone - OF_FLUX
    assert goal(BOOTSTRAP.of(sections(draft.load())).phases) == "converge"


def test_cilium_storage_of_flux_and_a_tunnel(draft):
    draft["kubernetes.cni"] = "cilium"
    pool = {"name": "lan", "addresses": ["192.168.50.200-192.168.50.220"]}
    draft["networking"] = {"cilium": {"version": "1.18.4", "pool": pool}}
    draft["storage"] = {"storage_class": "ceph-block"}
    draft["online"] = {"tunnel": {"namespace": "network", "name": "cloudflared"}}
    gone = OF_NETWORKING | {"find_ingress", "visit_sites", "await_external_secrets", "await_machines"}
    castle = draft.load()
    assert phases(castle) == ALL - gone - OF_ANCHORS - {"bootstrap_flux_instance"}
    own = {phase.makes: phase for phase in BOOTSTRAP.of(sections(castle)).phases}
    assert goal(own.values()) == "await_ready"
    assert CiliumInstalled in needs(own[NodesReady], own.values(), BOOTSTRAP.connections), "no node is Ready before it"
