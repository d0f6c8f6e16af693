"""What a castle keeps, each thing by its kind and its name in the archive."""

from rebirth.castle import CredentialsAnchor, DatabaseAnchors, Vault

CREDENTIALS, VAULT, DATABASE = "credentials", "vault", "database"
TALOS_SECRETS = (CREDENTIALS, "talos-secrets.yaml")


def wanted(
    credentials: CredentialsAnchor | None, vault: Vault | None, databases: DatabaseAnchors | None
) -> list[tuple[str, str]]:
    """What a generation of this castle has to hold; `vault` where its snapshot is kept."""
    found = [TALOS_SECRETS] if credentials else []
    if vault:
        found.append((VAULT, vault.mount))
    return found + [(DATABASE, one.name) for one in (databases.databases if databases else ())]
