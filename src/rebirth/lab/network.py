"""The lab's network: the castle's LAN, an internet of stood-in systems, and the operator's own namespace.

None of it has an uplink: what has no address in here cannot be reached.
"""

import os
from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from ipaddress import IPv4Address, IPv4Network, ip_address
from pathlib import Path

from pyroute2 import IPRoute

from rebirth.castle import Machines
from rebirth.errors import SpecError
from rebirth.lab.namespaces import NET, bind, setns, unshare

LAN, OPERATOR = "lan", "operator"
RESOLVER = "198.18.0.53"
_WORLD_END, _OPERATOR_END, _OPERATOR_PREFIX = "198.18.1.1", "198.18.1.2", 24
_NAMESPACES = Path("/run/netns")
OPERATOR_NAMESPACE = _NAMESPACES / OPERATOR


def operator_namespace(first: int) -> Path:
    """The operator's network namespace in the lab whose PID 1 is `first`."""
    return Path(f"/proc/{first}/root") / OPERATOR_NAMESPACE.relative_to("/")


def lan(machines: Machines) -> tuple[IPv4Network, IPv4Address]:
    """The LAN and its gateway. Raises SpecError for a family that the lab's LAN does not have."""
    if not isinstance(machines.network, IPv4Network) or not isinstance(machines.gateway, IPv4Address):
        hint = "Give machines.network an IPv4 network for the rehearsal; the second family may be IPv6."
        raise SpecError(f"machines.network: the lab's LAN has IPv4, and the castle's is {machines.network}", hint=hint)
    return machines.network, machines.gateway


def lay(machines: Machines, systems: Iterable[str]) -> None:
    """Makes the router that everything hangs on, in the namespace of this process, which is new and empty.

    `systems` are the addresses of everything that stands outside the LAN.
    """
    with IPRoute() as route:
        _up(route, "lo")
        route.link("add", ifname=LAN, kind="bridge")
        _up(route, LAN)
        for address in sorted({machines.gateway, *machines.nameservers, *map(ip_address, systems)}, key=str):
            if address in machines.network:
                _address(route, LAN, str(address), machines.network.prefixlen)
            elif not address.is_loopback:
                # On lo: not every kernel has dummy links, and a router answers on all its addresses.
                _address(route, "lo", str(address), address.max_prefixlen)
    Path("/proc/sys/net/ipv4/ip_forward").write_text("1")
    # Whoever tries to get out is told at once and every time that there is no way: a hanging connection would hide it.
    Path("/proc/sys/net/ipv4/icmp_ratelimit").write_text("0")
    _lay_operator()


def is_address(host: str) -> bool:
    """Whether it is an IP address, and no name."""
    try:
        ip_address(host)
    except ValueError:
        return False
    return True


def lead(address: str, machine: str) -> None:
    """From now on the router sends what is for that address to the machine; the LAN has no others than those of IPv4."""
    if isinstance(ip_address(address), IPv4Address):
        with IPRoute() as route:
            route.route("replace", dst=f"{address}/32", gateway=machine)


def _lay_operator() -> None:
    """The operator's namespace is held by a mount, so that it needs no process to live."""
    _NAMESPACES.mkdir(parents=True, exist_ok=True)
    held = OPERATOR_NAMESPACE
    held.touch()
    with _elsewhere():
        unshare(NET)
        bind(Path("/proc/thread-self/ns/net"), str(held))
    descriptor = os.open(held, os.O_RDONLY)
    try:
        with IPRoute() as route:
            route.link("add", ifname=OPERATOR, kind="veth", peer={"ifname": OPERATOR, "net_ns_fd": descriptor})
            _address(route, OPERATOR, _WORLD_END, _OPERATOR_PREFIX)
            _up(route, OPERATOR)
        with _elsewhere():
            setns(descriptor, NET)
            with IPRoute() as route:
                _up(route, "lo")
                _address(route, OPERATOR, _OPERATOR_END, _OPERATOR_PREFIX)
                _up(route, OPERATOR)
                route.route("add", dst="default", gateway=_WORLD_END)
    finally:
        os.close(descriptor)


@contextmanager
def _elsewhere() -> Iterator[None]:
    """Comes back into the network namespace of now; a namespace is a thread's own matter."""
    here = os.open("/proc/thread-self/ns/net", os.O_RDONLY)
    try:
        yield
    finally:
        setns(here, NET)
        os.close(here)


def _up(route: IPRoute, name: str) -> None:
    route.link("set", index=_index(route, name), state="up")


def _address(route: IPRoute, name: str, address: str, prefix: int) -> None:
    route.addr("add", index=_index(route, name), address=address, prefixlen=prefix)


def _index(route: IPRoute, name: str) -> int:
    return int(route.link_lookup(ifname=name)[0])
