"""Reads a GitOps repository the way Flux does: from the cluster's folder to every Kustomization that comes out of it."""

import os
from collections.abc import Collection, Iterable, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, NamedTuple

from rebirth.errors import SpecError
from rebirth.proof.reading import completion, flux, kustomization, scopes, talos, unread
from rebirth.proof.reading.artifacts import Artifacts
from rebirth.proof.reading.batches import Written
from rebirth.proof.reading.built import Builds, placed, rejected
from rebirth.proof.reading.kept import Kept
from rebirth.proof.reading.kustomization import Folder
from rebirth.proof.reading.kustomize import BuildFailed, Kustomize
from rebirth.proof.reading.machines import talhelper
from rebirth.proof.reading.manifest import Manifest, Model, Unit, thing
from rebirth.proof.reading.repository_files import IGNORE, MOST, Files, between
from rebirth.proof.reading.start import before, beforehand, coverage
from rebirth.proof.reading.start import clusters as where
from rebirth.proof.reading.undefined import filled, forgotten, literal, put_in, settings
from rebirth.proof.reading.variables import Variables
from rebirth.proof.things import Atomicity, Milestone, Place, Remark, Unknown
from rebirth.run.waiting import together

if TYPE_CHECKING:
    from rebirth.castle import Castle

_INJECTOR = "kustomize-mutating-webhook"  # adds substitutions to every Kustomization that is applied


@dataclass
class Survey:
    """One cluster's model, and what was noticed while reading."""

    model: Model
    remarks: list[Remark] = field(default_factory=list)
    unknowns: list[Unknown] = field(default_factory=list)


async def survey(
    root: Path,
    clusters: Iterable[str],
    kustomize: Kustomize,
    castle: "Castle | None" = None,
    castle_file: Path | None = None,
    kept: Kept | None = None,
) -> list[Survey]:
    """Reads the repository in `root`, one survey a cluster: what is in one is not in the other.

    `clusters` are the folders that Flux starts from; without any they are found. Raises SpecError where there is nothing to read.
    """
    if not root.is_dir():
        raise SpecError(f"{root}: no such directory", hint="Name the folder of the GitOps repository.")
    found = where.find(root.resolve(), [*clusters], kept)
    sources = Artifacts(found.files)
    surveys = []
    silent = found.files.silent(IGNORE)
    for cluster, start in found.clusters.items():
        model = Model(found.root, found.around, cluster, start, castle=castle, castle_file=castle_file, silent=silent)
        sources.leave_out(cluster, found.clusters)
        reader = _Reader(found.files, kustomize, sources, model, found.clusters)
        await reader.read(found.root / cluster)
        surveys.append(reader.survey)
    share = coverage.of(found.files, root.resolve(), [one.model for one in surveys])
    early = before.read([one.model for one in surveys], found.files) if castle is None else [[] for _ in surveys]
    for one, unknowns in zip(surveys, early, strict=True):
        one.model.share = share
        one.unknowns += unknowns
    if not clusters and (little := coverage.little(share, root.resolve(), found.clusters)):
        surveys[0].remarks.append(little)
    return surveys


class _Opened(NamedTuple):
    """A folder that a unit applies, with what is to be built of it."""

    found: Folder
    own: Manifest | None
    place: Place
    plain: list[Manifest] | None  # what it makes; None where only kustomize can tell
    written: Written


class _Reader:
    def __init__(
        self, files: Files, kustomize: Kustomize, artifacts: Artifacts, model: Model, clusters: Collection[str]
    ) -> None:
        self.root, self.files, self.artifacts = files.root, files, artifacts
        self._clusters = clusters  # of the repository
        self._builds = Builds(files, kustomize)
        self.model = model
        self.survey = Survey(model)
        self.listed: set[Path] = set()
        self._rejected: set[tuple[Path, Manifest | None]] = set()  # by kustomize: folders, and whose they are
        self._lost: set[tuple[str, str]] = set()  # Kustomizations that are known as they are written alone
        self._seen: set[tuple[str, str]] = set()
        self._raw: dict[Unit, list[Manifest]] = {}  # members before variables are put in
        self._settings: frozenset[str] = frozenset()  # names of variables that the repository has a value for
        self._injected = False  # whether a webhook adds variables that no file tells
        self._put_in: dict[Unit, tuple[object, list[Manifest], list[Remark]]] = {}

    async def read(self, folder: Path) -> None:
        if not folder.is_dir():
            raise SpecError(f"{folder}: no such directory", hint="--cluster names a folder of the repository.")
        waiting = self._put(folder, *await self._root(folder), root=True)
        # Level by level, so that the order of units does not hang on which build is done first.
        while waiting:
            opened = [self._opened(path, own) for path, own in waiting]
            await self._builds.ahead((one.found, one.written) for one in opened if one.plain is None)
            made = iter(await together(*(self._made(one) for one in opened if one.plain is None)))
            builds = [next(made) if one.plain is None else one.plain for one in opened]
            waiting = [
                child
                for (path, own), members in zip(waiting, builds, strict=True)
                for child in self._put(path, members, own)
            ]
        self._scopes()
        self._substitute()
        self.survey.unknowns += unread.generated(m for unit in self.model.units for m in unit.members)
        self._orphans()
        early = beforehand.find(self.files, self.listed, self.model.cluster, self._clusters)
        self.model.seeded += early.objects
        self.model.fetched += early.fetched
        if self.model.castle is None:
            self.model.machines += talhelper.machines(self.files, self.model.cluster, self._clusters) or talos.lying(
                self.files, self.model.cluster, self._clusters
            )
        self.model.index()
        self.model.listed = frozenset(self.listed)

    async def _root(self, folder: Path) -> tuple[list[Manifest], Manifest | None]:
        """What stands in the cluster's folder. The Kustomization that applies it may stand there, too, and add to it."""
        members = await self._build(folder, None)
        own = self._leader(members, folder)
        if own is None or not (
            completion.adds(own) or own.at("spec", "targetNamespace") or own.items("spec", "components")
        ):
            return members, own
        self.survey.remarks.clear()
        self.survey.unknowns.clear()
        self._lost.clear()
        members = await self._build(folder, own)
        return members, self._leader(members, folder)

    def _leader(self, members: list[Manifest], folder: Path) -> Manifest | None:
        """The Kustomization that applies the folder in which it stands itself."""
        found = (m for m in members if flux.is_kustomization(m))
        own = (m for m in found if flux.folder_of(m, self.root, self.files.resolved) == folder)
        return next((m for m in own if not self.artifacts.is_foreign(m)), None)

    # -- units

    def _put(
        self, folder: Path, members: list[Manifest], own: Manifest | None, *, root: bool = False
    ) -> list[tuple[Path, Manifest]]:
        """Enters the unit that makes `members`; returns those whose Kustomizations are among them, with their folders."""
        place = own.place("spec", "path") if own and not root else Place(str(folder))
        built = (folder, None if root else own) not in self._rejected
        if root:
            self.model.own_source = self.artifacts.own(own, self.model.cluster)
        if own is None:
            applied = thing("Kustomization", "flux-system", "flux-system", Milestone.APPLIED)
            unit = Unit(applied, applied._replace(milestone=Milestone.READY), Atomicity.FLUX, place)
        else:
            unit = self._unit(own, place)
            self._seen.add((own.namespace, own.name))
        unit.root, unit.built = root, built
        self.model.units.append(unit)
        self._raw[unit] = members
        unit.members = self._substituted(unit, members, [])
        children = []
        for child in unit.members:
            if flux.is_kustomization(child) and (child.namespace, child.name) not in self._seen:
                self._seen.add((child.namespace, child.name))
                if (target := self._folder(child)) is not None:
                    children.append((target, child))
        return children

    def _unit(self, own: Manifest, place: Place, *, known: bool = True) -> Unit:
        ready = flux.ready(own.kind, own.namespace, own.name)
        return Unit(flux.applied(own), ready, Atomicity.FLUX, place, own, known=known)

    def _folder(self, own: Manifest) -> Path | None:
        """The folder that a Kustomization applies; None where there is nothing to read, which is then noted."""
        if flux.is_suspended(own):
            words = f"{own.thing().label} is suspended"
            self.survey.remarks.append(Remark("suspended", own.place("spec", "suspend"), words, own.thing()))
        if flux.is_elsewhere(own):
            self.model.units.append(self._unit(own, own.place("spec", "kubeConfig")))
            return None
        if (own.namespace, own.name) in self._lost:
            self._unknown(
                own, "path", "kustomize rejects what applies it, with what is patched into it there", listed=False
            )
            return None
        path = str(own.at("spec", "path", default="./") or "./")
        target = self.artifacts.folder(own, self.model.own_source)
        if target is None:
            self._unknown(own, "sourceRef", f"is fetched from {' '.join(filter(None, flux.source_of(own)))}")
        elif "${" in path:
            self._unknown(own, "path", "its path contains a variable that is not known")
        elif not self.files.is_inside(target):
            self._missing(own, "path-outside", f"{path} leads out of the repository")
        elif words := self.files.lacks(target):
            near = "" if os.path.exists(target) else self.files.near(target)  # noqa: PTH110 - a name may be too long
            self._missing(own, "missing-path", f"{path} {words}" + (f"; did you mean ./{near}?" if near else ""))
        else:
            return target
        return None

    def _unknown(self, own: Manifest, key: str, why: str, *, listed: bool = True) -> None:
        place = own.place("spec", key)
        self.model.units.append(self._unit(own, place, known=False))
        url, foreign = self.artifacts.origin(flux.source_of(own), self.model.own_source)
        self.survey.unknowns.append(unread.whatever(own, place, why, url, listed=listed, foreign=foreign))

    def _missing(self, own: Manifest, slug: str, words: str) -> None:
        place = own.place("spec", "path")
        self.model.units.append(self._unit(own, place, known=False))
        self.survey.remarks.append(Remark(slug, place, words, own.thing()))
        self.survey.unknowns.append(unread.whatever(own, place, words, listed=False))

    # -- builds

    async def _build(self, folder: Path, own: Manifest | None) -> list[Manifest]:
        return await self._made(self._opened(folder, own))

    def _opened(self, folder: Path, own: Manifest | None) -> _Opened:
        later = folder / "flux-system" if own is None else None  # `flux bootstrap` writes it
        found = kustomization.folder(self.files, folder, completion.components(folder, own) if own else [], later)
        completion.cut(found, self.files)
        place = own.place("spec", "path") if own else Place(str(folder))
        self.model.built[str(folder)] = place
        self.listed |= found.files
        self.survey.remarks += found.remarks
        self.survey.unknowns += unread.left_out(found, own, self.files)
        self.model.remote = {**dict(found.remote), **self.model.remote} if found.remote else self.model.remote
        plain = completion.plain(found, own)
        return _Opened(found, own, place, plain, {} if plain is not None else completion.written(found, own))

    async def _made(self, opened: _Opened) -> list[Manifest]:
        found, own, place, plain, written = opened
        if plain is not None:
            return plain
        try:
            return [*placed(await self._builds.of(found, written), found), *found.loose]
        except BuildFailed as error:
            # Where something was left out, that is what is wrong, and has been told.
            if found.whole:
                where_ = Place(str(found.file), found.line) if found.file else place
                slow = error.status is None  # of a busy machine, or of a build without an end: nobody can tell
                told = Remark("unread", where_, error.said) if slow else rejected(error.said, found, own, where_)
                self.survey.remarks.append(told)
            made, lost = await self._builds.parts(found, written)
            self.survey.unknowns += [unread.rejected(found, own, place)] if lost else []
            self._rejected |= {(found.path, own)} if lost else set()
            if completion.changes(found, own):
                self._lost |= {(m.namespace, m.name) for m in lost if flux.is_kustomization(m)}
            return [*made, *lost]

    # -- what is done to objects after they are built

    def _scopes(self) -> None:
        """Kustomize gives a namespace to cluster-scoped custom resources too, and the API server takes it away again."""
        known, namespaced = scopes.cluster_scoped(m for members in self._raw.values() for m in members)
        kinds = (known | scopes.BUILT_IN | scopes.CUSTOM) - namespaced
        for unit, members in self._raw.items():
            if any(m.namespace and m.kind in kinds for m in members):
                self._raw[unit] = [scopes.in_none(m) if m.namespace and m.kind in kinds else m for m in members]

    def _substitute(self) -> None:
        """postBuild, once every ConfigMap that it may read from is known."""
        self._injected = any(
            member.kind == "HelmRelease" and _INJECTOR in (member.name, member.at("spec", "chart", "spec", "chart"))
            for members in self._raw.values()
            for member in members
        )
        self._settings = settings(member for members in self._raw.values() for member in members)
        for unit, members in self._raw.items():
            unit.members = self._substituted(unit, members, self.survey.remarks)
        self.survey.remarks = forgotten(((u.own, u.members) for u in self._raw if u.own), self.survey.remarks)

    def _substituted(self, unit: Unit, members: list[Manifest], remarks: list[Remark]) -> list[Manifest]:
        if unit.own is None or not unit.own.mapping("spec", "postBuild"):
            if unit.own is not None and not self._injected:
                remarks += literal(members, unit.own, self._settings)
            return members
        variables = self._variables(unit.own)
        known = (variables.values, variables.hidden, variables.whole, members)
        if (before := self._put_in.get(unit)) and before[0] == known:
            remarks += before[2]  # nothing more has become known since the unit was built
            return before[1]
        found, noted = put_in(unit.own, members, variables)
        self._put_in[unit] = (known, found, noted)
        remarks += noted
        return found

    def _variables(self, own: Manifest) -> Variables:
        found: dict[str, str] = {}
        hidden: set[str] = set()
        whole = not self._injected
        for entry in own.items("spec", "postBuild", "substituteFrom"):
            if not isinstance(entry, Mapping):
                continue
            kind, name = str(entry.get("kind")), str(entry.get("name"))
            holder = self._holder(kind, own.namespace, name)
            if holder is None:
                keys = filled(kind, own.namespace, name, (m for members in self._raw.values() for m in members))
                whole = whole and keys is not None and bool(keys or entry.get("optional"))
                hidden |= keys or set()
            elif kind == "Secret":
                hidden |= {str(key) for part in ("data", "stringData") for key in _mapping(holder, part)}
            else:
                found |= {str(key): flux.text_of(value) for key, value in _mapping(holder, "data").items()}
        return Variables({**found, **flux.variables_of(own)}, frozenset(hidden - flux.variables_of(own).keys()), whole)

    def _holder(self, kind: str, namespace: str, name: str) -> Mapping[str, object] | None:
        if (castle := self.model.castle) and (ours := castle.substituted(kind, namespace, name)) is not None:
            return {"data": ours}
        for unit in self.model.units:
            for member in self._raw.get(unit, ()):
                if member.kind == kind and member.name == name and member.namespace in {namespace, ""}:
                    return member.data
        return None

    def _unlisted(self, file: Path, found: list[Manifest]) -> None:
        """Notes a file with objects that the kustomization beside it does not list."""
        listing = kustomization.kustomization_of(self.files, file.parent)
        if listing is None or listing not in self.listed or not found:
            return
        self.survey.remarks.append(unread.unlisted(file, found[0], listing, self.model))

    def _orphans(self) -> None:
        """Objects in files beside listed ones, or in a folder on the way to them, that nothing lists."""
        folders = between({file.parent for file in self.listed}) | unread.meant(self.model, self.files)
        for file in self.files.yaml_files():
            if file not in self.listed and file.parent in folders and file.name not in kustomization.NAMES:
                found = where.manifests_of(self.files, file)
                self.model.orphans += found
                self._unlisted(file, found)
        if self.files.cut:
            self.survey.unknowns.append(
                Unknown(str(self.root), Place(str(self.root)), f"it has more than {MOST} files: the rest is not read")
            )


def _mapping(data: Mapping[str, object], key: str) -> Mapping[str, object]:
    return found if isinstance(found := data.get(key), Mapping) else {}
