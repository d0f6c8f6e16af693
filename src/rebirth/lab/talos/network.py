"""The machine's network: its address, its route out, its resolver."""

import asyncio
from pathlib import Path

from rebirth.lab.talos.config import MachineConfig
from rebirth.lab.talos.hardware import Hardware

LINK = "eth0"


async def ip(*arguments: str, check: bool = True) -> None:
    """Changes the machine's network."""
    process = await asyncio.create_subprocess_exec("ip", *arguments, stderr=asyncio.subprocess.PIPE)
    _, said = await process.communicate()
    if process.returncode and check and b"File exists" not in said:
        raise RuntimeError(f"ip {' '.join(arguments)}: {said.decode().strip()}")


async def by_reservation(hardware: Hardware) -> str:
    """What DHCP would do; returns the address without prefix length."""
    await _set(hardware.address, hardware.gateway, hardware.nameservers)
    return hardware.address.partition("/")[0]


async def by_configuration(hardware: Hardware, config: MachineConfig) -> str:
    """The configured static address, or what DHCP would give."""
    address = next(iter(config.addresses), hardware.address)
    await _set(address, config.gateway or hardware.gateway, config.nameservers or list(hardware.nameservers))
    return address.partition("/")[0]


async def _addresses() -> list[str]:
    command = ("ip", "-4", "-oneline", "address", "show", "dev", LINK, "scope", "global")
    process = await asyncio.create_subprocess_exec(*command, stdout=asyncio.subprocess.PIPE)
    output, _ = await process.communicate()
    return [line.split()[3] for line in output.decode().splitlines()]


async def _set(address: str, gateway: str, nameservers: list[str] | tuple[str, ...]) -> None:
    await ip("link", "set", "lo", "up")
    await ip("link", "set", LINK, "up")
    await ip("address", "replace", address, "dev", LINK)
    # An address that stays is never taken away, not for a moment: whoever is just talking to it would hang.
    for stale in [found for found in await _addresses() if found != address and not found.endswith("/32")]:
        await ip("address", "delete", stale, "dev", LINK)
    await ip("route", "replace", "default", "via", gateway)
    # Bind-mounted over /etc/resolv.conf by the boot, so it is written in place.
    Path("/etc/resolv.conf").write_text("".join(f"nameserver {server}\n" for server in nameservers))
