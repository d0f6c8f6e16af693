"""How clients are made. Each function's signature says what it takes, as a phase's does."""

from rebirth.castle import GitOps, Proxmox, Tailscale, Talos, Vault
from rebirth.commands import Commands
from rebirth.paths import Paths
from rebirth.providers.access import ClusterAccess
from rebirth.providers.cluster import Cluster
from rebirth.providers.factory import ImageFactory
from rebirth.providers.git import GitRemote
from rebirth.providers.git_access import Access, Anybody, DeployKey, Token
from rebirth.providers.helm import Helm
from rebirth.providers.proxmox import ProxmoxApi
from rebirth.providers.tailnet import TailnetApi
from rebirth.providers.talos import Talosctl
from rebirth.providers.vault import VaultApi
from rebirth.providers.web import Web
from rebirth.run.facts import KubernetesBootstrapped, SecretsResolved
from rebirth.secrets import Redaction, Secret


def commands(redaction: Redaction) -> Commands:
    return Commands(redaction)


def tailnet_api(tailscale: Tailscale, secrets: SecretsResolved) -> TailnetApi:
    return TailnetApi(
        api=tailscale.api,
        tailnet=tailscale.tailnet,
        client_id=secrets[tailscale.oauth_client_id],
        client_secret=secrets[tailscale.oauth_client_secret],
    )


def proxmox_api(proxmox: Proxmox, secrets: SecretsResolved) -> ProxmoxApi:
    ca = secrets[proxmox.ca] if proxmox.ca else None
    return ProxmoxApi(endpoint=proxmox.endpoint, token=secrets[proxmox.token], ca=ca)


def image_factory(talos: Talos) -> ImageFactory:
    return ImageFactory(url=talos.image_factory)


def talosctl(paths: Paths, commands: Commands) -> Talosctl:
    return Talosctl(paths=paths, commands=commands)


def cluster_access(paths: Paths) -> ClusterAccess:
    return ClusterAccess(paths)


def cluster(access: ClusterAccess, kubernetes: KubernetesBootstrapped) -> Cluster:
    return access.open()


def helm(paths: Paths, commands: Commands, cluster: Cluster) -> Helm:
    return Helm(paths=paths, commands=commands, cluster=cluster)


def vault_api(vault: Vault, secrets: SecretsResolved) -> VaultApi:
    ca = secrets[vault.ca] if vault.ca else None
    return VaultApi(address=vault.address, mount=vault.mount, token=secrets[vault.token], ca=ca)


def git_remote(gitops: GitOps, paths: Paths, secrets: SecretsResolved, commands: Commands) -> GitRemote:
    access: Access = Token(gitops.username, secrets[gitops.token]) if gitops.token else Anybody()
    if ssh := gitops.ssh:
        hosts = Secret(ssh.known_hosts) if isinstance(ssh.known_hosts, str) else secrets[ssh.known_hosts]
        access = DeployKey(secrets[ssh.private_key], hosts)
    scratch = paths.state / "git"
    return GitRemote(url=gitops.repository, branch=gitops.branch, access=access, commands=commands, scratch=scratch)


def web() -> Web:
    return Web()


CONNECTIONS = (
    commands,
    tailnet_api,
    proxmox_api,
    image_factory,
    talosctl,
    cluster_access,
    cluster,
    helm,
    vault_api,
    git_remote,
    web,
)
