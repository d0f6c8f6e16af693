"""Section `storage`: where volumes come from."""

from typing import Literal

from rebirth.castle.foundation import Chart
from rebirth.castle.model import DnsName


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
