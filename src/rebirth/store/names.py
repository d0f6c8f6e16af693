"""Names of images and repositories, as Docker reads them (distribution/reference), and URLs of chart repositories."""

from dataclasses import dataclass
from urllib.parse import urlsplit, urlunsplit

HUB = "docker.io"
_HUBS = {HUB, "index.docker.io", "registry-1.docker.io"}  # one registry under three names
OCI = "oci://"


@dataclass(frozen=True)
class Name:
    """An image or artifact: `repository` with its registry's host, and what of it."""

    repository: str
    tag: str = ""
    digest: str = ""

    @property
    def reference(self) -> str:
        """What the registry is asked for: a digest wins over a tag."""
        return self.digest or self.tag or "latest"

    @property
    def host(self) -> str:
        return self.repository.partition("/")[0]

    @property
    def path(self) -> str:
        """The repository within its registry."""
        return self.repository.partition("/")[2]

    def __str__(self) -> str:
        tag = f":{self.tag or 'latest'}" if self.tag or not self.digest else ""
        return f"{self.repository}{tag}{'@' + self.digest if self.digest else ''}"


def name_of(reference: str) -> Name:
    """Of what a manifest calls an image: `nginx`, `ghcr.io/owner/name:1.2`, `name@sha256:...`."""
    rest, _, digest = reference.partition("@")
    before, colon, tag = rest.rpartition(":")
    if not colon or "/" in tag:
        before, tag = rest, ""
    return Name(repository_of(before), tag, digest)


def repository_of(written: str) -> str:
    """The same repository's one name: with the host, on Docker Hub `docker.io`, and `library` where nobody owns it."""
    host, slash, path = written.removeprefix(OCI).strip("/").partition("/")
    if not slash or not ("." in host or ":" in host or host == "localhost" or host != host.lower()):
        host, path = HUB, written.strip("/")
    host = host.lower()
    if host in _HUBS:
        host, path = HUB, path if "/" in path else f"library/{path}"
    return f"{host}/{path}"


def url_of(written: str) -> str:
    """A URL's one form: scheme and host in small letters, no slash at its end."""
    parts = urlsplit(written)
    return urlunsplit((parts.scheme.lower(), parts.netloc.lower(), parts.path.rstrip("/"), parts.query, ""))


def tag_of(version: str) -> str:
    """A chart's version as a tag, which may hold no `+`."""
    return version.replace("+", "_")


def version_of(tag: str) -> str:
    return tag.replace("_", "+")
