"""What the Kubernetes API answers where it does not do what it was asked, in its own words."""

from collections.abc import Sequence
from typing import Any

from standins.kinds import Kind

WITHOUT_KIND = "the server could not find the requested resource"


class Refused(Exception):  # noqa: N818 - the API's Status of a failure
    """A Status: HTTP code, reason, message."""

    def __init__(self, code: int, reason: str, message: str, **details: Any) -> None:
        super().__init__(message)
        self.code, self.reason, self.message, self.details = code, reason, message, details

    def body(self) -> dict[str, Any]:
        return {
            "kind": "Status",
            "apiVersion": "v1",
            "metadata": {},
            "status": "Failure",
            "message": self.message,
            "reason": self.reason,
            "details": self.details,
            "code": self.code,
        }


def not_found(kind: Kind, name: str) -> Refused:
    return Refused(
        404, "NotFound", f'{kind.resource} "{name}" not found', name=name, group=kind.group, kind=kind.plural
    )


def no_namespace(name: str) -> Refused:
    return Refused(404, "NotFound", f'namespaces "{name}" not found', name=name, kind="namespaces")


def exists(kind: Kind, name: str) -> Refused:
    return Refused(409, "AlreadyExists", f'{kind.resource} "{name}" already exists', name=name, kind=kind.plural)


def modified(kind: Kind, name: str) -> Refused:
    text = (
        f'Operation cannot be fulfilled on {kind.resource} "{name}": the object has been modified; '
        "please apply your changes to the latest version and try again"
    )
    return Refused(409, "Conflict", text, name=name, group=kind.group, kind=kind.plural)


def conflict(disputed: Sequence[tuple[tuple[str, ...], str]], api_version: str) -> Refused:
    causes = [
        {"reason": "FieldManagerConflict", "message": f'conflict with "{name}" using {api_version}', "field": "." + ".".join(path)}
        for path, name in disputed
    ]  # fmt: skip
    if len(causes) == 1:
        text = f"Apply failed with 1 conflict: {causes[0]['message']}: {causes[0]['field']}"
    else:
        listed = "\n".join(f"- {cause['field']}" for cause in causes)
        text = f'Apply failed with {len(causes)} conflicts: conflicts with "{disputed[0][1]}" using {api_version}:\n{listed}'
    return Refused(409, "Conflict", text, causes=causes)


def invalid(kind: Kind, name: str, field: str, why: str) -> Refused:
    """`why` as the API says it, such as `Required value` or `Invalid value: "x": field is immutable`."""
    causes = [{"field": field, "message": why, "reason": "FieldValueInvalid"}]
    text = f'{kind.titled} "{name}" is invalid: {field}: {why}'
    return Refused(422, "Invalid", text, name=name, group=kind.group, kind=kind.kind, causes=causes)


def bad_request(message: str) -> Refused:
    return Refused(400, "BadRequest", message)


def forbidden(kind: Kind, name: str, why: str) -> Refused:
    subject = f'{kind.resource} "{name}"' if name else kind.resource
    return Refused(403, "Forbidden", f"{subject} is forbidden: {why}", name=name, group=kind.group, kind=kind.plural)


def terminating(kind: Kind, name: str, namespace: str) -> Refused:
    why = f"unable to create new content in namespace {namespace} because it is being terminated"
    refused = forbidden(kind, name, why)
    cause = {"reason": "NamespaceTerminating", "message": f"namespace {namespace} is being terminated"}
    refused.details["causes"] = [{**cause, "field": "metadata.namespace"}]
    return refused


def without_webhook(webhook: str, service: str, namespace: str, why: str = "") -> Refused:
    """The API server cannot ask a webhook: by default, because its Service has no endpoints."""
    said = why or f'no endpoints available for service "{service}"'
    url = f"https://{service}.{namespace}.svc:443/validate?timeout=5s"
    text = f'Internal error occurred: failed calling webhook "{webhook}": failed to call webhook: Post "{url}": {said}'
    return Refused(500, "InternalError", text, causes=[{"message": text}])


def denied(webhook: str, why: str) -> Refused:
    """A webhook said no."""
    return Refused(403, "Forbidden", f'admission webhook "{webhook}" denied the request: {why}')


def disrupted(budget: str) -> Refused:
    """A pod may not be evicted."""
    said = f"The disruption budget {budget} needs 1 healthy pods and has 1 currently"
    text = "Cannot evict pod as it would violate the pod's disruption budget."
    return Refused(429, "TooManyRequests", text, causes=[{"reason": "DisruptionBudget", "message": said}])


def expired(asked: int, oldest: int) -> Refused:
    return Refused(410, "Expired", f"too old resource version: {asked} ({oldest})")
