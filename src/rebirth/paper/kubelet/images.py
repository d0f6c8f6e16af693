"""Names of images that no kubelet can read: the grammar of github.com/distribution/reference v0.6, and the kubelet's words."""

import re

_HOST = r"(?:(?:[a-zA-Z0-9]|[a-zA-Z0-9][a-zA-Z0-9-]*[a-zA-Z0-9])(?:\.(?:[a-zA-Z0-9]|[a-zA-Z0-9][a-zA-Z0-9-]*[a-zA-Z0-9]))*|\[[a-fA-F0-9:]+\])(?::[0-9]+)?"
_PART = r"[a-z0-9]+(?:(?:[._]|__|-+)[a-z0-9]+)*"
_TAG = r"\w[\w.-]{0,127}"
_DIGEST = r"[A-Za-z][A-Za-z0-9]*(?:[-_+.][A-Za-z][A-Za-z0-9]*)*:[0-9a-fA-F]{32,}"
_REFERENCE = re.compile(rf"(?:{_HOST}/)?{_PART}(?:/{_PART})*(?::{_TAG})?(?:@{_DIGEST})?", re.ASCII)


def misnamed(image: str) -> str:
    """Why the kubelet does not even try to pull it (InvalidImageName); "" where the name can be read."""
    head, slash, rest = image.partition("/")
    remote = rest if slash and (set(".:") & set(head) or head == "localhost" or head.lower() != head) else image
    repository = remote.partition(":")[0]
    if repository.lower() != repository:
        why = f"invalid reference format: repository name ({repository}) must be lowercase"
    elif _REFERENCE.fullmatch(image):
        return ""
    else:
        why = "invalid reference format"
    return f'Failed to apply default image tag "{image}": couldn\'t parse image name "{image}": {why}'
