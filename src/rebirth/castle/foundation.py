"""Section `engine`: what stands between a bare API server and Flux."""

from typing import Annotated

from pydantic import Field

from rebirth.castle.model import Address, DnsLabel, DnsName, HttpsUrl, Image, Section, Text
from rebirth.secrets import SecretRef


class Chart(Section):
    """A release of a Helm chart that the bootstrap installs itself."""

    version: Text
    repository: HttpsUrl
    namespace: DnsLabel
    values: dict[str, object] = {}


class CoreDns(Section):
    image: Image
    replicas: Annotated[int, Field(ge=1, le=100)] = 2
    forwards: dict[DnsName, Annotated[list[Address], Field(min_length=1)]] = {}


class Vault(Section):
    """The Vault outside the cluster, as this machine reaches it."""

    address: HttpsUrl
    mount: Text
    token: SecretRef
    ca: SecretRef | None = None


class KeyReference(Section):
    namespace: DnsLabel
    name: DnsName
    key: Text


class Store(Section):
    """The ClusterSecretStore through which the cluster reads that Vault."""

    name: DnsName
    ca_secret: KeyReference | None = None
    token_secret: KeyReference


class DirectSecret(Section):
    """A Kubernetes Secret placed straight from the vault directory, with no controller in between."""

    namespace: DnsLabel
    name: DnsName
    type: Text = "Opaque"
    data: dict[str, SecretRef | Text]


class PullSecret(Section):
    name: DnsName
    registry: DnsName
    username: Text
    password: SecretRef
    namespaces: Annotated[list[DnsLabel], Field(min_length=1)]


class RegistryLogin(Section):
    registry: DnsName
    username: Text
    password: SecretRef


class RegistryLogins(Section):
    """What machines need of the pull secrets. A phase that takes this does not see where in the cluster those are placed."""

    logins: list[RegistryLogin] = []


class Foundation(Section):
    external_secrets: Chart
    coredns: CoreDns
    vault: Vault
    store: Store
    direct_secrets: list[DirectSecret] = []
    pull_secrets: list[PullSecret] = []

    @property
    def registry_logins(self) -> RegistryLogins:
        """One a registry; of several pull secrets for the same one the last."""
        logins = {
            pull.registry: RegistryLogin(registry=pull.registry, username=pull.username, password=pull.password)
            for pull in self.pull_secrets
        }
        return RegistryLogins(logins=list(logins.values()))

    @property
    def namespaces(self) -> list[str]:
        """Every namespace that secrets of this section are placed in, sorted."""
        direct = {secret.namespace for secret in self.direct_secrets}
        pulls = {namespace for secret in self.pull_secrets for namespace in secret.namespaces}
        return sorted({self.external_secrets.namespace} | direct | pulls)
