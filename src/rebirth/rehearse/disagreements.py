"""Where the proof and a rehearsal of the same tree disagree: this is how the proof is kept true."""

from collections.abc import Iterator

from rebirth.diagnosis.cause import Outlook, label
from rebirth.proof.graph import Graph
from rebirth.proof.prove import ClusterProof
from rebirth.proof.reading.manifest import Model
from rebirth.proof.rules import Finding, Severity
from rebirth.proof.sources.outside.dns import CLUSTER_DNS
from rebirth.proof.things import Need, Scope, Thing
from rebirth.rehearse.result import Disagreement, Rehearsed

# What stands around the Flux graph: a rehearsal ends when that is Ready.
_AROUND = {
    "phase": "it has no phases",
    "site": "it has no visitors of a site",
    "handover": "it has no hand-overs",
}
_BEYOND = {
    Need.NAME: "it has no names of its own",
    Need.ZONE: "it has no names of its own",
    Need.HOST: "it has no machines",
    Need.NODE: "it has no machines",
    Need.NETWORK: "it has no network",
    Need.ADDRESS: "it has no network",
    Need.IMAGE: "it pulls no images",
    Need.VAULT: "it has no Vault",
    Need.CREDENTIAL: "its sources ask for no credentials",
    Need.DECRYPTION: "what is encrypted is invented",
    Need.RESTORE: "it has no backups",
}
# Who has claims of its own; those of other kinds are made by an operator, and that is on paper.
_CLAIMS = {"PersistentVolumeClaim", "StatefulSet", "Deployment", "DaemonSet", "Job", "CronJob", "Pod"}
# Rules that speak of such things without a chain.
_RULES = {
    "R06": "it has no certificates of machines",
    "R56": "it has no network",
    "R60": "it has no CoreDNS",
    "R61": "it has no CoreDNS",
    "R62": "it has no machines",
    "R63": "it has no network",
    "R70": "it has no machines",
    "R75": "it has no machines",
    "R76": "it has no machines",
}


def disagreements(proof: ClusterProof, findings: list[Finding], done: Rehearsed) -> list[Disagreement]:
    """Errors of the proof although all came up, and stops that neither an error nor a warning foresaw.

    Errors of what a rehearsal does not have are not compared, nor stops of what the proof says that it cannot tell.
    """
    told = [f for f in findings if f.severity is not Severity.INFO and Scope.FIRST_BOOT in f.scope]
    errors = [f for f in told if f.severity is Severity.ERROR and not why_beyond(f)]
    return [*_came_up(errors, done), *_not_foreseen(proof, told, done)]


def why_beyond(finding: Finding) -> str:
    """What a rehearsal lacks to show it; "" where it can."""
    around = _AROUND.get(finding.chain[0].by.kind, "") if finding.chain else ""
    needs = (_BEYOND[edge.need] for edge in finding.chain if edge.need in _BEYOND)
    made = _not_made(finding)
    return around or _RULES.get(finding.rule, "") or next(needs, "") or made


def _not_made(finding: Finding) -> str:
    """What an operator would have to make, which is on paper."""
    if any(edge.need is Need.STORAGE and edge.by.kind not in _CLAIMS for edge in finding.chain):
        return "its operators make no claims"
    if finding.rule == "R55" and any(edge.needs.kind == "operator" for edge in finding.chain):
        return "its operators run no pods"
    return ""


def _came_up(errors: list[Finding], done: Rehearsed) -> Iterator[Disagreement]:
    if done.came_up:
        for finding in errors:
            yield Disagreement(
                f"{finding.rule} is an error of the proof, and all came up: {finding.message}", finding.place
            )


def _not_foreseen(proof: ClusterProof, told: list[Finding], done: Rehearsed) -> Iterator[Disagreement]:
    """A stop is foreseen by an error in the same file or in one that its Kustomization applies, by a finding at the same object or in whose chain its object stands, by an
    error in whose chain something stands that its object needs, or, where no name resolves, by one of cluster DNS.
    """
    graph = proof.graph
    known = {thing.label for finding in told for thing in _things(finding)}
    errors = [finding for finding in told if finding.severity is Severity.ERROR]
    lacking = {thing for finding in errors for thing in _things(finding)}
    untold = {one.by.label for one in graph.unknowns if one.by is not None and one.listed}
    files = {finding.place.file for finding in errors}
    resolvers = {f"on {thing.name}:" for finding in told for thing in _things(finding) if thing.kind == CLUSTER_DNS}
    for stop in done.stops:
        held = {label(key) for key in (*stop.holds_up, stop.cause.key)}
        named = any(resolver in stop.message for resolver in resolvers)
        if named or files & {stop.place.file, *_applied(proof.model, label(stop.cause.key))} or held & known:
            continue
        needed = _needed(graph, label(stop.cause.key))
        if needed & lacking or untold & {thing.label for thing in needed}:
            continue
        word = "stopped" if stop.cause.outlook is Outlook.FINAL else "waited without end"
        yield Disagreement(f"the proof did not foresee that it {word}: {stop.message}", stop.place)


def _applied(model: Model, name: str) -> Iterator[str]:
    """The files of what a Kustomization of that label applies."""
    for unit in model.units:
        if unit.own is not None and unit.own.thing().label == name:
            yield from (member.file for member in unit.members)


def _things(finding: Finding) -> Iterator[Thing]:
    for edge in finding.chain:
        yield edge.by
        yield edge.needs


def _needed(graph: Graph, name: str) -> set[Thing]:
    """All that something of that label needs, however far, itself included."""
    found = {thing for thing in graph.edges if thing.label == name}
    todo = [*found]
    while todo:
        new = {edge.needs for edge in graph.edges.get(todo.pop(), ()) if Scope.FIRST_BOOT in edge.scope} - found
        found |= new
        todo += new
    return found
