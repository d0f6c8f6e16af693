"""Section `storage`: where volumes come from."""

from typing import Literal

from rebirth.castle.foundation import Chart
from rebirth.castle.model import DnsName


class Storage(Chart):
    chart: Literal["longhorn", "local-path-provisioner"]
    storage_class: DnsName
