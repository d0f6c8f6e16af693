"""The findings of a proof, weighed against what is to be ignored; and what the proof has seen at all."""

import os
from collections.abc import Iterable, Iterator
from dataclasses import dataclass

from rebirth.findings.certainty import Word, needed
from rebirth.findings.ignores import Ignore, comments, entries, r00_ignore
from rebirth.findings.places import Places
from rebirth.findings.taken import Taken, taken
from rebirth.proof.prove import Proof
from rebirth.proof.reading.kustomization import NAMES
from rebirth.proof.reading.repository_files import SETTINGS
from rebirth.proof.rules import RULES, Finding, Severity
from rebirth.proof.rules.finding import grouped
from rebirth.proof.things import Atomicity, Place, Unknown


@dataclass(frozen=True)
class Seen:
    """What was read, in numbers."""

    files: int
    kustomizations: int
    charts: int
    objects: int
    things: int
    needs: int
    starts: tuple[tuple[str, str, Place], ...] = ()  # the folders that Flux starts from: why, and where that is written
    share: tuple[int, int] = (0, 0)  # YAML files with objects: those that are read, and all


@dataclass(frozen=True)
class Verdict:
    findings: tuple[Finding, ...]  # the gravest first
    ignored: tuple[tuple[Finding, Ignore], ...]
    seen: Seen
    unknown: tuple[Unknown, ...]
    whole: bool  # with a castle: what is made beside the repository is known, too
    taken: tuple[Taken, ...] = ()  # as there
    known: int = 0  # findings that are not reported: a baseline, or an earlier revision, has them
    needed: tuple[str, ...] = ()  # what would have to be read to tell whether it can finish
    cannot: bool = False  # an error was found, be it reported here or known

    def count(self, severity: Severity) -> int:
        return sum(finding.severity is severity for finding in self.findings)

    @property
    def impossible(self) -> bool:
        return bool(self.count(Severity.ERROR))

    @property
    def word(self) -> Word:
        if self.cannot or self.impossible:
            return Word.CANNOT
        return Word.CANNOT_TELL if self.needed else Word.CAN


def rule_ids() -> set[str]:
    return {rule.__name__.partition("_")[0].upper() for rule in (*RULES, r00_ignore)}


def weigh(proof: Proof, places: Places) -> Verdict:
    """Raises SpecError where the repository's .rebirth.yaml cannot be used."""
    files = _files(proof)
    ignores = [*_declared(proof), *comments(files - proof.model.silent)]
    told: list[Finding] = []
    ignored: list[tuple[Finding, Ignore]] = []
    by_rule: dict[str, list[Ignore]] = {}
    for ignore in ignores:
        for rule in ignore.rules:
            by_rule.setdefault(rule, []).append(ignore)
    for finding in proof.findings:
        because = next((i for i in by_rule.get(finding.rule, ()) if i.meets(finding, places)), None)
        if because:
            ignored.append((finding, because))
        else:
            told.append(finding)
    told += r00_ignore(ignores, {because for _, because in ignored}, rule_ids())
    order = list(Severity)
    told.sort(key=lambda finding: order.index(finding.severity))  # stable: the rules' order stays
    unknown = dict.fromkeys(one for world in proof.worlds for one in world.graph.unknowns if one.listed)
    found = [one for world in proof.worlds for one in taken(world.graph, proof.findings)]
    there = {one.thing.label: one for one in reversed(found)}
    return Verdict(
        tuple(grouped(told)),
        tuple(ignored),
        _seen(proof, files),
        tuple(unknown),
        proof.graph.whole,
        tuple(reversed(there.values())),
        needed=needed(proof),
        cannot=any(finding.severity is Severity.ERROR for finding in told),
    )


def _declared(proof: Proof) -> Iterator[Ignore]:
    castle, file = proof.model.castle, proof.model.castle_file
    if castle and file:
        yield from entries(castle.check, file, proof.model.root, file.parent)
    own = proof.model.root / SETTINGS
    if own.is_file():
        from rebirth.castle import RepositoryFile, load_model

        yield from entries(load_model(own, RepositoryFile).check, own, proof.model.root)


def _files(proof: Proof) -> set[str]:
    """Every file that was read and made a difference."""
    models = [world.model for world in proof.worlds]
    found = {member.file for model in models for unit in model.units for member in unit.members}
    found |= {manifest.file for model in models for manifest in (*model.orphans, *model.seeded)}
    found |= {finding.place.file for finding in proof.findings}
    if proof.model.castle_file:
        found.add(str(proof.model.castle_file))
    # Thousands of files: as text, since a Path takes longer to make than what is asked of it.
    folders = {file.rpartition("/")[0] for file in found if file} | {
        folder for model in models for folder in model.built
    }
    found |= {f"{folder}/{name}" for folder in folders for name in NAMES}
    there = proof.model.silent
    return {file for file in found if _is_yaml(file) and (file in there or os.path.isfile(file))}  # noqa: PTH113 - see above


def _is_yaml(file: str) -> bool:
    name = file.rpartition("/")[2]
    return "." not in name or name.endswith((".yaml", ".yml"))


def _seen(proof: Proof, files: Iterable[str]) -> Seen:
    units = [unit for world in proof.worlds for unit in world.model.units]
    graphs = [world.graph for world in proof.worlds]
    return Seen(
        files=len(set(files)),
        kustomizations=sum(unit.atomicity is Atomicity.FLUX for unit in units),
        charts=sum(unit.atomicity is Atomicity.HELM for unit in units),
        objects=sum(len(unit.members) for unit in units),
        things=sum(len(graph.edges) for graph in graphs),
        needs=sum(len(needs) for graph in graphs for needs in graph.edges.values()),
        starts=tuple((world.model.cluster, *world.model.start) for world in proof.worlds),
        share=proof.model.share,
    )
