"""Vault and OpenBao in the cluster: each start leaves them sealed, until somebody or something unseals them.

A `seal` stanza in the server's configuration lets it unseal itself (`seal "transit"`, "awskms", "static" ...), as does one of the
environment variables that stand for it; a development server is never sealed. Otherwise some program has to do it.
"""

import re
from collections.abc import Iterator

from rebirth.proof.charts import releases
from rebirth.proof.graph import Graph
from rebirth.proof.reading import pods
from rebirth.proof.reading.manifest import Manifest, Model, texts
from rebirth.proof.things import Atomicity

_CHARTS = {"vault", "openbao"}
_IMAGES = {"hashicorp/vault", "openbao/openbao", "openbao/openbao-ubi"}
_SEAL = re.compile(r"\bseal\s*[\"{]|(?:VAULT|BAO)_SEAL_TYPE|\bunseal|-dev\b|\"seal\"\s*:", re.IGNORECASE)


def read(model: Model, graph: Graph) -> None:
    servers = list(_servers(model))
    if not servers or _unseals(model):
        return
    for member, place in servers:
        words = f"{member.thing().label} is sealed after each start"
        graph.remark("sealed-store", member.place(*place), words, member.thing())


def _servers(model: Model) -> Iterator[tuple[Manifest, tuple[str | int, ...]]]:
    """Servers that do not unseal themselves, as far as all that configures them can be read."""
    for unit in model.units:
        own = unit.own
        chart = own.at("spec", "chart", "spec", "chart") if own and unit.atomicity is Atomicity.HELM else None
        if own is None or chart not in _CHARTS:
            continue
        values = releases.values_of(model, own)
        off = own.at("spec", "values", "server", "enabled") is False or own.at(
            "spec", "values", "global", "externalVaultAddr"
        )
        dev = own.at("spec", "values", "server", "dev", "enabled") is True
        if values.whole and not off and not dev and not any(_SEAL.search(text) for text in _said(values.data)):
            yield own, ("spec", "chart", "spec", "chart")
    for found in pods.every(model):
        if found.manifest.kind == "StatefulSet" and found.unit.atomicity is Atomicity.FLUX and _is_server(found):
            said = list(_of_pods(model, found))
            if None not in said and not any(_SEAL.search(text) for text in said if text):
                yield found.manifest, ("metadata", "name")


def _is_server(found: pods.Pods) -> bool:
    images = (str(container.get("image") or "").partition("@")[0] for _, _, container in found.containers(init=False))
    return any("/".join(image.split("/")[-2:]).partition(":")[0] in _IMAGES for image in images)


def _of_pods(model: Model, found: pods.Pods) -> Iterator[str | None]:
    """All that configures the pods; None for what is not in the files."""
    yield from _said(found.spec)
    for reference in found.references():
        held = [member for member, _ in model.find(reference.kind, found.namespace, reference.name)]
        if not held:
            yield None
        for member in held:
            yield from texts(member.mapping("data"))


def _said(value: object) -> Iterator[str]:
    """Every text, and every key, for a variable's name is one."""
    yield from texts(value)
    if isinstance(value, dict):
        for key, inside in value.items():
            yield str(key)
            yield from _said(inside) if isinstance(inside, dict) else ()


def _unseals(model: Model) -> bool:
    """Whether something in the cluster unseals it: known by its name, image, or what it runs."""
    for member, unit in model.objects():
        if (
            "unseal" in member.name.lower()
            or "unseal" in member.kind.lower()
            or member.group.endswith("banzaicloud.com")
        ):
            return True
        found = pods.of(member, unit)
        if found is not None and any("unseal" in text.lower() for text in texts(found.spec)):
            return True
    return any(unit.own is not None and "unseal" in unit.own.name.lower() for unit in model.units)
