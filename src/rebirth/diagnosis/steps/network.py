"""A Service waits for the pods behind it; webhooks and aggregated APIs for their Service."""

from collections.abc import Iterator

from rebirth.diagnosis.cause import Cause, Outlook, label
from rebirth.diagnosis.named import said
from rebirth.diagnosis.search import Search
from rebirth.diagnosis.wanted import Key, Object
from rebirth.providers.cluster import condition

_RUNNERS = ("Deployment", "StatefulSet", "DaemonSet")


def service(search: Search, key: Key, item: Object) -> Iterator[Cause]:
    """Whether anything answers behind it. That of its pods one is Ready is enough, whatever its endpoints say."""
    spec = item.get("spec") or {}
    selector = spec.get("selector") or {}
    pods = search.pods(key[1], selector)
    if not selector or spec.get("type") == "ExternalName" or any(condition(pod)[0] == "True" for _, pod in pods):
        return
    behind = [one for one, there in search.kinds(*_RUNNERS) if one[1] == key[1] and _makes(there, selector)]
    below = [cause for one in behind or [one for one, _ in pods] for cause in search.of(one)]
    yield from below
    if not below and behind:
        yield Cause(behind[0], f"has no pod that is Ready, and {label(key)} needs one", Outlook.STUCK)
    elif not below:
        labels = ", ".join(f"{name}={value}" for name, value in selector.items())
        yield Cause(key, f"nothing is behind it: no pod has the labels {labels}", Outlook.STUCK)


def webhooks(search: Search, key: Key, item: Object) -> Iterator[Cause]:
    """One that nobody answers rejects everything that it is to look at, unless it may be left out."""
    for hook in item.get("webhooks") or []:
        reference = (hook.get("clientConfig") or {}).get("service")
        if reference and hook.get("failurePolicy", "Fail") == "Fail":
            yield from _needs(search, key, reference, f"{label(key)} calls it for what is written")


def aggregated(search: Search, key: Key, item: Object) -> Iterator[Cause]:
    status, message = condition(item, "Available")
    reference = (item.get("spec") or {}).get("service")
    if status == "True" or not reference:
        return
    below = list(_needs(search, key, reference, f"{label(key)} is served by it"))
    yield from below or said(search, key, message, Outlook.STUCK)


def _needs(search: Search, key: Key, reference: Object, why: str) -> Iterator[Cause]:
    named = ("Service", reference.get("namespace") or "", reference.get("name") or "")
    yield from search.of(named) if named in search.objects else search.missing(named, why)


def _makes(workload: Object, selector: Object) -> bool:
    template = ((workload.get("spec") or {}).get("template") or {}).get("metadata") or {}
    return bool(selector.items() <= (template.get("labels") or {}).items())


STEPS = {
    "Service": service,
    "ValidatingWebhookConfiguration": webhooks,
    "MutatingWebhookConfiguration": webhooks,
    "APIService": aggregated,
}
