"""What a chart says of itself: Chart.yaml of its archive."""

import tarfile
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import yaml

from rebirth.errors import Broken

_MOST = 1 << 20  # bytes of a Chart.yaml; Helm's own limit for a file is higher
_LAYER = "application/vnd.cncf.helm.chart.content.v1.tar+gzip"
_OLD_LAYER = "application/tar+gzip"  # before Helm 3.5
CONFIG = "application/vnd.cncf.helm.config.v1+json"
LAYERS = (_LAYER, _OLD_LAYER)


@dataclass(frozen=True)
class StoredChart:
    name: str
    version: str
    app_version: str
    digest: str  # of the archive
    path: Path
    metadata: dict[str, Any] = field(default_factory=dict, compare=False)  # Chart.yaml


def metadata_of(archive: Path) -> dict[str, Any]:
    """Chart.yaml of a chart's archive. Raises Broken where it is none."""
    try:
        with tarfile.open(archive, "r:gz") as tar:
            for member in tar:
                if member.isfile() and _is_chart_file(member.name) and member.size <= _MOST:
                    stream = tar.extractfile(member)
                    data = yaml.safe_load(stream.read()) if stream else None
                    if isinstance(data, dict) and data.get("name") and data.get("version"):
                        return data
    except (OSError, EOFError, tarfile.TarError, yaml.YAMLError, UnicodeDecodeError):
        pass
    raise Broken("is no chart: it has no Chart.yaml with a name and a version", system=archive.name, operation="read")


def _is_chart_file(name: str) -> bool:
    parts = name.removeprefix("./").split("/")
    return len(parts) == 2 and parts[1] == "Chart.yaml"
