"""A Flux repository: its URL, branch and folder, as `flux bootstrap` or a FluxInstance writes them."""

from collections.abc import Iterator

from rebirth.errors import SpecError
from rebirth.init.folder import Folder
from rebirth.init.found import ASSUMED, Found, Value
from rebirth.proof.reading.manifest import Manifest
from rebirth.proof.reading.start.clusters import find

_NAME = "flux-system"


def read(folder: Folder, found: Found) -> None:
    for source in _sources(folder):
        found.say("gitops.repository", source.at("spec", "url"), folder.where(source, "spec", "url"))
        found.say("gitops.branch", source.at("spec", "ref", "branch"), folder.where(source, "spec", "ref", "branch"))
        name = source.at("spec", "secretRef", "name")
        where = folder.where(source, "spec", "secretRef", "name")
        found.say("gitops.auth_secret", name, where)
        if name:
            found.say("gitops.token", {"secret": "git-token"}, f"{ASSUMED}{where} logs in with it")
    for instance in folder.of_kind("FluxInstance"):
        sync = instance.mapping("spec", "sync")
        found.say("gitops.repository", sync.get("url"), folder.where(instance, "spec", "sync", "url"))
        branch = str(sync.get("ref", "")).removeprefix("refs/heads/")
        found.say("gitops.branch", branch, folder.where(instance, "spec", "sync", "ref"))
    _path(folder, found)


def _of_flux(folder: Folder) -> Iterator[Manifest]:
    yield from (one for one in folder.of_kind("Kustomization") if one.group == "kustomize.toolkit.fluxcd.io")


def _sources(folder: Folder) -> Iterator[Manifest]:
    yield from (one for one in folder.of_kind("GitRepository") if one.name == _NAME)


def _path(folder: Folder, found: Found) -> None:
    """One cluster's folder; of several none is chosen."""
    paths = [
        Value(str(path).removeprefix("./").rstrip("/"), folder.where(one, *where))
        for one in (*_of_flux(folder), *folder.of_kind("FluxInstance"))
        for where in [("spec", "path") if one.kind == "Kustomization" else ("spec", "sync", "path")]
        if (path := one.at(*where)) and (one.kind == "FluxInstance" or one.name == _NAME)
    ]
    if len({path.value for path in paths}) > 1:
        several = " or ".join(f"{path.value} ({path.where})" for path in paths)
        found.wanted["gitops", "path"] = f"there are several clusters: {several}"
    elif paths:
        found.say("gitops.path", paths[0].value, paths[0].where)
    else:
        _start(folder, found)


def _start(folder: Folder, found: Found) -> None:
    """Where the proof would start, if no file says where Flux does."""
    try:
        begun = find(folder.root, ())
    except SpecError:
        return
    if len(begun.clusters) > 1:
        found.wanted["gitops", "path"] = f"there are several clusters: {' or '.join(begun.clusters)}"
    else:
        found.say("gitops.path", next(iter(begun.clusters)), f"the only cluster below {folder.shown(begun.root)}")
