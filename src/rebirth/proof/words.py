"""Names in pieces: what belongs together is mostly called alike."""

import re
from collections.abc import Iterable
from pathlib import Path

_SHORTEST = 3  # letters of a piece that says something
_WITHIN = 4  # letters of a piece that may stand inside another
_PIECE = re.compile(r"[a-z0-9]+")
_NAME = re.compile(r"[A-Za-z0-9][\w.-]*")
SUBDOMAIN = re.compile(r"(?=.{1,253}$)[a-z0-9]([-a-z0-9]*[a-z0-9])?(\.[a-z0-9]([-a-z0-9]*[a-z0-9])?)*")
_TEMPLATED = ("${", "$(", "{{", "<<")
_LARGEST = 1 << 20  # bytes of a file that are looked at
# What says nothing of whose it is.
_COMMON = frozenset({
    "and", "app", "apps", "base", "bootstrap", "branch", "chart", "charts", "cluster", "clusters", "com", "config",
    "controller", "controllers", "crd", "crds", "data", "default", "deploy", "dev", "docker", "download", "flux", "for", "from",
    "ghcr", "git", "github", "gitlab", "githubusercontent", "head", "helm", "http", "https", "infra", "infrastructure", "install", "k8s",
    "kube", "kubernetes", "kustomization", "kustomize", "latest", "main", "manager", "manifests", "master", "mirror", "net", "oci",
    "operator", "operators", "org", "path", "production", "quay", "raw", "ref", "registry", "refs", "release", "releases", "repo", "repository",
    "repositories", "secret", "secrets", "server", "service", "services", "set", "stack", "standard", "system", "tag",
    "tags", "the", "values", "version", "with", "yaml", "yml",
})  # fmt: skip


def pieces(*texts: str) -> frozenset[str]:
    """The pieces of names that tell whose they are."""
    return frozenset(
        piece
        for text in texts
        for piece in _PIECE.findall(text.lower())
        if len(piece) >= _SHORTEST and piece not in _COMMON and not piece.isdigit()
    )


def is_name(text: str) -> bool:
    """Whether an object of Kubernetes can be called so, nearly all of which have names of DNS; what a template fills in may be one."""
    return bool(SUBDOMAIN.fullmatch(text)) or any(mark in text for mark in _TEMPLATED)


def initials(text: str) -> str:
    """node-feature-discovery: nfd."""
    return "".join(piece[0] for piece in _PIECE.findall(text.lower()))


def alike(one: Iterable[str], other: Iterable[str]) -> bool:
    """Whether a piece of the one is, or contains, a piece of the other."""
    others = tuple(other)
    return any(a == b or (min(len(a), len(b)) >= _WITHIN and (a in b or b in a)) for a in one for b in others)


def names_in(file: Path) -> frozenset[str]:
    """Whatever may be a name in a file, be it YAML or not; nothing where it cannot be opened."""
    try:
        with file.open("rb") as opened:
            return frozenset(_NAME.findall(opened.read(_LARGEST).decode(errors="replace")))
    except OSError:
        return frozenset()
