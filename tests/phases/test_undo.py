"""What the phases' undos must be for destroy to be derived from them: none is missing, and their order is the graph's, backwards."""

import ast
import inspect
import sys
from dataclasses import dataclass, replace

import pytest

from declaring import as_phase
from rebirth.phases import CONNECTIONS, PHASES
from rebirth.providers.factory import ImageFactory
from rebirth.providers.git import GitRemote
from rebirth.providers.proxmox import ProxmoxApi
from rebirth.providers.tailnet import TailnetApi
from rebirth.providers.talos import Talosctl
from rebirth.providers.vault import VaultApi
from rebirth.providers.web import Web
from rebirth.run.destroy import backwards
from rebirth.run.facts import Fact, Made
from rebirth.run.phase import Undo, declared

# Methods after which something is there outside of the cluster that was not there before.
MAKE = {
    ProxmoxApi: {"create", "download_image"},
    TailnetApi: {"mint_key"},
    VaultApi: {"set"},
    Talosctl: {"ensure_secrets", "write_client_configuration", "write_kubeconfig"},
    ImageFactory: {"register"},
    GitRemote: set(),
    Web: set(),
}
# All others: they look, remove, or change what another method has made.
DO_NOT = {
    ProxmoxApi: {
        "reach",
        "lacks",
        "offers",
        "images",
        "shared_storages",
        "machines",
        "start",
        "stop",
        "delete",
        "close",
        "configure",
        "memory",
        "options",
        "shut_down",
    },
    TailnetApi: {"devices", "lacks", "keys", "delete_device", "delete_key", "close"},
    VaultApi: {"reach", "lacks", "read", "close"},
    Talosctl: {
        "answers",
        "apply",
        "boot",
        "bootstrap",
        "cards",
        "change",
        "configuration",
        "etcd_exists",
        "etcd_members",
        "etcd_voters",
        "generate",
        "in_maintenance",
        "leave_etcd",
        "listens",
        "put_secrets",  # the same file as ensure_secrets makes
        "rehearse",
        "remove_etcd_member",
        "reset",
        "serves",
        "tell_kubelet",
        "validate",
        "version",
    },
    ImageFactory: set(),
    GitRemote: {"fetch", "documents"},
    Web: {"visit"},
}


@pytest.mark.parametrize("client", MAKE, ids=lambda client: client.__name__)
def test_what_each_method_of_a_client_does_is_known(client):
    methods = {name for name, value in vars(client).items() if callable(value) and not name.startswith("_")}
    assert methods == MAKE[client] | DO_NOT[client]


def makes_outside(source: str) -> set[str]:
    """The methods in `source` that make something outside, by the annotations of the parameters that they are called on."""
    tree = ast.parse(source)
    arguments = [node for node in ast.walk(tree) if isinstance(node, ast.arg) and isinstance(node.annotation, ast.Name)]
    clients = {node.arg: node.annotation.id for node in arguments}
    make = {client.__name__: methods for client, methods in MAKE.items()}
    return {
        node.attr
        for node in ast.walk(tree)
        if isinstance(node, ast.Attribute) and isinstance(node.value, ast.Name)
        if node.attr in make.get(clients.get(node.value.id, ""), ())
    }


def source_of(phase) -> str:
    return inspect.getsource(sys.modules[inspect.unwrap(phase.function).__module__])


@pytest.mark.parametrize("phase", PHASES, ids=lambda phase: phase.name)
def test_a_phase_that_makes_something_outside_says_how_it_goes(phase):
    assert phase.undo or not makes_outside(source_of(phase))


def test_what_makes_something_outside_is_seen():
    found = {phase.name: made for phase in PHASES if (made := makes_outside(source_of(phase)))}
    assert found == {
        "mint_node_key": {"mint_key"},
        "upload_image": {"download_image", "register"},
        "create_machines": {"create"},
        "configure_machines": {"ensure_secrets", "write_client_configuration"},
        "bootstrap_kubernetes": {"write_kubeconfig"},
        "hand_over": {"set"},
    }
    assert makes_outside("async def f(api: ProxmoxApi):\n    await g(partial(api.create, vm_id=1))") == {"create"}
    assert makes_outside("async def f(cluster: Cluster):\n    await cluster.create()") == set()


# -- in which order


@dataclass(frozen=True)
class Ground(Fact):
    pass


@dataclass(frozen=True)
class Walls(Fact):
    pass


@dataclass(frozen=True)
class Roof(Fact):
    pass


async def dig() -> Ground:
    return Ground()


async def wall(ground: Ground) -> Walls:
    return Walls()


async def roof(walls: Walls) -> Roof:
    return Roof()


async def undo() -> list[Made]:
    return []


def undone(function, after=()):
    return replace(as_phase(function), undo=Undo(**vars(declared(undo)), title=function.__name__, after=after))


def test_what_needs_a_phase_is_undone_before_it():
    assert backwards([undone(dig), undone(wall), undone(roof)], ()) == {
        "undo_dig": ["undo_wall", "undo_roof"],
        "undo_wall": ["undo_roof"],
        "undo_roof": [],
    }


def test_also_over_phases_that_made_nothing_outside():
    assert backwards([undone(dig), as_phase(wall), undone(roof)], ()) == {"undo_dig": ["undo_roof"], "undo_roof": []}


def test_what_has_to_outlive_what_it_needs():
    """The roof says that it goes after the walls: so it does, and still before the ground."""
    assert backwards([undone(dig), undone(wall), undone(roof, after=(Walls,))], ()) == {
        "undo_dig": ["undo_wall", "undo_roof"],
        "undo_wall": [],
        "undo_roof": ["undo_wall"],
    }


def test_devices_and_credentials_go_after_the_machines():
    """A device of a machine that lives comes back; and without credentials nobody gets at a machine that will not go."""
    order = backwards(PHASES, CONNECTIONS)

    def before(name):
        return {other for direct in order[name] for other in (direct, *before(direct))}

    for name in ("free_names", "configure_machines", "bootstrap_kubernetes", "mint_node_key"):
        assert "undo_create_machines" in before(f"undo_{name}")
