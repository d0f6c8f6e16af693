"""Which folder of the repository a Flux source holds: the repository itself, an artifact made of parts of it, or something else."""

import posixpath
import re
from collections import Counter
from collections.abc import Collection, Iterator, Mapping
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from typing import Any

from rebirth.proof.reading import flux
from rebirth.proof.reading.manifest import Manifest, manifests
from rebirth.proof.reading.repository_files import Files, is_near
from rebirth.proof.reading.yaml_files import UnreadableError
from rebirth.proof.things import NOWHERE, Place

_Source = tuple[str, str, str]  # kind, namespace, name
_DEFAULT: _Source = ("GitRepository", "flux-system", "flux-system")
_MARKS = (b"GitRepository", b"OCIRepository", b"Bucket", b"ArtifactGenerator")
_COPY = re.compile(r"@([^/]+)/(.*)")


@dataclass(frozen=True)
class Sync:
    """Where the Flux operator points Flux at."""

    kind: str
    url: str
    path: str
    name: str
    place: Place


def syncs(files: Files) -> Iterator[Sync]:
    """Every FluxInstance, every release of its chart, and every file of values for that, in the repository's files."""
    for file in files.mentioning(b"FluxInstance", b"flux-instance", b"instance:"):
        for line, said in _said(files, file):
            if said.get("path") or said.get("url"):
                path = str(said.get("path", "")).strip().removeprefix("./").lstrip("/")
                kind, name = str(said.get("kind", "GitRepository")), str(said.get("name") or "flux-system")
                yield Sync(kind, str(said.get("url", "")), path, name, Place(str(file), line))


def _said(files: Files, file: Path) -> Iterator[tuple[int, Mapping[str, Any]]]:
    try:
        documents = files.documents(file)
    except UnreadableError:
        return
    for document in documents:
        values = Manifest(document.data if isinstance(document.data, Mapping) else {}, str(file), document.line)
        if not values.kind:
            yield document.line, values.mapping("instance", "sync")
    for manifest in _manifests(files, file):
        if manifest.kind == "FluxInstance":
            yield manifest.line, manifest.mapping("spec", "sync")
        elif manifest.kind == "HelmRelease" and manifest.group == flux.HELM:
            yield manifest.line, manifest.mapping("spec", "values", "instance", "sync")


class Artifacts:
    """The Flux sources that lie in the repository's files."""

    def __init__(self, files: Files) -> None:
        self._files = files
        self._urls: dict[_Source, str] = {}
        self._copies: dict[tuple[str, str], list[tuple[str, str]]] = {}  # artifact -> its folders and the repository's
        self._ignores: dict[
            tuple[str, str], list[tuple[str, Place]]
        ] = {}  # by kind and name, for each cluster may have its own
        for file in files.mentioning(*_MARKS):
            for manifest in _manifests(files, file):
                if manifest.kind in flux.SOURCES and manifest.group == flux.SOURCE:
                    key = (manifest.kind, manifest.namespace, manifest.name)
                    self._urls.setdefault(key, address(manifest.at("spec", "url", default="")))
                    if isinstance(ignore := manifest.at("spec", "ignore"), str):
                        told = self._ignores.setdefault((manifest.kind, manifest.name), [])
                        told.append((ignore, manifest.place("spec", "ignore")))
                elif manifest.kind == "ArtifactGenerator":
                    self._generator(manifest)
        self._syncs = [*syncs(files)]

    def leave_out(self, cluster: str, others: Collection[str]) -> None:
        """What the source of the repository leaves out, for one of its clusters; nothing where several say different things."""
        told = self._ignores.get(self._most_named(), []) if self._ignores else []
        near = [
            (text, place) for text, place in told if is_near(Path(self._files.shown(Path(place.file))), cluster, others)
        ]
        alike = len({text for text, _ in near}) == 1
        self._files.leave_out(*(near[0] if alike else ("", NOWHERE)))

    @cache  # noqa: B019 - one for each repository that is read
    def _most_named(self) -> tuple[str, str]:
        """The source from which most folders of this repository are applied: kind and name."""
        names: Counter[tuple[str, str]] = Counter()
        for file in self._files.mentioning(flux.KUSTOMIZE.encode()):
            for manifest in _manifests(self._files, file):
                folder = (
                    flux.folder_of(manifest, self._files.root, self._files.resolved)
                    if flux.is_kustomization(manifest)
                    else None
                )
                if folder is not None and folder != self._files.root and self._files.is_folder(folder):
                    kind, _, name = flux.source_of(manifest)
                    names[kind, name] += 1
        return max(names, key=lambda one: names[one], default=("", ""))

    def _generator(self, manifest: Manifest) -> None:
        aliases = {
            str(source.get("alias"))
            for source in manifest.items("spec", "sources")
            if isinstance(source, Mapping) and str(source.get("kind")) in {"GitRepository", "OCIRepository", "Bucket"}
        }
        for number, _ in enumerate(manifest.items("spec", "artifacts")):
            artifact = manifest.mapping("spec", "artifacts", number)
            for copy in manifest.items("spec", "artifacts", number, "copy"):
                if not isinstance(copy, Mapping):
                    continue  # told against the kind's schema
                taken, put = (_COPY.fullmatch(str(copy.get(key))) for key in ("from", "to"))
                if taken and put and taken[1] in aliases:
                    folder, into = taken[2].rstrip("*").strip("/"), put[2].strip("/")
                    copies = self._copies.setdefault((manifest.namespace, str(artifact.get("name"))), [])
                    copies.append((into, folder))

    def is_foreign(self, own: Manifest) -> bool:
        """Whether a Kustomization comes from another repository than most here do: its source has an address of its own."""
        source, most = flux.source_of(own), self._most_named()
        url = self.url(source)
        return bool(url) and source[::2] != most and url != self.url((most[0], source[1], most[1]))

    def own(self, root: Manifest | None, cluster: str) -> _Source:
        """The source of the repository itself, as the Kustomization of the cluster's folder names it, or its FluxInstance."""
        if root is not None:
            return flux.source_of(root)
        sync = next((one for one in self._syncs if one.path.rstrip("/") == cluster), next(iter(self._syncs), None))
        return (sync.kind, "flux-system", sync.name) if sync else _DEFAULT

    def folder(self, own: Manifest, repository: _Source) -> Path | None:
        """The folder of this repository that a Kustomization applies; None where it is fetched from elsewhere."""
        source = flux.source_of(own)
        path = posixpath.normpath(str(own.at("spec", "path", default="./") or "./")).strip("./")
        if source[0] == "ExternalArtifact":
            return self._copied(source, path)
        if source == repository or self._is_this(source, repository, path):
            return flux.folder_of(own, self._files.root, self._files.resolved)
        packed = self._packed(path) if self._is_pushed(source, repository) else None
        return flux.folder_of(own, packed) if packed else None

    def _copied(self, source: _Source, path: str) -> Path | None:
        copies = self._copies.get(source[1:]) or self._copies.get(("", source[2]), [])
        for into, folder in sorted(copies, key=lambda copy: -len(copy[0])):
            if not into or path == into or path.startswith(f"{into}/"):
                return (self._files.root / folder / path.removeprefix(into).lstrip("/")).resolve()
        return None

    def _is_this(self, source: _Source, repository: _Source, path: str) -> bool:
        """Whether another source holds this repository, too."""
        url, ours = self.url(source), self._ours(repository)
        there = bool(path) and (self._files.root / path).is_dir()
        if source[0] != repository[0] and there:
            return self._is_pushed(source, repository) or not (url and ours)
        if url and not ours and self._most_named() == repository[::2]:
            return False  # most is applied from the repository's own source: one with an address of its own is another
        # Where its address is not known, the folder tells: a source of that name and with that folder.
        return url in ours if url and ours else there

    def _is_pushed(self, source: _Source, repository: _Source) -> bool:
        """Whether this repository is pushed as that artifact, too: under the name of its own source, or of the repository."""
        if source[0] == repository[0]:
            return False
        parts = {*self.url(source).split("/")}
        named = any(
            _tail(one) in self.url(source) or {*_tail(one).split("/")} <= parts for one in self._ours(repository)
        )
        return named or source[1:] == repository[1:]

    def origin(self, source: _Source, repository: _Source) -> tuple[str, bool]:
        """Where a source is fetched from, and whether that is known to be another owner's than this repository is."""
        url, ours = self.url(source), self._ours(repository)
        owners = {_tail(one).split("/")[0] for one in ours}
        return url, bool(url and ours) and not owners & {*url.split("/")}

    def _packed(self, path: str) -> Path | None:
        """The one folder at the top of the repository that has this path: what such an artifact is made of."""
        found = [folder for folder in sorted(self._files.root.iterdir()) if path and (folder / path).is_dir()]
        return found[0] if len(found) == 1 else None

    def _ours(self, repository: _Source) -> set[str]:
        """The addresses of this repository: of its source, else those at which FluxInstances find folders that it has."""
        if url := self.url(repository):
            return {url}
        return {address(one.url) for one in self._syncs if one.url and (self._files.root / one.path).is_dir()}

    def url(self, source: _Source) -> str:
        """Where a source is fetched from; empty where no file says it."""
        return self._urls.get(source) or self._urls.get((source[0], "", source[2]), "")


def _manifests(files: Files, file: Path) -> list[Manifest]:
    try:
        documents = files.documents(file)
    except UnreadableError:
        return []
    return [m for document in documents for m in manifests(document, file, NOWHERE)]


def address(url: Any) -> str:
    """An address in which the same repository over SSH and HTTPS is the same."""
    text = str(url).lower().removesuffix("/").removesuffix(".git")
    return re.sub(r"^(\w+://)?([^@/]*@)?", "", text).replace(":", "/", 1)


def _tail(url: str) -> str:
    """Owner and name of a repository."""
    return "/".join(url.split("/")[-2:])
