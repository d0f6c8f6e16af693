"""What the systems hold after a run, beside what an undisturbed one leaves: what is there twice, missing, or left over."""

import re
from collections import Counter
from collections.abc import Iterator, Mapping
from typing import Any

Held = Mapping[str, Any]
_GENERATED = (
    re.compile(  # what Kubernetes writes behind a generateName; ids of bootstrap tokens, and of Tailscale's profiles
        r"-[bcdfghjklmnpqrstvwxz2456789]{5}(?=-|$| )|(?<=bootstrap-token)-[a-z0-9]{6}\b|(?<=profile)-[0-9a-f]{4}\b"
    )
)
_OF_OTHERS = ["lushycorp-vault", "workstation"]  # devices that the lab's tailnet has before there is a castle
_KEYS = 2  # the one that the machines were given, and one that the last run minted in vain: both lapse within the hour


def wrong(found: Held, expected: Held, versions: Mapping[str, int]) -> Iterator[str]:
    """Of a castle that is online. `versions` are those in Vault before it was begun."""
    for what in ("machines", "devices", "etcd"):
        yield from _differs(what, found.get(what, ()), expected[what])
    yield from _differs("objects", *(map(_plain, held["objects"]) for held in (found, expected)))
    for name in sorted(expected["releases"].keys() | found["releases"].keys()):
        states = found["releases"].get(name, [])
        if states.count("deployed") != 1 or set(states) - {"deployed", "superseded"}:
            yield f"release {name}: {', '.join(sorted(states)) or 'missing'}"
    for path, there in found["vault"].items():
        if (written := there["version"] - versions.get(path, 0)) != 1:
            yield f"Vault {path}: {written} versions were written"
        yield from _differs(f"Vault {path}", there["names"], expected["vault"][path]["names"])
    if found["keys"] > _KEYS:
        yield f"keys of the tailnet: {found['keys']}"


def left(found: Held) -> Iterator[str]:
    """Of a castle that was destroyed."""
    yield from _differs("machines", found["machines"], ())
    yield from _differs("devices", found["devices"], _OF_OTHERS)
    if found["keys"]:
        yield f"keys of the tailnet: {found['keys']}"


def versions(found: Held) -> dict[str, int]:
    return {path: there["version"] for path, there in found["vault"].items()}


def _differs(what: str, found: Any, expected: Any) -> Iterator[str]:
    there, wanted = Counter(found), Counter(expected)
    for name in sorted((there | wanted).keys()):
        if there[name] > wanted[name]:
            yield f"{what}: {name} {'twice' if wanted[name] else 'left over'}"
        elif there[name] < wanted[name]:
            yield f"{what}: {name} missing"


def _plain(told: str) -> str:
    return _GENERATED.sub("-*", told)
