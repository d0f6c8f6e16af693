"""Who looks at everything that a life does: after every write whether it may be, and at the end whether it is all there.

What is looked at is the world, never what the product says of it.
"""

import re
from collections import Counter
from collections.abc import Iterator, Mapping
from copy import deepcopy
from dataclasses import fields
from pathlib import Path
from typing import Any

from rebirth.errors import Rebirth
from rebirth.events import Event
from simulation.canaries import shown_in
from simulation.world import HANDED_OVER, World

_STAMPS = re.compile(r"requestedAt|woken-at|asked-at|force-sync")  # annotations that ask somebody to look again
_MOMENTS = {"lastTransitionTime", "refreshTime", "observedGeneration", "syncedResourceVersion"}
_OURS, _INSIDE = "tag:tazlab-k8s", frozenset({"tag:k8s-operator", "tag:k8s"})
_FOREIGN_DEVICES = frozenset({"nas", "other-k8s", "somebodys-proxy"})
_KEY = "rebirth tazlab-k8s"


class Auditor:
    """`complaints` are what is wrong, in the order in which it was seen."""

    def __init__(self, world: World) -> None:
        self.world, self.complaints = world, list[str]()
        self._vault: dict[int, Any] = {}
        self._names = {machine.name for machine in world.castle.machines.nodes}
        self._foreign = deepcopy(self._seen_of_others())
        world.wrote.append(self.after_write)
        world.looks.append(self.look)

    def complain(self, words: str) -> None:
        if words not in self.complaints:
            self.complaints.append(words)
            self.world.host.note(f"WRONG {words}")

    # -- at every step

    def after_write(self, what: str) -> None:
        for words in (*self._twice(), *self._touched()):
            self.complain(f"{words} (after {what})")

    def _twice(self) -> Iterator[str]:
        world = self.world
        named = Counter(options.get("name") for options in world.pve.machines.values())
        yield from (f"twice: the machine {name}" for name in self._names if named[name] > 1)
        if len(members := [one.name for one in world.yard.machines.values() if one.etcd]) > 1:
            yield f"twice: etcd was bootstrapped on {' and '.join(members)}"
        for node in world.control.devices.values():
            if node.name != node.hostname and {_OURS, *_INSIDE} & set(node.tags):
                yield f"twice: the device {node.hostname}, as {node.name}"
        if there := world.vault.secrets.get(HANDED_OVER):
            if there.data in [data for number, data in self._vault.items() if number != there.number]:
                yield f"twice: the same value in Vault, as version {there.number}"
            self._vault[there.number] = dict(there.data or {})

    def _touched(self) -> Iterator[str]:
        now = self._seen_of_others()
        yield from (f"not published: {words}" for words in self.world.published.violations)
        yield from (
            f"touched what is not ours: {name}" for name, seen in self._foreign.items() if now.get(name) != seen
        )

    def _seen_of_others(self) -> dict[str, Any]:
        world = self.world
        found: dict[str, Any] = {
            f"machine {options['name']}": (vmid, options, world.pve.conditions[vmid].lock)
            for vmid, options in world.pve.machines.items()
            if options.get("name") in {"elsewhere", "nas"}
        }
        found |= {f"device {one.name}": one for one in world.control.devices.values() if one.name in _FOREIGN_DEVICES}
        found |= {f"Vault {path}": world.vault.secrets[path] for path in world.vault.secrets if path != HANDED_OVER}
        return found | {"image": world.pve.storages["local"].volumes.get("local:iso/debian.iso")}

    def look(self, place: str, text: str) -> None:
        if shown_in(text):
            self.complain(f"a secret is in {place}")

    def hear(self, event: Event) -> None:
        said = " ".join(str(getattr(event, part.name)) for part in fields(event))
        self.look(f"an event: {type(event).__name__}", said)

    # -- at the end of a run

    def after_run(self, *, killed: bool) -> None:
        """The files that it leaves."""
        paths = self.world.paths
        for folder in (paths.state, paths.logs):
            for file in folder.rglob("*"):
                if file.is_file():
                    self.look(f"a file: {file.name}", file.read_text(errors="replace"))
        for file in paths.produced.rglob("*") if paths.produced.exists() else ():
            hidden = any(above.stat().st_mode & 0o077 == 0 for above in (file.parent, paths.produced))
            if file.is_file() and file.stat().st_mode & 0o077 and not hidden:
                self.complain(f"readable by others: {file.name}")
        if not killed:
            for left in self._scratch():
                self.complain(f"left over: {left}")

    def _scratch(self) -> Iterator[str]:
        paths, host = self.world.paths, self.world.host
        scratch = paths.produced / ".scratch"
        left = [*host.scratch.iterdir(), *(scratch.iterdir() if scratch.exists() else ())]
        left += (paths.state / "git").iterdir() if (paths.state / "git").exists() else ()
        left += [file for file in paths.state.rglob("*") if file.name.startswith(".") or file.suffix == ".new"]
        yield from (re.sub(r"-[a-z0-9_]{8}$|^[0-9a-f]{8}-", "", file.name) for file in left)

    def failure(self, error: Rebirth) -> None:
        """How a run may end while something is wrong outside: in words, with what to do."""
        if ": unexpected " in str(error) or "please report" in error.hint:
            self.complain(f"a trace instead of a message: {error}")
        if not error.hint and ":" not in str(error):
            self.complain(f"a message that says neither where nor what to do: {error}")
        self.look("a message", f"{error} {error.hint}")

    # -- at the end of a command

    def online(self, expected: Mapping[str, Any]) -> None:
        """After a create that ended well: what an undisturbed one leaves, and nothing else."""
        found = contents(self.world)
        for name in sorted({*found, *expected}):
            if found.get(name) != expected.get(name):
                self.complain(
                    f"not as undisturbed: {name}: {found.get(name)!s:.300} instead of {expected.get(name)!s:.300}"
                )
        if (helm := self.world.helm) is not None:
            for name, namespace in (
                ("external-secrets",) * 2,
                ("metallb", "metallb-system"),
                ("longhorn", "longhorn-system"),
            ):
                states = [item["metadata"]["labels"]["status"] for item in helm.records(namespace, name)]
                if states.count("deployed") != 1 or set(states) - {"deployed", "superseded"}:
                    self.complain(f"the release {name}: {states}")
        # A run that finds all machines configured has minted one in vain: that one is known, and lapses. One that the journal
        # says was sent may have been: the run was killed at that moment.
        journal = (self.world.paths.state / "journal.jsonl").read_text()
        given = self.world.yard.keys_given
        if unused := [key for key in self._keys()[:-1] if key.value not in given and key.identity not in journal]:
            self.complain(f"orphaned: {len(unused)} tailnet keys that no machine was given")

    def _keys(self) -> list[Any]:
        now = self.world.host.outside()
        return [
            key
            for key in self.world.tailnet.keys.values()
            if key.description == _KEY and key.revoked is None and key.expires > now
        ]

    def gone(self, said: list[str]) -> None:
        """After a destroy that ended well: nothing of the castle, anywhere, but what destroy itself `said` that it leaves."""
        world = self.world
        left = [f"machine {one['name']}" for one in world.pve.machines.values() if one.get("name") in self._names]
        left += [
            f"disk {name}"
            for storage in world.pve.storages.values()
            for name, one in storage.volumes.items()
            if one.vmid
        ]
        left += [f"device {one.name}" for one in world.control.devices.values() if one.name not in _FOREIGN_DEVICES]
        left += [f"key {key.identity}" for key in self._keys()]
        left += [f"file {file.name}" for file in world.paths.produced.rglob("*") if file.is_file()]
        left += [f"file {file.name}" for file in (world.paths.state / "machines").rglob("*")]
        journal = world.paths.state / "journal.jsonl"
        left += ["the journal"] if journal.exists() and journal.read_bytes() else []
        told = {line.strip().partition(" (")[0].removeprefix("the ") for line in said if line.startswith("  the ")}
        for one in left:
            if one not in told:
                self.complain(f"orphaned: {one}")
        self.after_write("destroy")


def contents(world: World) -> dict[str, Any]:
    """What all systems hold, without what is another each time: ids, moments, values that are generated."""
    found: dict[str, Any] = {}
    for vmid, options in world.pve.machines.items():
        kept = {key: value for key, value in options.items() if key not in {"meta", "smbios1", "vmgenid"}}
        found[f"machine {options.get('name')}"] = (
            kept,
            world.yard.machines[vmid].state if vmid in world.yard.machines else "",
        )
    for node in world.control.devices.values():
        found[f"device {node.name}"] = node.tags, node.ephemeral, node.connected
    for what, item in world.cluster.contents().items() if world.cluster else ():
        if item.get("type") != "helm.sh/release.v1":
            found[what] = settled(
                {**item, "data": sorted(item["data"])} if item["kind"] == "Secret" and "data" in item else item
            )
    found |= {f"Vault {path}": sorted(world.vault.held(path)) for path in world.vault.secrets}
    found["etcd bootstraps"] = len(world.yard.bootstraps) - world.clusters
    return found | {f"file {name}": True for name in _kept(world.paths.produced, world.paths.state)}


def _kept(*folders: Path) -> Iterator[str]:
    for folder in folders:
        yield from (
            str(file.relative_to(folder))
            for file in folder.rglob("*")
            if file.is_file() and not {"helm", "git"} & {*file.parts}
        )


def settled(value: Any) -> Any:
    if isinstance(value, dict):
        lasting = {
            key: settled(inner) for key, inner in value.items() if key not in _MOMENTS and not _STAMPS.search(key)
        }
        return {key: inner for key, inner in lasting.items() if inner != {}}
    if isinstance(value, list):
        inner = [settled(one) for one in value]
        return (
            sorted(inner, key=str)
            if inner and isinstance(inner[0], dict) and "lastTransitionTime" in value[0]
            else inner
        )
    return value
