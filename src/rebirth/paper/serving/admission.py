"""What every admission webhook of ours is made of: the object that registers it, and its answer to a review."""

import base64
import json
from collections.abc import Mapping, Sequence
from typing import Any


def bundle(authority: str) -> str:
    """The certificate of an authority (PEM) as `caBundle` holds it."""
    return base64.b64encode(authority.encode()).decode()


def mutating(name: str, url: str, authority: str, rules: Sequence[Mapping[str, Any]], **more: Any) -> dict[str, Any]:
    """The MutatingWebhookConfiguration that makes the API server ask at `url`, below `authority` (PEM); `more` are fields of it."""
    webhook = {
        "name": name,
        "admissionReviewVersions": ["v1"],
        "sideEffects": "None",
        "clientConfig": {"url": url, "caBundle": bundle(authority)},
        "rules": [*rules],
        **more,
    }
    return {
        "apiVersion": "admissionregistration.k8s.io/v1",
        "kind": "MutatingWebhookConfiguration",
        "metadata": {"name": name},
        "webhooks": [webhook],
    }


def admitted(review: Mapping[str, Any], patch: Sequence[Mapping[str, Any]]) -> dict[str, Any]:
    """The answer to an AdmissionReview: yes, with these changes (RFC 6902)."""
    answer: dict[str, Any] = {"uid": review["request"]["uid"], "allowed": True}
    if patch:
        answer |= {"patchType": "JSONPatch", "patch": base64.b64encode(json.dumps(patch).encode()).decode()}
    return {"apiVersion": "admission.k8s.io/v1", "kind": "AdmissionReview", "response": answer}
