"""What `init` can read, one file a kind: another one is a module here, a line in READERS and its tests.

A reader says what it finds, with file and line, and never a secret. Those who know most of a thing come first.
"""

from collections.abc import Callable

from rebirth.init.folder import Folder
from rebirth.init.found import Found
from rebirth.init.readers.cluster_template import read as cluster_template
from rebirth.init.readers.flux import read as flux
from rebirth.init.readers.flux_needs import read as flux_needs
from rebirth.init.readers.flux_online import read as flux_online
from rebirth.init.readers.flux_secrets import read as flux_secrets
from rebirth.init.readers.git import read as git
from rebirth.init.readers.machine_configuration import read as machine_configuration
from rebirth.init.readers.opentofu import read as opentofu
from rebirth.init.readers.sops import read as sops
from rebirth.init.readers.talhelper import read as talhelper

READERS: tuple[Callable[[Folder, Found], None], ...] = (
    flux,
    git,
    flux_online,
    flux_needs,
    flux_secrets,
    talhelper,
    cluster_template,
    machine_configuration,
    opentofu,
    sops,
)
