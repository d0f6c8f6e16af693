"""Reads a folder as kustomize would: which files it takes, which it misses, and, where nothing has to be transformed, what
comes out. What needs transformers is built by kustomize itself (`providers.kustomize`), without the entries that are not
there; so a missing base is one remark, and the rest is still checked.
"""

import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, NamedTuple

from rebirth.proof.reading.manifest import Manifest, is_encrypted, is_list, manifests, texts
from rebirth.proof.reading.mentioned import as_list, fill, is_kustomization, mentioned, unreadable, without
from rebirth.proof.reading.repository_files import Files
from rebirth.proof.reading.scopes import in_namespace
from rebirth.proof.reading.yaml_files import Document, UnreadableError
from rebirth.proof.things import Place, Remark
from rebirth.proof.words import names_in

NAMES = ("kustomization.yaml", "kustomization.yml", "Kustomization")
ENDINGS = {".yaml", ".yml"}
# Fields that change nothing in the resources themselves.
INERT = {
    "apiVersion", "kind", "resources", "components", "bases", "metadata", "sortOptions", "openapi", "generatorOptions", "namespace",
}  # fmt: skip
# Kinds in which kustomize changes more than metadata.namespace when it sets a namespace.
ENTANGLED = {
    "Namespace", "RoleBinding", "ClusterRoleBinding", "APIService", "CustomResourceDefinition", "ValidatingWebhookConfiguration",
    "MutatingWebhookConfiguration",
}  # fmt: skip
_TYPE = {"apiVersion", "kind"}
_LOCAL = "config.kubernetes.io/local-config"  # objects that kustomize leaves out
_REMOTE = re.compile(r"^(https?|git|ssh|oci|s3|file)(::|://)|^git@|^github\.com[/:]|^[\w.-]+\.[a-z]+/.*(\?|//)")


class Gap(NamedTuple):
    """An entry of a kustomization that was left out."""

    entry: str
    place: Place
    names: frozenset[str] | None = None  # all words of its text, where it is a file that is there


@dataclass
class Folder:
    """A kustomization and all that it takes in."""

    path: Path
    file: Path | None = None  # its kustomization; None where Flux generates one
    data: dict[str, Any] = field(default_factory=dict)  # the kustomization itself, without what is not there
    line: int = 1
    manifests: list[Manifest] = field(default_factory=list)
    files: set[Path] = field(default_factory=set)  # every file that it reads, kustomizations included
    remarks: list[Remark] = field(default_factory=list)
    plain: bool = True  # `manifests` are exactly what kustomize makes
    whole: bool = True  # nothing had to be left out
    remote: list[tuple[str, Place]] = field(default_factory=list)
    kustomizations: dict[Path, tuple[dict[str, Any], int]] = field(
        default_factory=dict
    )  # as they are built, and their lines
    rewritten: set[Path] = field(default_factory=set)  # kustomizations of which entries were left out
    loose: list[Manifest] = field(default_factory=list)  # objects of files that kustomize rejects, as they lie
    gaps: list[Gap] = field(default_factory=list)  # what was left out and may have made something
    cut: dict[Path, Any] = field(default_factory=dict)  # files of `configurations`, without what they cannot have


def folder(files: Files, path: Path, components: Sequence[tuple[str, Place]] = (), later: Path | None = None) -> Folder:
    """What the kustomization in `path` takes in, with the components that Flux adds to it.

    A folder without a kustomization gets Flux' generated one: all its manifests. `later` may be missing: who bootstraps Flux
    writes it.
    """
    return _Walk(files, path, later=later).run(components)


def kustomization_of(files: Files, path: Path) -> Path | None:
    return next((found for name in NAMES if files.is_file(found := path / name)), None)


def entries(files: Files, file: Path) -> Iterator[str]:
    """What a kustomization lists as resources, bases and components; nothing where it cannot be read."""
    try:
        documents = files.documents(file)
    except UnreadableError:
        return
    data = documents[0].data if documents else None
    if not isinstance(data, dict):
        return
    for key in ("resources", "bases", "components"):
        yield from (entry for entry in as_list(data.get(key)) if isinstance(entry, str) and not _REMOTE.match(entry))


def put_into(namespace: str, manifests: list[Manifest]) -> list[Manifest] | None:
    """The objects as kustomize puts them into a namespace; None where only kustomize knows how."""
    if any(manifest.kind in ENTANGLED for manifest in manifests):
        return None
    placed = [in_namespace(manifest, namespace) for manifest in manifests]
    return placed if len({_identity(m) for m in placed}) == len(placed) else None


def _identity(manifest: Manifest) -> tuple[str, str, str, str]:
    return str(manifest.data.get("apiVersion")), manifest.kind, manifest.namespace, manifest.name


class _Walk:
    def __init__(self, files: Files, path: Path, around: tuple[Path, ...] = (), later: Path | None = None) -> None:
        self.files, self._later = files, later
        self.into = Folder(path)
        self._around = around  # folders whose transformers or generators are being read
        self._meant: dict[Place, tuple[str, str]] = {}  # where an entry is wrong: the list and the entry that are right
        self._identities: dict[tuple[str, str, str, str], Manifest] = {}

    def run(self, components: Sequence[tuple[str, Place]]) -> Folder:
        into = self.into
        into.file = kustomization_of(self.files, into.path)
        if into.file is None:
            into.data = {"resources": self._generated(into.path)}
        else:
            self._kustomization(into.path, into.file, (), top=True)
            into.data, into.line = into.kustomizations.get(into.file, ({}, 1))
        for entry, place in components:
            self._folder_entry(into.path, entry, place, (into.path,), "components")
        if not into.plain or not into.whole:
            return into
        for manifest in into.manifests:
            if self._identities.setdefault(_identity(manifest), manifest) is not manifest:
                into.plain = False  # kustomize reports duplicate keys in its own words
        return into

    def _remark(self, slug: str, place: Place, words: str, **data: str) -> None:
        self.into.remarks.append(Remark(slug, place, words, data=tuple(data.items())))

    def _kustomization(
        self, path: Path, file: Path, above: tuple[Path, ...], *, top: bool = False, wanted: str = ""
    ) -> bool:
        """Takes in one kustomization. False where kustomize cannot have it at all."""
        into = self.into
        into.files.add(file)
        try:
            documents = self.files.documents(file)
        except UnreadableError as error:
            self._remark("unread" if error.ours else "unreadable", Place(str(file), error.line), error.words)
            return False
        document = documents[0] if documents else Document({}, 1)
        if not isinstance(document.data, dict):
            self._remark("not-a-kustomization", Place(str(file), document.line), "is not a kustomization")
            return False
        data, place = dict(document.data), Place(str(file), document.line)
        if not top and not any(value not in (None, "") for key, value in data.items() if key not in _TYPE):
            # kustomize compares with an empty one: `resources: []` is none. Above it, Flux may add to what is empty.
            self._remark("not-a-kustomization", place, "is empty: kustomize rejects it, and what lists it")
            return False
        for key, line in document.doubles:
            words = f"duplicate key {key}: only the last one counts"
            self._remark("duplicate-key", Place(str(file), line), words, key=key)
        for words, at in reversed([*unreadable(data)]):
            self._remark("ill-formed", place._replace(path=at), words)
            data, into.whole = without(data, at), False
            into.rewritten.add(file)
        component = data.get("kind") == "Component"
        if set(data) - INERT or component != (wanted == "components"):
            into.plain = False
        into.kustomizations[file] = (data, document.line)
        before = len(into.manifests)
        moved = [
            one
            for key in ("resources", "bases", "components")
            for one in self._entries(path, data, key, place, (*above, path))
        ]
        for key, entry in moved:
            data[key] = [*as_list(data.get(key)), entry]
        if any(data.get(key) != document.data.get(key) for key in ("resources", "bases", "components")):
            into.rewritten.add(file)
        self._other_files(path, data, place)
        if isinstance(namespace := data.get("namespace"), str) and namespace:
            placed = put_into(namespace, into.manifests[before:])
            into.plain = into.plain and placed is not None
            into.manifests[before:] = placed or [in_namespace(m, namespace) for m in into.manifests[before:]]
        return True

    def _entries(
        self, path: Path, data: dict[str, Any], key: str, place: Place, above: tuple[Path, ...]
    ) -> list[tuple[str, str]]:
        """Goes through a list of a kustomization; what cannot be taken is taken out of it. Returns what belongs into which other."""
        entries = data.get(key)
        if entries is None:
            return []
        if not isinstance(entries, list):
            self._remark("bad-entry", place._replace(path=(key,)), f"`{key}` must be a list")
            data[key] = []
            self.into.whole = False
            return []
        kept, moved = [], []
        for index, entry in enumerate(entries):
            where = place._replace(path=(key, index))
            if not isinstance(entry, str):
                self._remark("bad-entry", where, f"an entry of `{key}` must be a path")
            elif self._folder_entry(path, entry, where, above, key):
                right = self._meant.pop(where, (key, entry))
                kept += [right[1]] if right[0] == key else []
                moved += [right] if right[0] != key else []
                continue
            self.into.whole = False
        data[key] = kept
        return moved

    def _folder_entry(self, path: Path, entry: str, place: Place, above: tuple[Path, ...], key: str) -> bool:
        """Takes in what an entry names. False where kustomize must not see the entry."""
        target = self.files.target(path, entry)
        if target is None and _REMOTE.match(entry):
            self.into.remote.append((entry, place))
        elif target is None and path / entry == self._later:
            pass
        elif target is None:
            self._remark("missing-file", place, self.files.why_missing(path, entry), entry=entry)
            self.into.gaps.append(Gap(entry, place))
        elif not self.files.is_folder(target):
            if key != "components":  # kustomize takes `bases` for more resources, files among them
                if target.name not in NAMES or not is_kustomization(self.files, target):
                    return self._take(target, place)
                if target.parent != path:
                    words = f"{entry} is a kustomization: its folder is listed"
                    self._misplaced(place, words, key, entry.rpartition("/")[0] or ".")
                    return self._base(target.parent, entry, place, above, key)
                self._remark("wrong-list", place, f"{entry} is the kustomization that lists it")
            else:
                self._remark("missing-file", place, f"{entry} is a file; `{key}` takes folders", entry=entry)
        else:
            return self._base(target, entry, place, above, key)
        self.into.whole = False
        return False

    def _misplaced(self, place: Place, words: str, key: str, entry: str) -> None:
        """An entry that kustomize rejects there: it is read as what is meant."""
        self._remark("wrong-list", place, words)
        self._meant[place] = (key, self._meant.get(place, ("", entry))[1])
        self.into.whole = False

    def _base(self, target: Path, entry: str, place: Place, above: tuple[Path, ...], key: str) -> bool:
        around = next((p for p in above if p == target or target in p.parents), None)
        if around:
            chain = " -> ".join(self.files.shown(p) for p in (*above[above.index(around) :], target))
            words = f"kustomizations include each other: {chain}"
            if around != target:
                words = f"{entry} contains the folder that includes it: {chain}"
            self._remark("kustomize-cycle", place, words)
            return False
        file = kustomization_of(self.files, target)
        if file is None:
            self._remark("missing-file", place, f"{entry} is a folder without a kustomization.yaml", entry=entry)
            self.into.gaps.append(Gap(entry, place))
            return False
        if not self._kustomization(target, file, above, wanted="components" if key == "components" else ""):
            self.into.gaps.append(Gap(entry, place))
            return False
        component = self.into.kustomizations[file][0].get("kind") == "Component"
        if component != (key == "components"):
            right = "components" if component else "resources"
            words = f"{entry} is {'a' if component else 'no'} Component: it belongs below `{right}`"
            self._misplaced(place, words, right, entry)
        return True

    def _generated(self, path: Path) -> list[str]:
        """Flux generates a kustomization of all manifests below a folder, and of the kustomizations in it."""
        found = []
        for entry in self.files.below(path, stop=lambda folder: kustomization_of(self.files, folder) is not None):
            relative = f"./{entry.relative_to(path)}"
            if entry.is_dir():
                if self._base(entry, relative, Place(str(entry)), (path,), "resources"):
                    found.append(relative)
                else:
                    self.into.whole = False
            elif entry.suffix in ENDINGS:
                if self._take(entry, Place(str(entry))):
                    found.append(relative)
                else:
                    self.into.whole = False
        return found

    def _take(self, file: Path, listed: Place) -> bool:
        """Takes in a file of manifests. False where kustomize rejects it; what it holds is then read as it lies."""
        into = self.into
        into.files.add(file)
        try:
            documents = self.files.documents(file)
        except UnreadableError as error:
            self._remark("unread" if error.ours else "unreadable", Place(str(file), error.line), error.words)
            into.gaps.append(Gap(self.files.shown(file), listed, names_in(file)))
            return False
        found, good = [], True
        for document in documents:
            for key, line in document.doubles:
                self._remark("duplicate-key", Place(str(file), line), f"duplicate key {key}", key=key)
                good = False
            if is_encrypted(document):
                into.gaps.append(Gap(self.files.shown(file), listed))
                continue
            objects = list(manifests(document, file, listed))
            if not objects and not is_list(document.data):
                words = "is not a Kubernetes object: it needs apiVersion, kind and metadata.name"
                self._remark("not-an-object", Place(str(file), document.line), words)
                good = False
            found += objects
        if any(manifest.annotations.get(_LOCAL) for manifest in found):
            into.plain = False
        into.manifests += found
        if not good:
            into.loose += found
        return good

    def _other_files(self, path: Path, data: dict[str, Any], place: Place) -> None:
        """Files that transformers and generators read: they are listed, too."""
        missing = []
        for entry, where in mentioned(data):
            target = self.files.target(path, entry)
            if target is None:
                missing.append(where)
                if not _REMOTE.match(entry):
                    self._remark(
                        "missing-file", place._replace(path=where), self.files.why_missing(path, entry), entry=entry
                    )
                self.into.whole = False
            elif target.is_dir():
                self._configurations(target, entry, place._replace(path=where))
            else:
                self.into.files.add(target)
        if filled := fill(data, missing):
            data |= filled
            self.into.rewritten.add(Path(place.file))
        for text in texts({key: value for key, value in data.items() if key not in INERT}):
            target = self.files.target(path, text) if len(text) < _LONGEST and "\n" not in text else None
            if target is not None and target.is_file():
                self.into.files.add(target)

    def _configurations(self, path: Path, entry: str, place: Place) -> None:
        """A folder of transformers or generators is a kustomization of its own: what it takes in is no resource of this one."""
        if path in self._around or kustomization_of(self.files, path) is None:
            words = "leads back to itself" if path in self._around else "is a folder without a kustomization.yaml"
            self._remark("missing-file", place, f"{entry} {words}", entry=entry)
            self.into.whole = False
            return
        found = _Walk(self.files, path, (*self._around, path)).run(())
        self.into.files |= found.files
        self.into.remarks += found.remarks
        self.into.remote += found.remote
        self.into.whole = self.into.whole and found.whole


_LONGEST = 400  # characters of a path
