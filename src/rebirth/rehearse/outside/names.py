"""Addresses that are the same place, however they are written, and which Flux objects name a place."""

import re
from collections.abc import Iterator, Mapping
from typing import Any
from urllib.parse import urlsplit

from rebirth.proof.reading import flux
from rebirth.proof.reading.manifest import Manifest, Model
from rebirth.store.names import OCI, repository_of

_KINDS = ("GitRepository", "HelmRepository", "OCIRepository", "Bucket")
_SCP = re.compile(r"(?:[^@/:]+@)?([^/:]+):(?!/)(.+)")  # as git takes it: git@host:owner/name


def address(url: str) -> str:
    """Host and path of a URL, in small letters: a repository has the same over SSH and HTTPS, with .git and without.

    Of an artifact's (oci://) it is the repository's name, as the store has it.
    """
    if url.startswith(OCI):
        return repository_of(url)
    if "://" not in url and (found := _SCP.fullmatch(url)):
        host, path = found.groups()
    else:
        parts = urlsplit(url)
        host, path = parts.hostname or "", parts.path
    return f"{host}/{path.strip('/').removesuffix('.git')}".rstrip("/").lower()


def address_of_bucket(spec: Mapping[str, Any]) -> str:
    """Endpoint and name."""
    return f"{spec.get('endpoint')}/{spec.get('bucketName')}".lower()


def sources(model: Model, *kinds: str) -> Iterator[Manifest]:
    """The Flux sources of the model that have a URL."""
    for member, _ in model.objects(*(kinds or _KINDS)):
        if member.group == flux.SOURCE and isinstance(member.at("spec", "url"), str):
            yield member


class Askers:
    """Which Flux objects name a place."""

    def __init__(self, model: Model) -> None:
        self._places = [(address(str(one.at("spec", "url"))), one.thing().label) for one in sources(model)]

    def of(self, wanted: str) -> list[str]:
        """Those that name `wanted`, or what it lies in."""
        return [label for place, label in self._places if wanted == place or wanted.startswith(f"{place}/")]
