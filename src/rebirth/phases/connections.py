"""How clients are made. Each function's signature says what it takes, as a phase's does."""

from pathlib import Path

from rebirth.castle import Anchors, GitOps, Identity, Proxmox, Tailscale, Talos, Vault, VaultAnchor
from rebirth.commands import Commands
from rebirth.paths import Paths
from rebirth.providers.access import ClusterAccess
from rebirth.providers.anchors.archive import Archive
from rebirth.providers.anchors.databases import Databases
from rebirth.providers.anchors.s3 import Bucket
from rebirth.providers.anchors.sealing import Key
from rebirth.providers.anchors.shelves import Folder, Shelf
from rebirth.providers.anchors.snapshots import VaultSnapshots
from rebirth.providers.cluster import Cluster
from rebirth.providers.factory import ImageFactory
from rebirth.providers.git import SCRATCH, GitRemote
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


def archive(anchors: Anchors, identity: Identity, paths: Paths, secrets: SecretsResolved) -> Archive:
    """A rehearsal keeps a folder of its own: it can neither read nor write what the real castle keeps."""
    place = anchors.archive
    shelf: Shelf = Folder(paths.castle / Path(place.folder or "archive").expanduser())
    if paths.lab:
        shelf = Folder(paths.state / "archive")
    elif s3 := place.s3:
        shelf = Bucket(
            endpoint=s3.endpoint,
            region=s3.region,
            bucket=s3.bucket,
            prefix=s3.prefix or "",
            access_key=secrets[s3.access_key],
            secret_key=secrets[s3.secret_key],
            ca=secrets[s3.ca] if s3.ca else None,
        )
    return Archive(castle=identity.name, key=Key(secrets[anchors.age_key]), shelf=shelf)


def vault_snapshots(vault: Vault, anchor: VaultAnchor, secrets: SecretsResolved) -> VaultSnapshots:
    return VaultSnapshots(
        address=vault.address,
        mount=vault.mount,
        ca=secrets[vault.ca] if vault.ca else None,
        token=secrets[anchor.token],
        restore_token=secrets[anchor.restore_token] if anchor.restore_token else None,
        unseal_keys=[secrets[key] for key in anchor.unseal_keys],
    )


def databases(paths: Paths, commands: Commands) -> Databases:
    return Databases(paths=paths, commands=commands)


def git_remote(gitops: GitOps, paths: Paths, secrets: SecretsResolved, commands: Commands) -> GitRemote:
    access: Access = Token(gitops.username, secrets[gitops.token]) if gitops.token else Anybody()
    if ssh := gitops.ssh:
        hosts = Secret(ssh.known_hosts) if isinstance(ssh.known_hosts, str) else secrets[ssh.known_hosts]
        access = DeployKey(secrets[ssh.private_key], hosts)
    scratch = paths.state / SCRATCH
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
    archive,
    vault_snapshots,
    databases,
    git_remote,
    web,
)
