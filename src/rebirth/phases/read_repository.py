"""The repository that Flux will follow, read before anything is made: a wrong path or token is seen first."""

from rebirth.castle import GitOps
from rebirth.paths import Paths
from rebirth.providers.git import SCRATCH, GitRemote
from rebirth.run.facts import Made, RepositoryRead
from rebirth.run.files import made_of

LAYER = "secrets"
PATIENCE = 120
USUALLY = 2
PREPARES = True
ON_DEMAND = True


async def read_repository(gitops: GitOps, git: GitRemote) -> RepositoryRead:
    """Read the GitOps repository."""
    commit, manifests = await git.documents(path=gitops.path, beside="flux-system")
    return RepositoryRead(commit, None if manifests is None else tuple(manifests))


async def undo(paths: Paths) -> list[Made]:
    """What a killed run has left of the repository."""
    folder = paths.state / SCRATCH
    return made_of(sorted(folder.iterdir()) if folder.is_dir() else ())
