"""Section `storage`: where volumes come from.

Two forms: a chart that the bootstrap installs, or a StorageClass that Flux brings (Rook, Proxmox CSI, NFS, OpenEBS, ...).
Without the section nobody waits for any.
"""

from typing import Annotated, Any, Literal

from pydantic import Discriminator, StringConstraints, Tag

from rebirth.castle.foundation import Chart
from rebirth.castle.model import DnsName, Section, in_our_words


class Storage(Chart):
    """Where volumes come from."""

    chart: Literal["longhorn", "local-path-provisioner"]
    """The chart that provides volumes."""
    storage_class: DnsName
    """The StorageClass that is there afterwards."""

    @property
    def data_path(self) -> str:
        """Where the chart keeps its volumes on a machine: its own default, unless `values` say otherwise."""
        if self.chart == "longhorn":
            settings = self.values.get("defaultSettings")
            chosen = settings.get("defaultDataPath") if isinstance(settings, dict) else None
            return str(chosen or "/var/lib/longhorn").rstrip("/")
        match self.values.get("nodePathMap"):
            case [{"paths": [str(path), *_]}, *_]:
                return path.rstrip("/")
        return "/opt/local-path-provisioner"


_CHART, _CLASS = "a chart", "a StorageClass of the repository"
_Path = Annotated[
    str,
    StringConstraints(pattern=r"^/[^\s]*[^/\s]$"),
    in_our_words("must be an absolute path, such as /var/lib/longhorn"),
]


class StorageOfFlux(Section):
    """A StorageClass that the repository brings."""

    storage_class: DnsName
    """Its name."""
    data_path: _Path | None = None
    """What its pods keep on the machine, where the kubelet has to see it."""


class DataPath(Section):
    """Where volumes lie on a machine. A phase that takes this does not see who makes them."""

    path: str


def _form(value: Any) -> str:
    """By what only a chart has. The tags are no keys of castle.yaml, so that no path of a problem takes them for one."""
    if isinstance(value, dict):
        return _CHART if {"chart", "version", "repository", "namespace"} & set(value) else _CLASS
    return _CLASS if isinstance(value, StorageOfFlux) else _CHART


AnyStorage = Annotated[Annotated[Storage, Tag(_CHART)] | Annotated[StorageOfFlux, Tag(_CLASS)], Discriminator(_form)]


def data_path_of(storage: Storage | StorageOfFlux | None) -> DataPath | None:
    return DataPath(path=storage.data_path) if storage and storage.data_path else None
