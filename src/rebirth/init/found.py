"""What is known of a castle that is to be written, each value with where it comes from."""

import copy
import re
from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import Any

Path = tuple[str, ...]  # of castle.yaml; a machine stands below its name: ("machines", "nodes", "cp1", "address")
ASSUMED = "assumed: "  # how it is said that a value is not known
ANSWERED = "answered"
MACHINES: Path = ("machines", "nodes")


@dataclass(frozen=True)
class Value:
    value: Any
    where: str  # file and line, or how it follows


def _filled(value: Any, known: dict[str, str]) -> Any:
    if isinstance(value, str):
        return re.sub(r"\$\{(\w+)\}", lambda match: known.get(match[1], match[0]), value)
    if isinstance(value, dict):
        return {key: _filled(item, known) for key, item in value.items()}
    return [_filled(item, known) for item in value] if isinstance(value, list) else value


@dataclass
class Found:
    values: dict[Path, Value] = field(default_factory=dict)
    differing: dict[Path, list[Value]] = field(default_factory=dict)  # what was found later, and is something else
    remarks: list[str] = field(default_factory=list)  # what was found and cannot be taken over
    wanted: dict[Path, str] = field(default_factory=dict)  # what has to be asked, though the models do without; why
    secrets: list[tuple[dict[str, Any], str]] = field(default_factory=list)  # that the castle places; who reads each
    tailnet_names: list[str] = field(default_factory=list)  # that the Flux tree takes
    needed: dict[Path, str] = field(default_factory=dict)  # what the Flux tree cannot do without, and why

    def say(self, path: str | Path, value: object, where: str) -> None:
        """The first who says a value is believed; what others say is kept. An empty value says nothing."""
        if value in (None, "", [], {}):
            return
        key = tuple(path.split(".")) if isinstance(path, str) else path
        known = self.values.setdefault(key, Value(value, where))
        if known.value != value and not where.startswith(ASSUMED) and "${" not in str(value):
            self.differing.setdefault(key, []).append(Value(value, where))

    def machine(self, name: str, where: str, **values: object) -> None:
        for key, value in values.items() if name else ():
            self.say((*MACHINES, name, key), value, where)

    def get(self, path: str) -> Any:
        found = self.values.get(tuple(path.split(".")))
        return found.value if found else None

    def says(self, *path: str) -> bool:
        """Whether anything is known of a section."""
        return any(known[: len(path)] == path for known in self.values)

    def forget(self, section: str) -> None:
        """What was found of a section, and not answered."""
        for path, value in list(self.values.items()):
            if path[0] == section and value.where != ANSWERED:
                del self.values[path]

    def machines(self) -> dict[str, dict[str, Any]]:
        """Each machine that has an address, by name."""
        found: dict[str, dict[str, Any]] = {}
        for path, value in self.values.items():
            if path[:2] == MACHINES and len(path) == len(MACHINES) + 2:
                found.setdefault(path[2], {})[path[3]] = value.value
        return {name: values for name, values in found.items() if "address" in values}

    def document(self) -> dict[str, Any]:
        """castle.yaml as far as it is known."""
        document: dict[str, Any] = {}
        for path, value in self.kept():
            inner = document
            for part in path[:-1]:
                inner = inner.setdefault(part, {})
            inner[path[-1]] = copy.deepcopy(value.value)  # what is asked of the document is tried in it
        if nodes := document.get("machines", {}).get("nodes"):
            document["machines"]["nodes"] = [{"name": name} | values for name, values in nodes.items()]
        return document

    def substitute(self) -> None:
        """Fills the variables of the Flux tree into what was found; what has an unknown one is not known."""
        prefix = ("gitops", "variables")
        known = {path[-1]: str(value.value) for path, value in self.values.items() if path[:2] == prefix}
        self.tailnet_names = [name for name in map(str, _filled(self.tailnet_names, known)) if "${" not in name]
        for path, value in list(self.values.items()):
            filled = _filled(value.value, known)
            if path[:2] == prefix or filled == value.value:
                continue
            if "${" in str(filled):
                del self.values[path]
            else:
                self.values[path] = Value(filled, value.where)

    def kept(self) -> Iterator[tuple[Path, Value]]:
        """What castle.yaml holds: no machine without an address, and no empty section that has something in it."""
        machines = self.machines()
        for path, value in self.values.items():
            inside = value.value == {} and any(other[:-1][: len(path)] == path for other in self.values)
            if not inside and (path[:2] != MACHINES or path[2] in machines):
                yield path, value
