"""Kyverno's webhook for what policies match: Kyverno registers it itself, by its chart's values and the policies there are."""

from collections.abc import Iterator, Mapping
from typing import Any

from rebirth.proof.charts import releases
from rebirth.proof.charts.knowledge import value_at
from rebirth.proof.reading import pods
from rebirth.proof.reading.manifest import Manifest, Model

NAME = "kyverno"  # in `knowledge`
_GROUP = "kyverno.io"
_POLICIES = ("ClusterPolicy", "Policy")
_LABEL = "kubernetes.io/metadata.name"
_PODS = {
    "pod",
    "*",
    "deployment",
    "statefulset",
    "daemonset",
    "job",
    "cronjob",
}  # rules for Pods are made of those, too


def configuration(model: Model, found: pods.Pods) -> Mapping[str, Any] | None:
    """The configuration that Kyverno registers once it runs, if a policy that fails closed matches pods."""
    own = found.unit.own
    if own is None or not any(_matches_pods(member) for member, _ in model.objects(*_POLICIES)):
        return None
    values = releases.values_of(model, own)
    if not values.whole or value_at(values.data, "features.forceFailurePolicyIgnore.enabled") is True:
        return None
    service = next((m.name for m in found.unit.members if m.kind == "Service" and m.name.endswith("-svc")), "")
    selector = value_at(values.data, "config.webhooks.namespaceSelector")
    if selector is None:
        selector = {"matchExpressions": [{"key": _LABEL, "operator": "NotIn", "values": ["kube-system"]}]}
    expressions = list(selector.get("matchExpressions") or ()) if isinstance(selector, Mapping) else []
    if value_at(values.data, "config.excludeKyvernoNamespace") is not False:
        expressions.append({"key": _LABEL, "operator": "NotIn", "values": [found.namespace]})
    labels = selector.get("matchLabels") if isinstance(selector, Mapping) else None
    return {
        "kind": "ValidatingWebhookConfiguration",
        "metadata": {"name": "kyverno-resource-validating-webhook-cfg"},
        "webhooks": [
            {
                "name": "validate.kyverno.svc-fail",
                "failurePolicy": "Fail",
                "clientConfig": {"service": {"namespace": found.namespace, "name": service}},
                "rules": [{"apiGroups": [""], "apiVersions": ["v1"], "operations": ["CREATE"], "resources": ["pods"]}],
                "namespaceSelector": {"matchExpressions": expressions, **({"matchLabels": labels} if labels else {})},
            }
        ],
    }


def _matches_pods(policy: Manifest) -> bool:
    if policy.group != _GROUP or policy.at("spec", "admission") is False:
        return False
    failure = policy.at("spec", "webhookConfiguration", "failurePolicy") or policy.at("spec", "failurePolicy") or "Fail"
    return failure == "Fail" and any(kind.rpartition("/")[2].lower() in _PODS for kind in _kinds(policy))


def _kinds(policy: Manifest) -> Iterator[str]:
    for index, rule in enumerate(policy.items("spec", "rules")):
        path = ("spec", "rules", index, "match")
        if not isinstance(rule, Mapping):
            continue
        yield from map(str, policy.items(*path, "resources", "kinds"))
        for part in ("any", "all"):
            for number, _ in enumerate(policy.items(*path, part)):
                yield from map(str, policy.items(*path, part, number, "resources", "kinds"))
