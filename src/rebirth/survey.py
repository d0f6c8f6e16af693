"""Reads a GitOps repository the way Flux does: from the cluster's folder to every Kustomization that comes out of it."""

import asyncio
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from rebirth.errors import Broken, SpecError
from rebirth.graph import Atomicity, Milestone, Place, Remark, Unknown
from rebirth.providers.kustomize import Kustomize
from rebirth.sources import flux, kustomization
from rebirth.sources.manifest import Manifest, Model, Unit, thing
from rebirth.sources.yaml_files import UnreadableError, parse
from rebirth.spec import Castle

_AT_ONCE = 4  # builds that run side by side


@dataclass
class Survey:
    """The model, and what was noticed while reading."""

    model: Model
    remarks: list[Remark] = field(default_factory=list)
    unknowns: list[Unknown] = field(default_factory=list)


async def survey(
    root: Path,
    clusters: Iterable[str],
    kustomize: Kustomize,
    castle: Castle | None = None,
    castle_file: Path | None = None,
) -> Survey:
    """Reads the repository in `root`. `clusters` are the folders that Flux starts from; without any they are found.

    Raises SpecError where there is nothing to read.
    """
    if not root.is_dir():
        raise SpecError(f"{root}: no such directory", hint="Name the folder of the GitOps repository.")
    reader = _Reader(root.resolve(), kustomize, Model(root.resolve(), castle, castle_file))
    await reader.read([*clusters] or reader.find_clusters())
    return reader.survey


class _Reader:
    def __init__(self, root: Path, kustomize: Kustomize, model: Model) -> None:
        self.root, self.kustomize = root, kustomize
        self.files = kustomization.Files(root)
        self.survey = Survey(model)
        self.model = model
        self.listed: set[Path] = set()
        self._limit = asyncio.Semaphore(_AT_ONCE)
        self._seen: set[tuple[str, str]] = set()

    def find_clusters(self) -> list[str]:
        """Folders with Flux Kustomizations that no Kustomization leads to: there Flux has to be pointed by hand."""
        holding: set[Path] = set()
        led: set[Path] = set()
        for file in self.files.yaml_files():
            for manifest in self._manifests(file):
                if flux.is_kustomization(manifest):
                    holding.add(file.parent)
                    led.add(flux.folder_of(manifest, self.root))
        tops = {folder for folder in holding if not any(folder == path or path in folder.parents for path in led)}
        roots = {folder for folder in led if any(folder == path or folder in path.parents for path in holding)}
        found = tops or roots
        outermost = {folder for folder in found if not any(other in folder.parents for other in found)}
        if not outermost:
            raise SpecError(
                f"{self.root}: no Flux Kustomization is below it", hint="Name the cluster's folder with --cluster."
            )
        return sorted(str(folder.relative_to(self.root)) for folder in outermost)

    def _manifests(self, file: Path) -> list[Manifest]:
        try:
            documents = self.files.documents(file)
        except UnreadableError:
            return []
        return [m for document in documents for m in kustomization.manifests(document, file, Place(""))]

    async def read(self, clusters: Iterable[str]) -> None:
        for cluster in clusters:
            folder = (self.root / cluster).resolve()
            if not folder.is_dir():
                raise SpecError(f"{folder}: no such directory", hint="--cluster names a folder of the repository.")
            await self._unit(folder, None)
        self._substitute()
        self._orphans()
        self.model.index()

    async def _unit(self, folder: Path, own: Manifest | None) -> None:
        """Builds one unit, then those whose Kustomizations come out of it."""
        place = own.place("spec", "path") if own else Place(str(folder))
        root = own is None
        members = await self._build(folder, own, place)
        if own is None:
            own = next(
                (m for m in members if flux.is_kustomization(m) and flux.folder_of(m, self.root) == folder), None
            )
        if own is None:
            applied = thing("Kustomization", "flux-system", "flux-system", Milestone.APPLIED)
            unit = Unit(applied, applied._replace(milestone=Milestone.READY), Atomicity.FLUX, place, members=members)
        else:
            ready = flux.ready(own.kind, own.namespace, own.name)
            unit = Unit(flux.applied(own), ready, Atomicity.FLUX, place, own, members)
            self._seen.add((own.namespace, own.name))
        unit.root = root
        self.model.units.append(unit)
        children = []
        for member in members:
            if flux.is_kustomization(member) and (member.namespace, member.name) not in self._seen:
                self._seen.add((member.namespace, member.name))
                children.append(member)
        await asyncio.gather(*map(self._child, children))

    async def _child(self, own: Manifest) -> None:
        folder = flux.folder_of(own, self.root)
        if self.root != folder and self.root not in folder.parents:
            self.survey.remarks.append(
                Remark(
                    "path-outside", own.place("spec", "path"), f"{own.at('spec', 'path')} leads out of the repository"
                )
            )
            return
        if not folder.is_dir():
            words = "is a file, not a folder" if folder.is_file() else "is not there"
            path = own.at("spec", "path")
            self.survey.remarks.append(
                Remark("missing-path", own.place("spec", "path"), f"{path} {words}", own.thing())
            )
            self.model.units.append(
                Unit(
                    flux.applied(own), flux.ready(own.kind, own.namespace, own.name), Atomicity.FLUX, own.place(), own,
                    known=False,
                )
            )  # fmt: skip
            return
        await self._unit(folder, own)

    async def _build(self, folder: Path, own: Manifest | None, place: Place) -> list[Manifest]:
        found = kustomization.folder(self.files, folder)
        self.model.built[str(folder)] = place
        self.listed |= found.files
        self.survey.remarks += found.remarks
        for entry, where in found.remote:
            self.survey.unknowns.append(Unknown(entry, where, "a remote base is not fetched", frozenset({"*"})))
        wrapped = _wrapped(own)
        if (found.plain and not wrapped) or not found.whole:
            return found.manifests
        try:
            async with self._limit:
                text = await self.kustomize.build(folder=folder, root=self.root, reads=found.files, wrapped=wrapped)
        except Broken as error:
            file = kustomization.kustomization_of(folder)
            self.survey.remarks.append(Remark("build-error", Place(str(file or folder), 1), error.message))
            return found.manifests
        return _placed(text, found.manifests)

    def _substitute(self) -> None:
        """postBuild, once every ConfigMap that it may read from is known."""
        for unit in self.model.units:
            if unit.own is None or not unit.own.mapping("spec", "postBuild"):
                continue
            variables = self._variables(unit.own)
            unit.members = [
                Manifest(flux.substitute(m.data, variables), m.file, m.line, m.prefix, m.listed) for m in unit.members
            ]

    def _variables(self, own: Manifest) -> dict[str, str]:
        found: dict[str, str] = {}
        for entry in own.items("spec", "postBuild", "substituteFrom"):
            if isinstance(entry, Mapping) and entry.get("kind") == "ConfigMap":
                found |= self._config_map(own.namespace, str(entry.get("name")))
        inline = own.mapping("spec", "postBuild", "substitute")
        return {**found, **{str(key): str(value) for key, value in inline.items()}}

    def _config_map(self, namespace: str, name: str) -> dict[str, str]:
        castle = self.model.castle
        if castle and (namespace, name) == ("flux-system", "cluster-variables"):
            return castle.gitops.variables
        for unit in self.model.units:
            for member in unit.members:
                if member.kind == "ConfigMap" and member.name == name and member.namespace in {namespace, ""}:
                    return {str(key): str(value) for key, value in member.mapping("data").items()}
        return {}

    def _orphans(self) -> None:
        """Objects in files beside listed ones that nothing lists."""
        folders = {file.parent for file in self.listed}
        for file in self.files.yaml_files():
            if file.resolve() not in self.listed and file.parent in folders and file.name not in kustomization.NAMES:
                self.model.orphans += self._manifests(file)


def _wrapped(own: Manifest | None) -> dict[str, Any]:
    """What Flux adds to a kustomization from the Kustomization's own fields."""
    if own is None:
        return {}
    taken = {key: own.at("spec", key) for key in ("patches", "images", "components", "namePrefix", "nameSuffix")}
    if namespace := own.at("spec", "targetNamespace"):
        taken["namespace"] = namespace
    return {key: value for key, value in taken.items() if value}


def _placed(text: str, lying: list[Manifest]) -> list[Manifest]:
    """The objects that kustomize made, each with the place of the file's object that it came from."""
    found = []
    for document in parse(text):
        data = document.data
        annotations = dict(data.get("metadata", {}).get("annotations") or {})
        origin = annotations.pop(Kustomize.ORIGIN, "") or ""
        data = {**data, "metadata": {**data["metadata"], "annotations": annotations}}
        source = _source(data, origin, lying)
        if source:
            found.append(Manifest(data, source.file, source.line, source.prefix, source.listed))
        else:
            found.append(Manifest(data, "", 0))
    return found


def _source(data: Mapping[str, Any], origin: str, lying: list[Manifest]) -> Manifest | None:
    """The written object that `data` was made of: same kind, and a name that the made one still holds."""
    name, kind = str(data["metadata"].get("name", "")), data.get("kind")
    file = next((line.removeprefix("path: ") for line in origin.splitlines() if line.startswith("path: ")), "")
    tail = file.rpartition("../")[2]
    same = [m for m in lying if m.kind == kind and (not tail or m.file.endswith(tail))]
    exact = [m for m in same if m.name == name]
    return next(iter(exact or [m for m in same if m.name and m.name in name] or same), None)
