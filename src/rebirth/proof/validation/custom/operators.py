"""Rules in CEL of operators' CRDs, and what a webhook refuses: CloudNativePG 1.28, the Tailscale operator 1.90, Longhorn 1.10.

What External Secrets, cert-manager, MetalLB and Flux refuse besides is in `rebirth.proof.sources.refused`.
"""

from collections.abc import Iterator

from rebirth.proof.validation.schedules import unreadable
from rebirth.proof.validation.values import (
    Fields,
    Refusal,
    at_most_one,
    has,
    inner,
    is_known,
    text,
)

_SPEC = ("spec",)
_LONGHORN = "Longhorn"
_RESERVED = ("postgres", "template0", "template1")


def cluster(data: Fields) -> Iterator[Refusal]:
    spec = inner(data, "spec")
    yield from at_most_one(spec, _SPEC, ("imageName", "imageCatalogRef"))


def database(data: Fields) -> Iterator[Refusal]:
    name = text(inner(data, "spec"), "name")
    if name in _RESERVED:
        yield Refusal((*_SPEC, "name"), f"is {name}, which is PostgreSQL's own")


def connector(data: Fields) -> Iterator[Refusal]:
    spec = inner(data, "spec")
    if not isinstance(data.get("spec"), dict):
        return
    leaves = has(spec, "subnetRouter") or spec.get("exitNode") is True
    if not leaves and not has(spec, "appConnector") and is_known(spec.get("exitNode")):
        yield Refusal(_SPEC, "has none of subnetRouter, exitNode, appConnector: one of them has to be there")
    elif leaves and has(spec, "appConnector"):
        yield Refusal((*_SPEC, "appConnector"), "is there beside subnetRouter or exitNode, and only one of them may be")


def recurring_job(data: Fields) -> Iterator[Refusal]:
    schedule = text(inner(data, "spec"), "cron")
    if wrong := unreadable(schedule) if schedule else "":
        yield Refusal((*_SPEC, "cron"), f"is {schedule}: {wrong}", by=_LONGHORN)
