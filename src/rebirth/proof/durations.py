"""How long things take by rules of thumb, once all that they need is true. Phases say it themselves (`run.phase`)."""

from functools import cache

from rebirth.proof.things import Milestone, Thing

# Seconds until a thing of that kind is Ready after it can start.
READY = {
    "Deployment": 20.0,
    "StatefulSet": 40.0,
    "DaemonSet": 20.0,
    "Job": 20.0,
    "PersistentVolumeClaim": 5.0,
    "GitRepository": 2.0,
    "HelmRepository": 3.0,
    "OCIRepository": 3.0,
    "HelmChart": 3.0,
    "ExternalSecret": 2.0,
    "Certificate": 30.0,
    "PostgresCluster": 60.0,
    "Cluster": 60.0,
    "node": 10.0,
}
# Seconds until a unit has been applied.
APPLIED = {"Kustomization": 3.0, "HelmRelease": 8.0, "Helm release": 8.0}


def usual(thing: Thing) -> float:
    """Seconds that `thing` takes by itself."""
    if thing.kind == "phase":
        return _of_phases().get(thing.name, 0.0) if thing.milestone is Milestone.APPLIED else 0.0
    if thing.milestone is Milestone.APPLIED:
        return APPLIED.get(thing.kind, 0.0)
    return READY.get(thing.kind, 0.0) if thing.milestone is Milestone.READY else 0.0


@cache
def _of_phases() -> dict[str, float]:
    from rebirth.phases import PHASES  # all that phases are made of: only a proof of a castle needs it

    return {phase.name: phase.usually for phase in PHASES}
