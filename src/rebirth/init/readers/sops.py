"""SOPS: for whom the secrets of a repository are encrypted, and which Secret Flux decrypts them with."""

import re

from rebirth.init.folder import Folder
from rebirth.init.found import Found

_AGE = re.compile(r"\bage1[0-9a-z]{58}\b")


def read(folder: Folder, found: Found) -> None:
    for one in folder.of_kind("Kustomization"):
        where = ("spec", "decryption", "secretRef", "name")
        found.say("gitops.decryption.secret_name", one.at(*where), folder.where(one, *where))
    for config in folder.documents(".sops.yaml", ".sops.yml"):
        for index, rule in enumerate(config.items("creation_rules")):
            if isinstance(rule, dict) and (recipients := _AGE.findall(str(rule))):
                place = folder.where(config, "creation_rules", index)
                found.needed["gitops", "decryption"] = f"{place} encrypts for {', '.join(recipients)}"
