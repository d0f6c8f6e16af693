"""`.sops.yaml`: for whom the secrets of a repository are encrypted."""

import re

from rebirth.init.folder import Folder
from rebirth.init.found import Found

_AGE = re.compile(r"\bage1[0-9a-z]{58}\b")


def read(folder: Folder, found: Found) -> None:
    for config in folder.documents(".sops.yaml", ".sops.yml"):
        for index, rule in enumerate(config.items("creation_rules")):
            if isinstance(rule, dict) and (recipients := _AGE.findall(str(rule))):
                place = folder.where(config, "creation_rules", index)
                found.remarks.append(f"{place}: secrets are encrypted with SOPS for {', '.join(recipients)}")
                return
