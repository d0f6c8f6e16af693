"""What the API server refuses of an object though its schema takes it: Kubernetes' own validation, kind by kind.

Each module is the validation of one group of kinds, written from Kubernetes' source, and tried against a real API server
(tests/rehearse/test_validation.py). Defaults come before validation there, so they are counted in here. Nothing is said of a value that is
not known.
"""

from collections.abc import Callable, Iterator, Mapping

from rebirth.proof.validation import (
    config,
    extensions,
    jobs,
    networking,
    rbac,
    scaling,
    services,
    storage,
    webhooks,
    workloads,
)
from rebirth.proof.validation.custom import CUSTOM
from rebirth.proof.validation.values import Fields, Refusal

Check = Callable[[Fields], Iterator[Refusal]]

# By apiVersion and kind.
CHECKS: Mapping[tuple[str, str], Check] = {
    ("v1", "Pod"): workloads.pod,
    ("v1", "Service"): services.service,
    ("v1", "PersistentVolume"): storage.volume,
    ("v1", "PersistentVolumeClaim"): storage.claim,
    ("v1", "ConfigMap"): config.config_map,
    ("v1", "Secret"): config.secret,
    ("v1", "LimitRange"): config.limit_range,
    ("v1", "ResourceQuota"): config.resource_quota,
    ("apps/v1", "Deployment"): workloads.deployment,
    ("apps/v1", "StatefulSet"): workloads.stateful_set,
    ("apps/v1", "DaemonSet"): workloads.daemon_set,
    ("apps/v1", "ReplicaSet"): workloads.replica_set,
    ("batch/v1", "Job"): jobs.job,
    ("batch/v1", "CronJob"): jobs.cron_job,
    ("networking.k8s.io/v1", "Ingress"): networking.ingress,
    ("networking.k8s.io/v1", "IngressClass"): networking.ingress_class,
    ("networking.k8s.io/v1", "NetworkPolicy"): networking.network_policy,
    ("rbac.authorization.k8s.io/v1", "Role"): rbac.role,
    ("rbac.authorization.k8s.io/v1", "ClusterRole"): rbac.cluster_role,
    ("rbac.authorization.k8s.io/v1", "RoleBinding"): rbac.role_binding,
    ("rbac.authorization.k8s.io/v1", "ClusterRoleBinding"): rbac.cluster_role_binding,
    ("autoscaling/v1", "HorizontalPodAutoscaler"): scaling.autoscaler,
    ("autoscaling/v2", "HorizontalPodAutoscaler"): scaling.autoscaler,
    ("policy/v1", "PodDisruptionBudget"): scaling.disruption_budget,
    ("scheduling.k8s.io/v1", "PriorityClass"): scaling.priority_class,
    ("storage.k8s.io/v1", "StorageClass"): storage.storage_class,
    ("apiextensions.k8s.io/v1", "CustomResourceDefinition"): extensions.definition,
    ("admissionregistration.k8s.io/v1", "ValidatingWebhookConfiguration"): webhooks.webhooks,
    ("admissionregistration.k8s.io/v1", "MutatingWebhookConfiguration"): webhooks.webhooks,
}


def check_of(version: str, kind: str) -> Check | None:
    """What looks at a kind: of Kubernetes itself in one version, of others in all."""
    return CHECKS.get((version, kind)) or CUSTOM.get((version.partition("/")[0], kind))


def refused(data: Fields) -> Iterator[Refusal]:
    """What is refused of an object."""
    check = check_of(str(data.get("apiVersion")), str(data.get("kind")))
    if check is not None:
        yield from check(data)


__all__ = ["CHECKS", "CUSTOM", "Check", "Refusal", "check_of", "refused"]
