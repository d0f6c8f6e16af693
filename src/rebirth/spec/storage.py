"""Section `storage`: where volumes come from."""

from typing import Literal

from rebirth.spec.engine import Chart
from rebirth.spec.model import DnsName


class Storage(Chart):
    chart: Literal["longhorn", "local-path-provisioner"]
    storage_class: DnsName
