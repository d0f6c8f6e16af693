"""Section `engine`: what stands between a bare API server and Flux."""

from typing import Annotated, Any, Literal, Self

from pydantic import Discriminator, Field, Tag, model_validator

from rebirth.castle.model import Address, DnsLabel, DnsName, HttpsUrl, Image, Section, Text
from rebirth.secrets import SecretRef


class Chart(Section):
    """A release of a Helm chart that the bootstrap installs itself."""

    version: Text
    repository: HttpsUrl
    namespace: DnsLabel
    values: dict[str, object] = {}


class ExternalSecrets(Chart):
    """External Secrets as a phase installs it."""


class ExternalSecretsOfFlux(Section):
    """External Secrets as Flux installs it: what needs it waits for its CRDs and its webhook."""

    installed_by: Literal["flux"]
    namespace: DnsLabel = "external-secrets"


def _whose(value: Any) -> str:
    chart = isinstance(value, ExternalSecrets) or (isinstance(value, dict) and "installed_by" not in value)
    return "chart" if chart else "flux"


class CoreDns(Section):
    image: Image
    replicas: Annotated[int, Field(ge=1, le=100)] = 2
    forwards: dict[DnsName, Annotated[list[Address], Field(min_length=1)]] = {}


class ClusterDns(Section):
    """What machines need to know of it. A phase that takes this does not see how the castle's own CoreDNS looks."""

    ours: bool  # a phase installs it; else Talos does


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
    api: Literal["v1", "v1beta1"] = (
        "v1"  # of external-secrets.io; v1 is served since External Secrets 0.16, v1beta1 until 0.16
    )
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
    """All of it may be left out: then Talos' own CoreDNS stays, and secrets are the GitOps repository's matter."""

    external_secrets: (
        Annotated[
            Annotated[ExternalSecrets, Tag("chart")] | Annotated[ExternalSecretsOfFlux, Tag("flux")],
            Discriminator(_whose),
        ]
        | None
    ) = None
    coredns: CoreDns | None = None
    vault: Vault | None = None
    store: Store | None = None
    direct_secrets: list[DirectSecret] = []
    pull_secrets: list[PullSecret] = []

    @model_validator(mode="after")
    def _consistent(self) -> Self:
        if self.store and not self.vault:
            raise ValueError("at store: a store of this castle reads engine.vault, which is missing")
        if self.store and not self.external_secrets:
            raise ValueError("at store: a store needs External Secrets, and engine.external_secrets is missing")
        return self

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
        operator = {self.external_secrets.namespace} if self.external_secrets else set()
        return sorted(operator | direct | pulls)
