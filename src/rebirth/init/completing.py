"""What a castle still needs, as the models say it: assumed where something is usual, else asked, else left open."""

import json
import re
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from ipaddress import ip_address
from typing import Any

import yaml
from pydantic import ValidationError

from rebirth.castle import Castle
from rebirth.castle.words import sections_at, words_of
from rebirth.errors import SpecError
from rebirth.init.assumed import assumed, reference
from rebirth.init.found import ANSWERED, ASSUMED, MACHINES, Found, Path

_REFERENCE = "SecretRef"
_SEVERAL = 50  # times that the models are asked: each names what is missing one level further down


@dataclass(frozen=True)
class Question:
    path: str
    words: str
    wrong: str = ""  # why the answer before was refused


Ask = Callable[[Question], str]  # "" where nobody answers


def complete(found: Found, ask: Ask) -> list[Path]:
    """Fills what is missing. Returns what stays open. Raises SpecError where machines that were given are none."""
    found.say("version", 1, "of this format")
    _platform(found)
    _machines_beforehand(found)
    open_: list[Path] = []
    for path in list(found.wanted):
        if path[:2] != ("gitops", "variables"):
            _ask_for(found, path, ask, open_)
    _variables(found, ask, open_)
    found.substitute()
    _machines(found, ask, open_)
    for path in found.needed:
        if not _holds_sections(path):
            _fill(found, path, ask, open_)
    for _ in range(_SEVERAL):
        missing = [path for path in _missing(found, open_) if path not in open_]
        for path in sorted(missing, key=_last):
            _fill(found, path, ask, open_)
        if not missing:
            break
    return open_


def _platform(found: Found) -> None:
    """Proxmox makes the machines, unless it is said that they are there: then what was found of it is of no use."""
    if found.says("existing"):
        found.forget("proxmox")
    else:
        found.needed["proxmox",] = "somebody has to make the machines"


def _last(path: Path) -> tuple[bool, bool]:
    """What follows from others comes after them: of Talos the extensions, of a chart where it is."""
    return path[0] == "talos", path[0] == "storage" and path[-1] != "chart"


def _fill(found: Found, path: Path, ask: Ask, open_: list[Path]) -> None:
    if path in found.values:
        return
    if usual := assumed(found, path):
        found.say(path, usual.value, f"{ASSUMED}{usual.why}")
        return
    if _is_reference(path):
        found.say(path, reference(path).value, f"{ASSUMED}{reference(path).why}")
        return
    if ".".join(path) in _FOLLOWS:
        open_.append(path)
        return
    _ask_for(found, path, ask, open_)


def _ask_for(found: Found, path: Path, ask: Ask, open_: list[Path]) -> None:
    if path in found.values:
        return
    answer = _asked(found, path, ask)
    if answer is None:
        open_.append(path)
    else:
        found.say(path, answer, ANSWERED)


# What follows from the machines: where they are open it is open, too, and nobody is asked for it.
_FOLLOWS = {"kubernetes.endpoint", "machines.network", "machines.gateway", "machines.nameservers"}


def _asked(found: Found, path: Path, ask: Ask) -> Any:
    """An answer that the models take; None without one."""
    wrong = ""
    while text := ask(Question(".".join(path), found.wanted.get(path) or meaning(path), wrong)):
        value = value_of(text)
        wrong = complaint(found, path, value)
        if not wrong:
            return value
    return None


def value_of(text: str) -> Any:
    try:
        return yaml.safe_load(text)
    except yaml.YAMLError:
        return text


def complaint(found: Found, path: Path, value: object) -> str:
    """Why the models refuse a value at its place; "" where they do not."""
    document = found.document()
    location = _location(document, path)
    _put(document, location, value)
    return next((words_of(error) for error in _errors(document) if error["loc"][: len(location)] == location), "")


def _missing(found: Found, open_: list[Path]) -> list[Path]:
    """The values that are missing, and no section: of an absent one, what is required in it."""
    document = found.document()
    for path in open_:
        _put(document, _location(document, path), None)
    for path in found.needed:
        if _holds_sections(path):
            _put(document, path, _at(document, path) or {})
    values: list[Path] = []
    for _ in range(_SEVERAL):
        errors = [location for error in _errors(document) if (location := _absent(document, error)) is not None]
        sections = [location for location in errors if is_section(location)]
        for location in sections:
            _put(document, location, {})
        if not sections:
            values = [_named(document, location) for location in errors]
            break
    return values


def _absent(document: dict[str, Any], error: Any) -> tuple[str | int, ...] | None:
    """The place of what an error misses: a required key, or what a section says "at KEY:" of a key that is not there."""
    location: tuple[str | int, ...] = error["loc"]
    if error["type"] == "missing":  # the names of kinds that were tried are no place
        return (*_places(document, location[:-1]), location[-1])
    said = re.match(r"Value error, at (\w+): ", error["msg"])
    if said is None or any(isinstance(part, int) for part in location):
        return None
    place = (*location, said[1])
    return place if _at(document, place) is None else None


def _errors(document: dict[str, Any]) -> list[Any]:
    try:
        Castle.model_validate_json(json.dumps(document, default=str))
    except ValidationError as error:
        return error.errors(include_input=False, include_url=False)
    return []


def _put(document: dict[str, Any], location: tuple[str | int, ...], value: object) -> None:
    inner: Any = document
    for part in location[:-1]:
        inner = inner[part] if isinstance(part, int) else inner.setdefault(part, {})
    inner[location[-1]] = value


def _places(document: dict[str, Any], location: Sequence[str | int]) -> tuple[str | int, ...]:
    """The parts of a location that are in the document: the others name a kind of value that was tried."""
    inner: Any = document
    places: list[str | int] = []
    for part in location:
        there = isinstance(part, int) if isinstance(inner, list) else isinstance(inner, dict) and part in inner
        if there:
            inner = inner[part]
            places.append(part)
    return tuple(places)


def _at(document: dict[str, Any], path: Sequence[str | int]) -> Any:
    inner: Any = document
    for part in path:
        inner = inner.get(part) if isinstance(inner, dict) else None
    return inner


def _location(document: dict[str, Any], path: Path) -> tuple[str | int, ...]:
    """Where a path stands in the document: machines have numbers there."""
    if path[:2] != MACHINES or path == MACHINES:
        return path
    names = [node["name"] for node in document["machines"]["nodes"]]
    return (*MACHINES, names.index(path[2]), *path[3:])


def _named(document: dict[str, Any], location: tuple[str | int, ...]) -> Path:
    """A machine's place is its name."""
    if location[:2] == MACHINES and len(location) > len(MACHINES):
        name = document["machines"]["nodes"][location[2]]["name"]
        return (*MACHINES, str(name), *(str(part) for part in location[3:]))
    return tuple(str(part) for part in location)


def _schemas(path: tuple[str | int, ...]) -> list[Any]:
    location = [0 if path[:2] == MACHINES and index == len(MACHINES) else part for index, part in enumerate(path)]
    return sections_at(Castle, location, kinds=False)


def _is_reference(path: Path) -> bool:
    found = _schemas(path)
    return any(schema.get("title") == _REFERENCE for schema in found)


def _holds_sections(path: Path) -> bool:
    return any("properties" in schema for schema in _schemas(path))


def is_section(location: tuple[str | int, ...]) -> bool:
    """Whether nothing but a section may stand there."""
    found = [schema for schema in _schemas(location) if schema.get("type") != "null"]
    return len(found) == 1 and "properties" in found[0] and found[0].get("title") != _REFERENCE


def meaning(path: Path) -> str:
    """What the models say of a key."""
    *above, last = path
    for section in _schemas(tuple(above)):
        if said := section.get("properties", {}).get(last, {}).get("description"):
            return " ".join(str(said).partition("\n\n")[0].split())
    return next((str(schema["description"]) for schema in _schemas(path) if "description" in schema), "")


def _machines(found: Found, ask: Ask, open_: list[Path]) -> None:
    """All machines in one answer: their addresses."""
    if found.machines() or found.says("machines", "control_planes"):
        return
    wrong = ""
    words = "The addresses of the machines: control planes, a slash, workers, such as 192.168.1.11 / 192.168.1.21 192.168.1.22"
    while text := ask(Question("machines.nodes", words, wrong)):
        wrong = _addresses(found, text)
        if not wrong:
            return
    open_.append(MACHINES)


def _machines_beforehand(found: Found) -> None:
    """The same answer, given before it is asked for: whatever machines were found, these are meant."""
    said = found.values.pop(MACHINES, None)
    if said is None:
        return
    for path in [path for path in found.values if path[:2] == MACHINES]:
        del found.values[path]
    if wrong := _addresses(found, str(said.value)):
        raise SpecError(
            f"--set: machines.nodes: {wrong}", hint="Such as --set 'machines.nodes=192.168.1.11 / 192.168.1.21'"
        )


def _addresses(found: Found, text: str) -> str:
    """Takes the machines of an answer; returns what is wrong with it."""
    planes, _, workers = text.partition("/")
    roles = {"controlplane": planes.replace(",", " ").split(), "worker": workers.replace(",", " ").split()}
    for address in (one for several in roles.values() for one in several):
        try:
            ip_address(address)
        except ValueError:
            return f"{address} is no address"
    for role, several in roles.items():
        for number, address in enumerate(several, 1):
            name = f"{found.get('name')}-{'cp' if role == 'controlplane' else 'worker'}-{number}"
            found.machine(name, ANSWERED, role=role, address=address)
    return "" if roles["controlplane"] else "there is no control plane"


def _variables(found: Found, ask: Ask, open_: list[Path]) -> None:
    """All variables of the Flux tree in one answer."""
    names = [path for path in found.wanted if path[:2] == ("gitops", "variables") and path not in found.values]
    for path in names:
        if usual := assumed(found, path):
            found.say(path, usual.value, f"{ASSUMED}{usual.why}")
    left = [path for path in names if path not in found.values]
    if not left:
        return
    shown = ", ".join(path[-1] for path in left)
    words = f"The Flux tree uses {shown} ({found.wanted[left[0]]}): NAME=VALUE NAME=VALUE"
    given = dict(part.split("=", 1) for part in ask(Question("gitops.variables", words)).split() if "=" in part)
    for path in left:
        if path[-1] in given:
            found.say(path, given[path[-1]], ANSWERED)
        else:
            open_.append(path)
