"""Names, labels and keys that no object can have: the API server refuses them, and with the object all that Flux applies beside it.

How they are written is one pattern each (Kubernetes 1.36, pkg/apis/core/validation and apimachinery's pkg/api/validation): nearly all names are
names of DNS; those of roles are pieces of a path; a namespace, and the name of a Service, is one label of DNS.
"""

import re
from collections.abc import Iterator, Mapping

from rebirth.proof.graph import Graph
from rebirth.proof.reading import flux
from rebirth.proof.reading.manifest import Manifest, Model
from rebirth.proof.schemas.shape import is_open
from rebirth.proof.things import Atomicity
from rebirth.proof.words import SUBDOMAIN

_Path = tuple[str, ...]
_LABEL = re.compile(r"[a-z0-9]([-a-z0-9]{0,61}[a-z0-9])?")
_PIECE = re.compile(r"(?!\.{1,2}$)[^/%]+")
_WORD = re.compile(r"[A-Za-z0-9]([-A-Za-z0-9_.]{0,61}[A-Za-z0-9])?")
_KEY = re.compile(r"(?!\.{1,2}$)[-._A-Za-z0-9]{1,253}")
_RULE = {
    SUBDOMAIN: "a name has lower-case letters, digits, - and ., and a letter or digit at each end and beside each dot",
    _LABEL: "such a name has at most 63 lower-case letters, digits and -, and a letter or digit at each end",
    _PIECE: "no name has / or %",
    _WORD: "there are at most 63 letters, digits, -, _ and ., and a letter or digit at each end",
    _KEY: "a key has letters, digits, -, _ and . alone",
}
_OF_KIND = {("", "Namespace"): _LABEL, ("", "Service"): _LABEL}
_OF_GROUP = {"rbac.authorization.k8s.io": _PIECE}
_FREE = frozenset({"certificates.k8s.io"})  # groups whose names are written in forms of their own
_FIELDS = {"Secret": ("data", "stringData"), "ConfigMap": ("data", "binaryData")}
_LABELS: tuple[_Path, ...] = (("metadata", "labels"), ("spec", "template", "metadata", "labels"))
_TEMPLATED = ("<<", "{{")  # what something else fills in first


def read(model: Model, graph: Graph) -> None:
    for unit in model.units:
        if unit.atomicity is not Atomicity.FLUX or not unit.built:
            continue
        if unit.own is not None and any(wrong(unit.own)):
            continue  # nothing of a Kustomization that is refused itself is applied
        for member in unit.members:
            if flux.is_left_out(member) or not member.name:
                continue
            for path, value, pattern in wrong(member):
                words = f"{member.thing().label}: {'.'.join(path)} {value} is refused: {_RULE[pattern]}"
                graph.remark(
                    "wrong-value", member.place(*path), words, member.thing(),
                    path=".".join(path), sure="yes", read="", strict="",
                )  # fmt: skip


def wrong(member: Manifest) -> Iterator[tuple[_Path, str, re.Pattern[str]]]:
    """Where something is written that is not written so, and how it would be."""
    for path, text, pattern in _written(member):
        if pattern.fullmatch(text) or not text:
            continue  # as nearly all
        if not is_open(text) and not any(word in text for word in _TEMPLATED):
            yield path, text, pattern


def _written(member: Manifest) -> Iterator[tuple[_Path, str, re.Pattern[str]]]:
    if member.group not in _FREE:
        named = _OF_GROUP.get(member.group) or _OF_KIND.get((member.group, member.kind), SUBDOMAIN)
        yield ("metadata", "name"), member.name, named
    yield ("metadata", "namespace"), member.namespace, _LABEL
    for path in _LABELS:
        yield from _of_labels(member.mapping(*path), path)
    for key in member.annotations:
        yield from _of_key(str(key).lower(), ("metadata", "annotations", str(key)))
    if not member.group:
        for field in _FIELDS.get(member.kind, ()):
            for key in member.mapping(field):
                yield (field, str(key)), str(key), _KEY


def _of_labels(labels: Mapping[str, object], path: _Path) -> Iterator[tuple[_Path, str, re.Pattern[str]]]:
    for key, value in labels.items():
        yield from _of_key(str(key), (*path, str(key)))
        if isinstance(value, str):
            yield (*path, str(key)), value, _WORD


def _of_key(key: str, path: _Path) -> Iterator[tuple[_Path, str, re.Pattern[str]]]:
    prefix, slash, name = key.rpartition("/")
    if slash:
        yield path, prefix or key, SUBDOMAIN
    yield path, name or key, _WORD
