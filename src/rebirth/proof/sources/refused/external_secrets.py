"""Objects of External Secrets that its webhook refuses, or its controller never makes anything of (1.0, apis/externalsecrets)."""

import re
from collections.abc import Iterator, Mapping

from rebirth.proof.graph import Graph
from rebirth.proof.reading.manifest import Manifest, Model
from rebirth.proof.schemas.shape import is_open
from rebirth.proof.sources import external_secrets, meeting
from rebirth.proof.sources.meeting import Refusal

_WHY = "External Secrets refuses it: no Secret comes of it."
_NEVER = "The Secret is never made."
_KEYS = {
    "kubernetes.io/tls": ("tls.crt", "tls.key"),
    "kubernetes.io/dockerconfigjson": (".dockerconfigjson",),
    "kubernetes.io/ssh-auth": ("ssh-privatekey",),
}
_FIELD = re.compile(r"\{\{-?\s*\.([A-Za-z_]\w*)\s*(?:\|[^{}]*)?-?\}\}")  # a value by its name, and what is done with it


def read(model: Model, graph: Graph) -> None:
    for member in meeting.applied_by_flux(model, "ExternalSecret", *external_secrets.KINDS):
        if member.group != external_secrets.GROUP:
            continue
        if member.kind != "ExternalSecret":
            meeting.refused(
                graph, member, _store(member), "External Secrets refuses the store: nothing reads through it."
            )
            continue
        meeting.refused(graph, member, _asked(member), _WHY)
        meeting.refused(graph, member, _made(member), _NEVER)


def _asked(own: Manifest) -> Iterator[Refusal]:
    data, whole = own.items("spec", "data"), own.items("spec", "dataFrom")
    if not data and not whole:
        yield Refusal(("spec",), "reads nothing: neither data nor dataFrom has an entry")
    every = own.at("spec", "refreshInterval")
    if isinstance(every, str) and not is_open(every) and meeting.go_duration(every) is None:
        yield Refusal(("spec", "refreshInterval"), f"refreshInterval {every} is no duration: its units are h, m and s")
    if not own.at("spec", "secretStoreRef", "name"):
        for index, entry in enumerate(data):
            if isinstance(entry, Mapping) and not entry.get("sourceRef"):
                yield Refusal(("spec", "data", index), "names no store to read from")
                break


def _made(own: Manifest) -> Iterator[Refusal]:
    """Templates that use a value which is not read, or leave out a key that the type of the Secret takes."""
    template = ("spec", "target", "template")
    given = own.mapping(*template, "data")
    if not given or str(own.at(*template, "engineVersion") or "v2") != "v2":
        return
    if not own.items("spec", "dataFrom"):
        read = {str(one.get("secretKey")) for one in own.items("spec", "data") if isinstance(one, Mapping)}
        for key, text in given.items():
            missing = [name for name in _FIELD.findall(text) if name not in read] if isinstance(text, str) else []
            if missing and read and not any(is_open(name) for name in read):
                words = f"the template's {key} uses {missing[0]}, which is not among what is read: {', '.join(sorted(read))}"
                yield Refusal((*template, "data", str(key)), words)
    wanted = _KEYS.get(str(own.at(*template, "type")), ())
    merged = str(own.at(*template, "mergePolicy") or "Replace") == "Merge" or own.items(*template, "templateFrom")
    lacking = [key for key in wanted if key not in given]
    if lacking and not merged:
        words = (
            f"a Secret of type {own.at(*template, 'type')} takes the key {lacking[0]}, which the template leaves out"
        )
        yield Refusal((*template, "type"), words)


def _store(own: Manifest) -> Iterator[Refusal]:
    """A SecretStore logs in with Secrets of its own namespace."""
    if own.kind != "SecretStore" or not own.namespace:
        return
    for name, reference, inside in external_secrets.named(own.mapping("spec", "provider")):
        space = reference.get("namespace")
        if isinstance(space, str) and space and space != own.namespace and not is_open(space + own.namespace):
            words = f"{name} is in the namespace {space}: a SecretStore takes those of its own, {own.namespace}"
            yield Refusal(("spec", "provider", *inside, "namespace"), words)
