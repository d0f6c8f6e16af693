"""Which kinds the stand-in of the Kubernetes API serves: those built in, and those of the CRDs it was given."""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Any

# Group and version, then kind:plural; `*` marks what belongs to no namespace, `!` what has a status of its own.
_BUILT_IN = {
    "v1": "Namespace:namespaces*! Node:nodes*! PersistentVolume:persistentvolumes*! Pod:pods! Service:services! "
    "PersistentVolumeClaim:persistentvolumeclaims! ResourceQuota:resourcequotas! ConfigMap:configmaps Secret:secrets "
    "ServiceAccount:serviceaccounts Endpoints:endpoints LimitRange:limitranges Event:events",
    "apps/v1": "Deployment:deployments! DaemonSet:daemonsets! StatefulSet:statefulsets! ReplicaSet:replicasets!",
    "batch/v1": "Job:jobs! CronJob:cronjobs!",
    "autoscaling/v2": "HorizontalPodAutoscaler:horizontalpodautoscalers!",
    "policy/v1": "PodDisruptionBudget:poddisruptionbudgets!",
    "discovery.k8s.io/v1": "EndpointSlice:endpointslices",
    "networking.k8s.io/v1": "Ingress:ingresses! IngressClass:ingressclasses* NetworkPolicy:networkpolicies",
    "rbac.authorization.k8s.io/v1": "ClusterRole:clusterroles* ClusterRoleBinding:clusterrolebindings* Role:roles "
    "RoleBinding:rolebindings",
    "storage.k8s.io/v1": "StorageClass:storageclasses* CSIDriver:csidrivers* CSINode:csinodes* "
    "VolumeAttachment:volumeattachments*!",
    "scheduling.k8s.io/v1": "PriorityClass:priorityclasses*",
    "coordination.k8s.io/v1": "Lease:leases",
    "admissionregistration.k8s.io/v1": "ValidatingWebhookConfiguration:validatingwebhookconfigurations* "
    "MutatingWebhookConfiguration:mutatingwebhookconfigurations*",
    "apiextensions.k8s.io/v1": "CustomResourceDefinition:customresourcedefinitions*!",
    "apiregistration.k8s.io/v1": "APIService:apiservices*!",
}
_VERBS = ["create", "delete", "get", "list", "patch", "update", "watch"]


@dataclass(frozen=True)
class Kind:
    group: str
    version: str
    kind: str
    plural: str
    namespaced: bool
    status: bool  # whether its status is written by its own subresource
    custom: bool = False

    @property
    def api_version(self) -> str:
        return f"{self.group}/{self.version}" if self.group else self.version

    @property
    def resource(self) -> str:
        """As messages name it: deployments.apps, secrets."""
        return f"{self.plural}.{self.group}" if self.group else self.plural

    @property
    def titled(self) -> str:
        """As messages about invalid objects name it: Deployment.apps, Secret."""
        return f"{self.kind}.{self.group}" if self.group else self.kind

    @property
    def table(self) -> tuple[str, str]:
        """Where its objects are kept, whatever version they are asked in."""
        return self.group, self.plural


def built_in() -> list[Kind]:
    found = []
    for api_version, words in _BUILT_IN.items():
        group, _, version = api_version.rpartition("/")
        for word in words.split():
            kind, _, plural = word.rstrip("*!").partition(":")
            found.append(Kind(group, version, kind, plural, "*" not in word, "!" in word))
    return found


def of_crd(crd: Mapping[str, Any]) -> list[Kind]:
    """The kinds that an established CRD brings, one a served version."""
    spec = crd["spec"]
    names, namespaced = spec["names"], spec["scope"] == "Namespaced"
    return [
        Kind(spec["group"], version["name"], names["kind"], names["plural"], namespaced,
             "status" in (version.get("subresources") or {}), custom=True)
        for version in spec["versions"] if version.get("served", True)
    ]  # fmt: skip


def groups(kinds: Iterable[Kind]) -> dict[str, Any]:
    """What /apis says."""
    versions: dict[str, list[str]] = {}
    for kind in kinds:
        if kind.group and kind.version not in versions.setdefault(kind.group, []):
            versions[kind.group].append(kind.version)
    return {
        "kind": "APIGroupList",
        "apiVersion": "v1",
        "groups": [_group(name, found) for name, found in versions.items()],
    }


def _group(name: str, versions: list[str]) -> dict[str, Any]:
    listed = [{"groupVersion": f"{name}/{version}", "version": version} for version in versions]
    return {"name": name, "versions": listed, "preferredVersion": listed[0]}


def resources(api_version: str, kinds: Iterable[Kind]) -> dict[str, Any] | None:
    """What /apis/GROUP/VERSION says; None where there is no such version."""
    listed: list[dict[str, Any]] = []
    for kind in kinds:
        if kind.api_version != api_version:
            continue
        entry = {
            "name": kind.plural,
            "singularName": kind.kind.lower(),
            "namespaced": kind.namespaced,
            "kind": kind.kind,
        }
        listed.append({**entry, "verbs": _VERBS})
        if kind.status:
            listed.append(
                {**entry, "name": f"{kind.plural}/status", "singularName": "", "verbs": ["get", "patch", "update"]}
            )
    if not listed:
        return None
    return {"kind": "APIResourceList", "apiVersion": "v1", "groupVersion": api_version, "resources": listed}
