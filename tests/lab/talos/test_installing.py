"""An installation: the installer is asked of its registry, the disk takes its time, and a disk may never be done."""

import asyncio

import pytest

from rebirth.lab.systems.factory import factory_app
from rebirth.lab.talos.installing import Installer

SCHEMATIC = "7" * 64


@pytest.fixture
async def factory(serve):
    return await serve(factory_app())


def disk_of(tmp_path, factory, schematic=SCHEMATIC):
    disk = tmp_path / "disk"
    (disk / "state").mkdir(parents=True)
    image = f"localhost:{factory.port}/metal-installer/{schematic}:v1.12.0"
    (disk / "state/config.yaml").write_text(f"kind: HostnameConfig\n---\nmachine: {{install: {{image: '{image}'}}}}\n")
    return disk


async def test_the_disk_boots_afterwards(tmp_path, factory):
    disk = disk_of(tmp_path, factory)
    installer = Installer(factory.ca, 0)
    assert not installer.installed(disk)
    await installer.install("cp-1", disk)
    assert installer.installed(disk)
    assert "writes the disk" in (disk / "console.log").read_text()


async def test_an_installer_that_the_registry_does_not_have(tmp_path, factory):
    disk = disk_of(tmp_path, factory, "short")
    with pytest.raises(TimeoutError):
        async with asyncio.timeout(0.5):
            await Installer(factory.ca, 0).install("cp-1", disk)
    assert "manifests/v1.12.0: 404" in (disk / "console.log").read_text()
    assert not Installer.installed(disk)


async def test_a_disk_that_is_never_done(tmp_path, factory):
    disk = disk_of(tmp_path, factory)
    with pytest.raises(TimeoutError):
        async with asyncio.timeout(0.5):
            await Installer(factory.ca, 0, frozenset({"cp-1"})).install("cp-1", disk)
    assert not Installer.installed(disk)
