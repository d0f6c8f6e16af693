"""talconfig.yaml: the machines of a cluster as talhelper generates them, read without it.

talhelper asks Talos' own generator for each machine's configuration, so all that `talosctl gen config` puts into one lies beneath;
then come the file's own fields, and the patches of all machines, of the role, and of the machine itself (budimanjojo/talhelper,
pkg/config/config.go and pkg/talos). A patch is a text, or `@FILE` beside it; one in the form of RFC 6902 is a list of operations.
"""

from collections.abc import Collection, Iterator, Mapping
from pathlib import Path
from typing import Any

from rebirth.proof.reading.manifest import MachineConfiguration, Manifest
from rebirth.proof.reading.repository_files import Files
from rebirth.proof.reading.talos import is_of_another, is_unused
from rebirth.proof.reading.yaml_files import UnreadableError, parse
from rebirth.proof.things import Place

NAME = "talconfig.yaml"
_ON_CONTROL_PLANES = ("allowSchedulingOnControlPlanes", "allowSchedulingOnMasters")
_Path = tuple[str | int, ...]


def machines(files: Files, cluster: str, others: Collection[str]) -> list[MachineConfiguration]:
    """The machines of the talconfig.yaml that belongs to the cluster in that folder; none where it is not clear which does."""
    written = [file for file in files.yaml_files() if file.name == NAME and not is_unused(files, file)]
    if len(written) > 1:
        of = set(Path(cluster).parts)
        written = [file for file in written if of & set(Path(files.shown(file)).parts[:-1]) - {"kubernetes"}]
    written = [file for file in written if not is_of_another(Path(files.shown(file)), cluster, others)]
    if len(written) != 1 or _is_left_over(files, written[0]):
        return []
    try:
        documents = files.documents(written[0])
    except UnreadableError:
        return []
    for document in documents:
        if isinstance(document.data, Mapping) and isinstance(document.data.get("nodes"), list):
            return list(_machines(Manifest(document.data, str(written[0]), document.line), files))
    return []


def _is_left_over(files: Files, file: Path) -> bool:
    """Whether a whole configuration lies beside it: then that is what the machines get, and talhelper's file may be an old one."""
    return any(
        other.parent == file.parent and other != file
        for other in files.mentioning(b"type: controlplane", templates=True)
    )


def _machines(own: Manifest, files: Files) -> Iterator[MachineConfiguration]:
    for index, node in enumerate(own.items("nodes")):
        if not isinstance(node, Mapping):
            continue
        role = "controlplane" if node.get("controlPlane") is True else "worker"
        of_role = "controlPlane" if role == "controlplane" else "worker"
        paths: list[_Path] = [("patches",), (of_role, "patches"), ("nodes", index, "patches")]
        if node.get("overridePatches") is True:
            paths = paths[-1:]
        patches = [_patch(own, {}, ("nodes", index)), *_fields(own, (of_role,), ("nodes", index))]
        operations: list[Place] = []
        for path in paths:
            for document, place in _documents(own, path, files):
                patches += [Manifest(data, place.file, place.line, place.path) for data in _merging(document)]
                operations += [place] if _is_operations(document) else []
        yield MachineConfiguration(
            str(node.get("hostname") or index), role, tuple(patches), whole=False, generated=True,
            version=str(own.at("talosVersion") or ""), operations=tuple(operations),
        )  # fmt: skip


def _fields(own: Manifest, *paths: _Path) -> Iterator[Manifest]:
    """What the file itself says, as the patch that it amounts to."""
    for field in _ON_CONTROL_PLANES:
        if own.at(field) is not None:
            yield _patch(own, {"cluster": {"allowSchedulingOnControlPlanes": own.at(field)}}, (field,))
    if networks := own.items("clusterSvcNets"):
        yield _patch(own, {"cluster": {"network": {"serviceSubnets": networks}}}, ("clusterSvcNets",))
    if name := own.at("cniConfig", "name"):
        yield _patch(own, {"cluster": {"network": {"cni": {"name": name}}}}, ("cniConfig", "name"))
    for path in paths:
        for field in ("nodeLabels", "nodeTaints"):
            if found := own.mapping(*path, field):
                yield _patch(own, {"machine": {field: dict(found)}}, (*path, field))


def _documents(own: Manifest, path: _Path, files: Files) -> Iterator[tuple[Any, Place]]:
    """What each patch holds, and where it is: in a file of its own, or inside this one, where every value is at the patch."""
    for number, text in enumerate(own.items(*path)):
        if not isinstance(text, str):
            continue
        try:
            if text.startswith("@"):
                target = files.target(Path(own.file).parent, text[1:])
                if target is not None and target.is_file():
                    yield from ((one.data, Place(str(target), one.line)) for one in files.documents(target))
            else:
                yield from ((one.data, own.place(*path, number)) for one in parse(text))
        except UnreadableError:
            continue


def _is_operations(data: object) -> bool:
    return isinstance(data, list) and any(isinstance(one, Mapping) and "op" in one for one in data)


def _merging(data: object) -> Iterator[Mapping[str, Any]]:
    """A patch in the form that is merged; operations of RFC 6902 as what they come to."""
    if isinstance(data, Mapping):
        yield data
    for one in data if isinstance(data, list) else ():
        if not isinstance(one, Mapping):
            continue
        names = [name.replace("~1", "/").replace("~0", "~") for name in str(one.get("path") or "").split("/")[1:]]
        value: Any = {"$patch": "delete"} if one.get("op") == "remove" else one.get("value")
        if names and names[-1] == "-":
            names, value = names[:-1], [value]
        if not any(name.isdigit() for name in names):
            for name in reversed(names):
                value = {name: value}
            if isinstance(value, Mapping):
                yield value


def _patch(own: Manifest, data: Mapping[str, Any], path: _Path) -> Manifest:
    """A patch that stands inside the file: every value of it is found where the patch is."""
    return Manifest(data, own.file, own.line, path)
