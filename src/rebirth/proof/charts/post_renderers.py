"""A release's post-renderers: kustomize's patches and images over what the chart made.

helm-controller hands them what helm rendered, but for hooks and what stands in the chart's crds/ folder.
"""

from collections.abc import Mapping
from pathlib import Path
from typing import Any

from rebirth.commands import Commands
from rebirth.errors import Broken
from rebirth.proof.charts import releases
from rebirth.proof.reading.kustomize import Kustomize
from rebirth.proof.reading.manifest import Manifest
from rebirth.proof.reading.yaml_files import UnreadableError, parse

_SCRATCH = Path("/post-renderer")  # of no disk: kustomize gets a folder of its own
_FIELDS = ("patches", "patchesStrategicMerge", "patchesJson6902", "images")


async def post_rendered(own: Manifest, members: list[Manifest], commands: Commands) -> list[Manifest]:
    """The members as the release's post-renderers leave them. Raises Broken with kustomize's words."""
    for entry in own.items("spec", "postRenderers"):
        overlay = entry.get("kustomize") if isinstance(entry, Mapping) else None
        if isinstance(overlay, Mapping) and (wanted := {key: overlay[key] for key in _FIELDS if overlay.get(key)}):
            members = await _over(wanted, members, commands)
    return members


async def _over(wanted: Mapping[str, Any], members: list[Manifest], commands: Commands) -> list[Manifest]:
    apart = [member for member in members if _is_apart(member)]
    inside = [member for member in members if not _is_apart(member)]
    if not inside:
        return members
    written = {
        _SCRATCH / "kustomization.yaml": {"resources": ["all.yaml"], **wanted},
        _SCRATCH / "all.yaml": {"apiVersion": "v1", "kind": "List", "items": [member.data for member in inside]},
    }
    text = await Kustomize(commands=commands).build(folder=_SCRATCH, root=_SCRATCH, reads=(), written=written)
    before = {_identity(member.data): member for member in inside}
    first = inside[0]
    try:
        made = [document.data for document in parse(text) if isinstance(document.data, Mapping)]
    except UnreadableError as error:
        raise Broken(f"what it makes {error.words}", system="kustomize", operation="post-render") from None
    found = []
    for data in made:
        at = before.get(_identity(data), first)
        found.append(Manifest(data, at.file, at.line, at.prefix))
    return [*apart, *found]


def _is_apart(member: Manifest) -> bool:
    return bool(releases.hooks(member) or member.annotations.get(releases.FOLDER))


def _identity(data: Mapping[str, Any]) -> tuple[str, str, str]:
    metadata = data.get("metadata") or {}
    return str(data.get("kind")), str(metadata.get("namespace") or ""), str(metadata.get("name"))
