"""Flux sources: what has to be there before one is fetched; charts, receivers, notifications, image automation besides.

That a host is served by this very cluster is said by `outside.fetched`.
"""

from collections.abc import Iterator, Mapping

from rebirth.proof.graph import Graph
from rebirth.proof.reading import flux
from rebirth.proof.reading.manifest import Manifest, Model, thing
from rebirth.proof.things import Milestone, Need, Thing

_FETCHED = {"GitRepository", "OCIRepository", "HelmRepository", "Bucket", "HelmChart"}
_NOTIFICATION, _IMAGE = "notification.toolkit.fluxcd.io", "image.toolkit.fluxcd.io"
_Path = tuple[str | int, ...]


_PATIENT = 600.0  # seconds between two attempts from which on it is worth saying


def read(model: Model, graph: Graph) -> None:
    for unit in model.units:
        if unit.own is not None and flux.is_kustomization(unit.own):
            _retry(unit.own, unit.applied, graph)
    for member, _ in model.objects("Job", *_FETCHED):
        if member.at("spec", "suspend") is True:  # a Job that has not started is in progress, for whoever waits for it
            words = f"{member.thing().label} is suspended"
            graph.remark("suspended", member.place("spec", "suspend"), words, member.thing())
    for member, _ in model.objects():
        if member.group in {flux.SOURCE, _NOTIFICATION, _IMAGE}:
            _inputs(member, graph)


def _inputs(member: Manifest, graph: Graph) -> None:
    """What one of Flux' sources and automations needs to be Ready."""
    ready = member.thing(Milestone.READY)
    graph.needs(ready, member.thing(), Need.APPLIED_BY, member.place("metadata", "name"))
    graph.where.setdefault(ready, member.place("metadata", "name"))
    for name, path in _secrets(member):
        secret = thing("Secret", member.namespace, name, Milestone.MATERIALISED)
        graph.needs(ready, secret, Need.CREDENTIAL, member.place(*path))
        if path == ("spec", "secretRef") and _logs_in_with_password(member):
            # With neither it asks as anybody does (fluxcd/pkg/git 0.52, AuthOptions): enough for a public repository.
            for key, other in (("username", "password"), ("password", "username")):
                graph.reads(ready, secret, f"{key}|bearerToken", member.place(*path), beside=other)
    for kind, space, name, path in _others(member):
        graph.needs(ready, thing(kind, space, name, Milestone.READY), Need.SOURCE, member.place(*path))
    if account := member.at("spec", "serviceAccountName"):
        existing = thing("ServiceAccount", member.namespace, str(account))
        graph.wanted(existing)
        graph.needs(ready, existing, Need.ACCOUNT, member.place("spec", "serviceAccountName"))


def _retry(own: Manifest, applied: Thing, graph: Graph) -> None:
    """Notes who is tried again late after a failure."""
    interval = own.at("spec", "interval")
    if own.at("spec", "retryInterval") is None and flux.seconds(interval, 0.0) >= _PATIENT:
        words = f"{own.thing().label}  is retried after {interval}"
        graph.remark("slow-retry", own.place("spec", "interval"), words, applied, interval=str(interval))


def _logs_in_with_password(member: Manifest) -> bool:
    """Whether a Git server is asked over HTTPS, where source-controller takes a name and a password, or a bearer token."""
    url = str(member.at("spec", "url", default=""))
    return (
        member.kind == "GitRepository"
        and url.startswith("https://")
        and member.at("spec", "provider") in {None, "generic"}
    )


def _secrets(member: Manifest) -> Iterator[tuple[str, _Path]]:
    """Secrets that it reads: to log in, to trust a certificate, to verify a signature."""
    for field in ("secretRef", "certSecretRef", "proxySecretRef"):
        if isinstance(name := member.at("spec", field, "name"), str):
            yield name, ("spec", field)
    if isinstance(name := member.at("spec", "verify", "secretRef", "name"), str):
        yield name, ("spec", "verify", "secretRef")


def _others(member: Manifest) -> Iterator[tuple[str, str, str, _Path]]:
    """Other objects of Flux that have to be Ready first: kind, namespace, name, path."""
    if member.kind == "HelmChart":
        reference = member.mapping("spec", "sourceRef")
        if reference.get("name"):
            yield str(reference.get("kind")), member.namespace, str(reference["name"]), ("spec", "sourceRef")
    elif member.kind == "GitRepository":
        for index, entry in enumerate(member.items("spec", "include")):
            if isinstance(entry, Mapping) and isinstance(
                name := member.at("spec", "include", index, "repository", "name"), str
            ):
                yield "GitRepository", member.namespace, name, ("spec", "include", index)
    elif member.kind == "ImagePolicy":
        name = member.at("spec", "imageRepositoryRef", "name")
        space = str(member.at("spec", "imageRepositoryRef", "namespace") or member.namespace)
        if isinstance(name, str):
            yield "ImageRepository", space, name, ("spec", "imageRepositoryRef")
    elif member.kind == "ImageUpdateAutomation":
        name = member.at("spec", "sourceRef", "name")
        space = str(member.at("spec", "sourceRef", "namespace") or member.namespace)
        if isinstance(name, str):
            yield str(member.at("spec", "sourceRef", "kind") or "GitRepository"), space, name, ("spec", "sourceRef")
