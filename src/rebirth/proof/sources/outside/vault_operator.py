"""Vault Secrets Operator: what its secrets are read with, and through which Vault."""

from rebirth.proof.graph import Graph
from rebirth.proof.reading.manifest import Manifest, Model, thing
from rebirth.proof.sources import external_secrets, meeting
from rebirth.proof.sources.meeting import vault_path
from rebirth.proof.things import ALWAYS, Milestone, Need, Thing

GROUP = "secrets.hashicorp.com"
_SECRETS = ("VaultStaticSecret", "VaultDynamicSecret", "VaultPKISecret")


def read(model: Model, graph: Graph) -> None:
    """Secret makers and credentials of Secrets are reported by `knowledge`; here is what takes more than a name."""
    for member, _ in model.objects(*_SECRETS, "VaultAuth", "VaultConnection"):
        if member.group != GROUP:
            continue
        done = meeting.runs(member, graph)
        if member.kind == "VaultConnection":
            if host := external_secrets.host_of(member.at("spec", "address")):
                place = member.place("spec", "address")
                graph.needs(done, thing("name", "", host, Milestone.RESOLVES), Need.NAME, place, host, scope=ALWAYS)
        elif member.kind == "VaultAuth":
            _refers(model, member, done, ("spec", "vaultConnectionRef"), "VaultConnection", graph)
            if account := member.at("spec", "kubernetes", "serviceAccount"):
                of = meeting.account(graph, member.namespace, str(account))
                graph.needs(done, of, Need.ACCOUNT, member.place("spec", "kubernetes", "serviceAccount"))
        else:
            _refers(model, member, done, ("spec", "vaultAuthRef"), "VaultAuth", graph)
            _path(member, done, graph)


def _refers(model: Model, member: Manifest, done: Thing, path: tuple[str, ...], kind: str, graph: Graph) -> None:
    """A reference by name, or namespace/name; none means the operator's own `default`, wherever that is."""
    named = member.at(*path)
    if not isinstance(named, str) or not named:
        return
    space, _, name = named.rpartition("/")
    other = thing(kind, space or member.namespace, name, Milestone.READY)
    existing = other._replace(milestone=Milestone.EXISTS)
    graph.wanted(existing)
    graph.needs(done, other, Need.STORE, member.place(*path))
    graph.needs(other, existing, Need.APPLIED_BY, member.place(*path))


def _path(member: Manifest, done: Thing, graph: Graph) -> None:
    mount, path = member.at("spec", "mount"), member.at("spec", "path")
    if member.kind != "VaultStaticSecret" or not mount or not path:
        return
    of = vault_path(str(mount), str(path))
    if of not in graph.made:
        graph.assumed(of, "Vault has it already", member.place("spec", "path"))
    graph.needs(done, of, Need.VAULT, member.place("spec", "path"))
