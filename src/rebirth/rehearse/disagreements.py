"""Where the proof and a rehearsal of the same tree disagree: this is how the proof is kept true."""

from collections.abc import Iterator

from rebirth.diagnosis.cause import Outlook, label
from rebirth.proof.prove import ClusterProof
from rebirth.proof.rules import Finding, Severity
from rebirth.proof.sources.outside.dns import CLUSTER_DNS
from rebirth.proof.things import Need, Scope
from rebirth.rehearse.result import Disagreement, Rehearsed

# What stands around the Flux graph: a rehearsal ends when that is Ready, and has neither phases nor visitors.
_AROUND = {"phase", "site", "handover"}
# What a rehearsal does not have: machines, networks, names, images, and what is kept outside.
_BEYOND = {
    Need.NAME, Need.ZONE, Need.HOST, Need.NODE, Need.NETWORK, Need.IMAGE, Need.VAULT, Need.ADDRESS, Need.CREDENTIAL, Need.DECRYPTION,
    Need.RESTORE,
}  # fmt: skip

# Rules that speak of such things without a chain: Corefiles and forwards of DNS, addresses and certificates of machines.
_RULES = {"R06", "R56", "R60", "R61", "R62", "R63", "R70", "R75", "R76"}


def disagreements(proof: ClusterProof, findings: list[Finding], done: Rehearsed) -> list[Disagreement]:
    """Errors of the proof although all came up, and stops that neither an error nor a warning foresaw.

    Errors of what a rehearsal does not have are not compared.
    """
    told = [f for f in findings if f.severity is not Severity.INFO and Scope.FIRST_BOOT in f.scope]
    errors = [f for f in told if f.severity is Severity.ERROR and not is_beyond(f)]
    return [*_came_up(errors, done), *_not_foreseen(told, done)]


def is_beyond(finding: Finding) -> bool:
    """Whether a rehearsal cannot show it."""
    around = bool(finding.chain) and finding.chain[0].by.kind in _AROUND
    return around or finding.rule in _RULES or any(edge.need in _BEYOND for edge in finding.chain)


def _came_up(errors: list[Finding], done: Rehearsed) -> Iterator[Disagreement]:
    if done.came_up:
        for finding in errors:
            yield Disagreement(
                f"{finding.rule} is an error of the proof, and all came up: {finding.message}", finding.place
            )


def _not_foreseen(told: list[Finding], done: Rehearsed) -> Iterator[Disagreement]:
    """A stop is foreseen by an error in the same file, by a finding at the same object or in whose chain its object stands, or, where
    no name resolves, by one of cluster DNS.
    """
    things = [thing for finding in told for edge in finding.chain for thing in (edge.by, edge.needs)]
    resolvers = {f"on {thing.name}:" for thing in things if thing.kind == CLUSTER_DNS}
    known = {thing.label for thing in things}
    files = {finding.place.file for finding in told if finding.severity is Severity.ERROR}
    for stop in done.stops:
        held = {label(key) for key in (*stop.holds_up, stop.cause.key)}
        named = any(resolver in stop.message for resolver in resolvers)
        if named or stop.place.file in files or held & known:
            continue
        word = "stopped" if stop.cause.outlook is Outlook.FINAL else "waited without end"
        yield Disagreement(f"the proof did not foresee that it {word}: {stop.message}", stop.place)
