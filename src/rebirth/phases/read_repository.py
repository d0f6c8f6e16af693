"""The repository that Flux will follow, read before anything is made: a wrong path or token is seen first."""

from rebirth.castle import GitOps
from rebirth.providers.git import GitRemote
from rebirth.run.facts import RepositoryRead

LAYER = "secrets"
PATIENCE = 120
USUALLY = 2
PREPARES = True
ON_DEMAND = True


async def read_repository(gitops: GitOps, git: GitRemote) -> RepositoryRead:
    """Read the GitOps repository."""
    commit, manifests = await git.documents(path=gitops.path, beside="flux-system")
    return RepositoryRead(commit, None if manifests is None else tuple(manifests))
