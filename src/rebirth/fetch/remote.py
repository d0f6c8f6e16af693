"""Entries of a kustomization that lead elsewhere: a file of the web, or a folder of a Git repository.

Kustomize loads what begins with http(s) as a file, and clones what is none: api/internal/target and api/internal/git/repospec.go
of sigs.k8s.io/kustomize.
"""

import re
from urllib.parse import parse_qs

from rebirth.fetch.things import File, Git
from rebirth.proof.things import Place

_FILES = (".yaml", ".yml", ".json")
_OWNED = re.compile(r"(?P<host>(?:https?://|ssh://)?(?:[\w.-]+@)?[\w.-]+(?::\d+)?[/:])(?P<path>.+)")


def thing_of(entry: str, place: Place) -> File | Git | None:
    """None where it is neither."""
    address, _, query = entry.removeprefix("git::").partition("?")
    if address.startswith(("http://", "https://")) and address.endswith(_FILES) and "//" not in _path(address):
        return File(entry, place=place)
    asked = parse_qs(query)
    reference = next((asked[key][0] for key in ("ref", "version") if key in asked), "")
    url = _repository(address)
    return Git(url, loose=reference, place=place) if url else None


def _path(address: str) -> str:
    return address.partition("://")[2]


def _repository(address: str) -> str:
    """The URL of the repository in an address that may lead to a folder of it."""
    scheme, separator, rest = address.rpartition("://") if "://" in address else ("", "", address)
    rest, _, _ = rest.partition("//")
    if named := re.match(r".*?\.git(?=/|$)", rest):
        rest = named[0]
    elif found := _OWNED.match(rest):
        host, path = found["host"], found["path"].strip("/").split("/")
        rest = host + "/".join(path[:2])  # of owner and repository, as on GitHub
        if len(path) < 2:
            return ""
    else:
        return ""
    if separator:
        return f"{scheme}://{rest}"
    return rest if "@" in rest else f"https://{rest.replace(':', '/', 1)}"
