"""Section `anchors`: what of a castle outlives it, and where that is kept."""

from typing import Annotated, Self

from pydantic import Field, StringConstraints, model_validator

from rebirth.castle.model import DnsLabel, DnsName, HttpsUrl, Section, Text, in_our_words
from rebirth.castle.reference import SecretRef

LATEST = "latest"
GENERATION = r"\d{8}T\d{6}Z-[a-z0-9]([-a-z0-9]*[a-z0-9])?"

Prefix = Annotated[
    str,
    StringConstraints(pattern=r"^[A-Za-z0-9_.-]+(/[A-Za-z0-9_.-]+)*$"),
    in_our_words("must be a path without slashes at its ends, such as castles/home"),
]
Chosen = Annotated[
    str,
    StringConstraints(pattern=rf"^({LATEST}|{GENERATION})$"),
    in_our_words("must be `latest`, or a generation as `rebirth backup --list` names it"),
]
PostgresName = Annotated[str, StringConstraints(pattern=r"^[A-Za-z_][A-Za-z0-9_$-]*$", max_length=63)]
LabelKey = Annotated[str, StringConstraints(pattern=r"^[A-Za-z0-9]([A-Za-z0-9_./-]*[A-Za-z0-9])?$")]
LabelValue = Annotated[str, StringConstraints(pattern=r"^[A-Za-z0-9]([A-Za-z0-9_.-]*[A-Za-z0-9])?$", max_length=63)]


class S3(Section):
    """A bucket of a server that speaks S3."""

    endpoint: HttpsUrl
    """The server's URL; the bucket is a part of the path there."""
    region: Text = "us-east-1"
    """The bucket's region, which requests are signed for."""
    bucket: Annotated[DnsName, Field(min_length=3, max_length=63)]
    """The bucket; it has to exist."""
    prefix: Prefix | None = None
    """What stands before all names in the bucket. Several castles may share one."""
    access_key: SecretRef
    """The access key id."""
    secret_key: SecretRef
    """The secret access key."""
    ca: SecretRef | None = None
    """The server's certificate authority (PEM), if that is not a public one."""


class ArchivePlace(Section):
    """Where generations are kept: in a bucket, or in a folder."""

    folder: Text | None = None
    """A folder of this machine; `~` is the home directory, a relative path starts at the castle directory."""
    s3: S3 | None = None

    @model_validator(mode="after")
    def _one(self) -> Self:
        if (self.folder is None) == (self.s3 is None):
            raise ValueError("needs either `folder` or `s3`")
        return self


class VaultAnchor(Section):
    """The snapshot of engine.vault, whose storage is Raft (integrated storage)."""

    token: SecretRef
    """A token of engine.vault that may take snapshots: read on sys/storage/raft/snapshot, list on the mount's metadata."""
    restore_token: SecretRef | None = None
    """A token of a Vault that is new and empty, which may restore (update on sys/storage/raft/snapshot-force); `token` if not given. What is restored knows it no more."""
    unseal_keys: list[SecretRef] = []
    """The unseal keys of the Vault that the snapshot is of, as many as its threshold: another Vault is sealed when it has taken the snapshot, and these open it. Without them the snapshot is taken only by a Vault with the same keys."""


class DatabaseAnchor(Section):
    """A PostgreSQL database in the cluster: its dump, made and read by the pg_dump and psql of its own container."""

    name: DnsLabel
    """A name for the archive and for messages."""
    namespace: DnsLabel
    """The namespace of its pods."""
    labels: Annotated[dict[LabelKey, LabelValue], Field(min_length=1)]
    """The labels by which the pod of its primary is known."""
    container: DnsLabel
    """The container in that pod in which the database runs."""
    database: PostgresName
    """The database."""
    user: PostgresName = "postgres"
    """The superuser, who has to be let in through the local socket without a password."""


class Anchors(Section):
    """What of a castle outlives it: `rebirth backup` keeps it, create brings it back."""

    archive: ArchivePlace
    age_key: SecretRef
    """An age identity (X25519, as age-keygen writes it). All that is kept is encrypted to it; without it nothing can be restored."""
    restore: Chosen | None = None
    """Which generation create restores before anything reads it: `latest`, or one by its name. Nothing is restored if it is not given."""
    credentials: bool = True
    """Whether the Talos secrets bundle is kept: then a castle that is restored has the certificate authorities and the service account key that it had."""
    vault: VaultAnchor | None = None
    databases: list[DatabaseAnchor] = []

    @model_validator(mode="after")
    def _of_something(self) -> Self:
        if not (self.credentials or self.vault or self.databases):
            raise ValueError("keeps nothing: credentials, vault and databases are all left out")
        names = [one.name for one in self.databases]
        if twice := [name for name in names if names.count(name) > 1]:
            raise ValueError(f"at databases: {twice[0]} is named twice")
        return self


class Restore(Section):
    """Which generation is restored, as a section of its own: a castle that restores nothing has none of its phases."""

    generation: Chosen


class CredentialsAnchor(Section):
    """That the credentials are kept, as a section of its own."""


class DatabaseAnchors(Section):
    """The databases that are kept, as a section of its own."""

    databases: list[DatabaseAnchor]
