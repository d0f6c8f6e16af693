"""Schematics: their ids are the image factory's own."""

import pytest
from pydantic import ValidationError

from castle.test_machines import PLANE, WORKER, machines
from rebirth.castle import Talos
from rebirth.castle.hardware import Schematic

EXAMPLE = "708747e350d604ae9e57227d8dcf274091453ddb1097b765d4ea8884f1992c1f"
# Published: in Talos' documentation, in image-factory's own tests (the kernel arguments), and all over public repositories.
KNOWN = [
    ({}, "376567988ad370138ad8b2698212367b8edcb69b5fd68c80be1f2ec7d603b4ba"),
    ({"extensions": ["qemu-guest-agent"]}, "ce4c980550dd2ab1b17bbf2b08801c7eb59418eafe8f279833297925d67c7515"),
    ({"extensions": ["util-linux-tools", "siderolabs/iscsi-tools"]}, "613e1592b2da41ae5e265e8789429f22e121aab91cb4deb6bc3c0b6262961245"),
    ({"kernel_args": ["noapic", "nolapic"]}, "9cba8e32753f91a16c1837ab8abf356af021706ef284aef07380780177d9a06c"),
    ({"extensions": ["iscsi-tools", "tailscale", "util-linux-tools"]}, EXAMPLE),
]  # fmt: skip


def talos(**named):
    return Talos.model_validate({"version": "v1.12.0", "schematic": EXAMPLE} | named, strict=False)


@pytest.mark.parametrize(("said", "known"), KNOWN)
def test_the_id_is_the_factorys(said, known):
    assert Schematic.model_validate(said, strict=False).id == known


@pytest.mark.parametrize(
    "said",
    [{"extensions": ["ghcr.io/x/y:v1"]}, {"kernel_args": ["a b"]}, {"kernel_args": ["yes"]}, {"kernel_args": ["x=1:"]}],
)
def test_what_the_factory_would_write_otherwise_is_refused(said):
    with pytest.raises(ValidationError):
        Schematic.model_validate(said, strict=False)


def test_image_and_installer_follow_from_schematic_and_addressing():
    castle = machines(PLANE)
    machine = castle.nodes[0]
    assert talos().image_url(machine, castle).endswith(f"/image/{EXAMPLE}/v1.12.0/nocloud-amd64.iso")
    assert talos().installer_of(machine, castle) == f"factory.talos.dev/nocloud-installer/{EXAMPLE}:v1.12.0"
    reserved = castle.model_copy(update={"addressing": "reserved-dhcp"})
    assert talos().installer_of(machine, reserved) == f"factory.talos.dev/metal-installer/{EXAMPLE}:v1.12.0"
    assert talos().image_name(machine, reserved) == "talos-v1.12.0-708747e350d6.iso"


def test_an_installer_that_is_given_is_kept_but_for_a_machine_with_another_schematic():
    own = {"extensions": ["qemu-guest-agent"]}
    castle = machines(PLANE, {**WORKER, "schematic": own})
    given = talos(installer="registry.lan/installer:v1.12.0")
    plane, worker = castle.nodes
    assert given.installer_of(plane, castle) == "registry.lan/installer:v1.12.0"
    assert f"nocloud-installer/{KNOWN[1][1]}:" in given.installer_of(worker, castle)
    assert given.image_name(plane, castle) != given.image_name(worker, castle)


def test_secure_boot_has_images_of_its_own():
    secure = {"firmware": "uefi", "machine_type": "q35", "secure_boot": True}
    castle = machines({**PLANE, **secure})
    assert talos().image_url(castle.nodes[0], castle).endswith("/nocloud-amd64-secureboot.iso")
    assert "/nocloud-installer-secureboot/" in talos().installer_of(castle.nodes[0], castle)
