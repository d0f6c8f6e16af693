"""What of Flux's objects nothing outside could answer in a rehearsal is changed as they are written, by an admission webhook.

SSH becomes HTTPS, as there is no proxy for SSH; credentials of a cloud and of SSH, signatures and proxies are left out; a digest or commit that is
not there gives way to what is; patches of what a chart on paper does not make are left out. What was asked for stands in an annotation.
"""

import json
from collections.abc import Callable, Collection, Mapping
from dataclasses import dataclass, field
from typing import Any
from urllib.parse import urlsplit

from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import JSONResponse, Response
from starlette.routing import Route

from rebirth.paper.serving.admission import admitted, mutating
from rebirth.proof.reading import flux
from rebirth.rehearse.outside.names import address, address_of_bucket
from rebirth.rehearse.outside.references import BRANCH

Spec = dict[str, Any]
ASKED_FOR = "rehearsal.internal/asked-for"  # the annotation: JSON of the fields as they were
NAME = "outside.rehearsal.internal"
_GENERIC = "generic"
_KINDS = {"gitrepositories", "ocirepositories", "helmrepositories", "helmcharts", "buckets"}


@dataclass(frozen=True)
class Admission:
    """`made`: addresses of what is made here: the repository itself, and Git repositories with charts on paper. `tag_for`: the tag that stands for a digest of oci://..., "" where it is there. `in_part`: releases whose chart on paper does not
    make all that the chart would, such as `HelmRelease apps/blog`. `definitions`: the specs of CRDs that stay as they are, since the
    controllers that run are of their release, and not of the repository's. `with_credentials`: addresses whose sources have to have the
    Secret that they name, as a castle places it.
    """

    made: Collection[str]
    tag_for: Callable[[str, str], str]
    in_part: Collection[str] = ()
    definitions: Mapping[str, Mapping[str, Any]] = field(default_factory=dict)
    with_credentials: Collection[str] = ()

    def changed(self, item: Mapping[str, Any]) -> Spec:
        """The spec as it can be answered."""
        spec: Spec = json.loads(json.dumps(item.get("spec") or {}))
        if item.get("kind") == "HelmRelease":
            ((spec.get("chart") or {}).get("spec") or {}).pop("verify", None)
            named = item.get("metadata") or {}
            if f"HelmRelease {named.get('namespace')}/{named.get('name')}" in self.in_part:
                spec.pop("postRenderers", None)  # what they patch may not be there
            return spec
        spec.pop("verify", None)
        spec.pop("proxySecretRef", None)
        if spec.get("provider", _GENERIC) != _GENERIC:
            spec["provider"] = _GENERIC
            spec.pop("secretRef", None)  # of another form than a generic one
        if _place(spec) in self.made and not self._has_credentials(spec):  # whoever bootstraps brings them by hand
            spec.pop("secretRef", None)
        if item.get("kind") == "GitRepository":
            self._git(spec)
        if item.get("kind") == "OCIRepository":
            self._artifact(spec)
        return spec

    def _has_credentials(self, spec: Spec) -> bool:
        return _place(spec) in self.with_credentials

    def _git(self, spec: Spec) -> None:
        url = str(spec.get("url") or "")
        if url.startswith("ssh://"):
            parts = urlsplit(url)
            spec["url"] = f"https://{parts.hostname}{parts.path}"
            if not self._has_credentials(spec):  # over HTTPS nobody asks what is in them
                spec.pop("secretRef", None)
        ref = spec.get("ref") or {}
        if ref.get("commit") and address(url) in self.made:
            spec["ref"] = {"branch": ref.get("branch") or BRANCH}

    def _artifact(self, spec: Spec) -> None:
        ref = spec.get("ref") or {}
        if ref.get("digest") and (tag := self.tag_for(str(spec.get("url") or ""), str(ref["digest"]))):
            spec["ref"] = {"tag": tag}


def _place(spec: Spec) -> str:
    """The address of a source."""
    return address(str(spec["url"])) if spec.get("url") else address_of_bucket(spec)


def review(admission: Admission, item: Mapping[str, Any]) -> list[dict[str, Any]]:
    """The JSON patch (RFC 6902) for an object that is written."""
    if item.get("kind") == "CustomResourceDefinition":
        kept = admission.definitions.get(str((item.get("metadata") or {}).get("name")))
        return [{"op": "replace", "path": "/spec", "value": kept}] if kept is not None and kept != item["spec"] else []
    before, after = item.get("spec") or {}, admission.changed(item)
    if before == after:
        return []
    was = {key: value for key, value in before.items() if after.get(key) != value}
    noted = {**((item.get("metadata") or {}).get("annotations") or {}), ASKED_FOR: json.dumps(was, sort_keys=True)}
    return [
        {"op": "replace", "path": "/spec", "value": after},
        {"op": "add", "path": "/metadata/annotations", "value": noted},
    ]


def admission_app(admission: Admission) -> Starlette:
    """Answers AdmissionReviews (admission.k8s.io/v1)."""

    async def answer(request: Request) -> Response:
        asked = await request.json()
        return JSONResponse(admitted(asked, review(admission, asked["request"].get("object") or {})))

    return Starlette(routes=[Route("/", answer, methods=["POST"])])


def configuration(url: str, authority: str) -> dict[str, Any]:
    """The object that makes the API server ask at `url`, whose certificate `authority` (PEM) signed."""
    rules = [
        {"apiGroups": [flux.SOURCE], "resources": sorted(_KINDS)},
        {"apiGroups": [flux.HELM], "resources": ["helmreleases"]},
        {"apiGroups": ["apiextensions.k8s.io"], "resources": ["customresourcedefinitions"]},
    ]
    asked = [{**rule, "apiVersions": ["*"], "operations": ["CREATE", "UPDATE"]} for rule in rules]
    return mutating(NAME, url, authority, asked, failurePolicy="Fail", timeoutSeconds=10)
