"""What the API server asks of pods by the machine configurations: pod security in namespaces without a label of their own.

Talos itself sets none: its generator writes `baseline` into each new configuration (pkg/machinery 1.12, config/generate/init.go),
so one that is written by hand has what it says.
"""

from collections.abc import Mapping
from typing import NamedTuple

from rebirth.proof.reading.manifest import MachineConfiguration, Model
from rebirth.proof.reading.talos import Merged
from rebirth.proof.things import NOWHERE, Place


class Admission(NamedTuple):
    """What the API server asks of pods in namespaces without a label of their own."""

    level: str  # privileged, baseline or restricted
    exempt: frozenset[str]  # namespaces that it does not look at, whatever their labels
    place: Place


_PATCH = ("$patch", "$$patch")  # the second where variables are put in first
_GENERATED = Admission("baseline", frozenset({"kube-system"}), NOWHERE)


def admission(model: Model) -> Admission | None:
    """The pod security of all namespaces; None where nothing is enforced, or not known."""
    found = {_admission(machine) for machine in model.machines if machine.role != "worker"}
    return found.pop() if len(found) == 1 else None


def _admission(machine: MachineConfiguration) -> Admission | None:
    found = _GENERATED if machine.generated or machine.whole else None
    for patch in Merged(machine.patches).patches:
        path = ("cluster", "apiServer", "admissionControl")
        if any(key in patch.mapping(*path) for key in _PATCH):
            return None
        for index, plugin in enumerate(patch.items(*path)):
            if not isinstance(plugin, Mapping) or plugin.get("name") != "PodSecurity":
                continue
            if any(key in plugin for key in _PATCH):
                return None
            inside = (*path, index, "configuration")
            exempt = frozenset(map(str, patch.items(*inside, "exemptions", "namespaces")))
            level = patch.at(*inside, "defaults", "enforce", default=found.level if found else "")
            if level:
                exempt |= found.exempt if found else _GENERATED.exempt
                found = Admission(str(level), exempt, patch.place(*inside, "defaults"))
    return found
