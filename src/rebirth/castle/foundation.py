"""Section `engine`: what stands between a bare API server and Flux."""

from typing import Annotated, Any, Literal, Self

from pydantic import Discriminator, Field, Tag, model_validator

from rebirth.castle.model import Address, DnsLabel, DnsName, HttpsUrl, Image, Section, Text
from rebirth.castle.reference import SecretRef


class Chart(Section):
    """A release of a Helm chart that the bootstrap installs itself."""

    version: Text
    """The version of the chart."""
    repository: HttpsUrl
    """The Helm repository that serves it."""
    namespace: DnsLabel
    """The namespace of the release; it is created."""
    values: dict[str, object] = {}
    """Values of the chart."""


class ExternalSecrets(Chart):
    """External Secrets as a phase installs it."""


class ExternalSecretsOfFlux(Section):
    """External Secrets as Flux installs it: what needs it waits for its CRDs and its webhook."""

    installed_by: Literal["flux"]
    """Flux installs it from the GitOps repository."""
    namespace: DnsLabel = "external-secrets"
    """The namespace in which Flux installs it."""


def _whose(value: Any) -> str:
    chart = isinstance(value, ExternalSecrets) or (isinstance(value, dict) and "installed_by" not in value)
    return "chart" if chart else "flux"


class CoreDns(Section):
    """The cluster's DNS server, which the castle brings itself."""

    image: Image
    """The image of CoreDNS."""
    replicas: Annotated[int, Field(ge=1, le=100)] = 2
    """How many pods of it run."""
    forwards: dict[DnsName, Annotated[list[Address], Field(min_length=1)]] = {}
    """DNS zone -> the nameservers that answer for it, such as `ts.net: [10.96.0.101]`."""


class ClusterDns(Section):
    """What machines need to know of it. A phase that takes this does not see how the castle's own CoreDNS looks."""

    ours: bool
    """A phase installs it; else Talos does."""


class Vault(Section):
    """The Vault outside the cluster, as this machine reaches it."""

    address: HttpsUrl
    """Its URL."""
    mount: Text
    """The mount of the key-value store (version 2)."""
    token: SecretRef
    """The token that reads there, and writes what is handed over."""
    ca: SecretRef | None = None
    """Its certificate authority (PEM), if that is not a public one."""


class KeyReference(Section):
    """A key of a Kubernetes Secret."""

    namespace: DnsLabel
    """The namespace of the Secret."""
    name: DnsName
    """The name of the Secret."""
    key: Text
    """The key in the Secret."""


class Store(Section):
    """The ClusterSecretStore through which the cluster reads that Vault."""

    name: DnsName
    """The name of the ClusterSecretStore."""
    api: Literal["v1", "v1beta1"] = "v1"
    """The API version of external-secrets.io: v1 is served since External Secrets 0.16, v1beta1 until then."""
    ca_secret: KeyReference | None = None
    """The Secret that holds Vault's certificate authority."""
    token_secret: KeyReference
    """The Secret that holds Vault's token."""


class DirectSecret(Section):
    """A Kubernetes Secret placed straight from the vault directory, with no controller in between."""

    namespace: DnsLabel
    """The namespace of the Secret; it is created."""
    name: DnsName
    """The name of the Secret."""
    type: Text = "Opaque"
    """The type of the Secret."""
    data: dict[str, SecretRef | Text]
    """Key -> the secret that is placed there, or plain text."""


class PullSecret(Section):
    """Credentials of an image registry."""

    name: DnsName
    """The name of the Secret in each namespace."""
    registry: DnsName
    """The host name of the registry."""
    username: Text
    """The user name at the registry."""
    password: SecretRef
    """The password or token."""
    namespaces: Annotated[list[DnsLabel], Field(min_length=1)]
    """The namespaces that get it; they are created."""


class RegistryLogin(Section):
    """Credentials of an image registry for machines."""

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
    """The External Secrets Operator: a release that a phase installs, or `installed_by: flux`."""
    coredns: CoreDns | None = None
    """The castle's own CoreDNS, in place of the one that Talos deploys."""
    vault: Vault | None = None
    store: Store | None = None
    direct_secrets: list[DirectSecret] = []
    pull_secrets: list[PullSecret] = []
    """Credentials of image registries, as Secrets; the machines get them, too."""

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
