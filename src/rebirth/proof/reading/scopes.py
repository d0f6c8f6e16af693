"""What files alone can tell of kinds: which stand in no namespace, and what their resources are called.

kustomize gives a namespace to every kind that it does not know; the API server takes it away. Where an API server is, it is
asked (`providers.kinds`); what a CRD in the repository says comes before what is known here.
"""

from collections.abc import Iterable, Mapping

from rebirth.proof.reading.manifest import Manifest

# What kustomize itself knows to stand in no namespace (the built-in kinds).
BUILT_IN = frozenset({
    "APIService", "CSIDriver", "CSINode", "CertificateSigningRequest", "ClusterRole", "ClusterRoleBinding", "ComponentStatus",
    "CustomResourceDefinition", "FlowSchema", "IngressClass", "MutatingWebhookConfiguration", "Namespace", "Node",
    "PersistentVolume", "PriorityClass", "PriorityLevelConfiguration", "RuntimeClass", "SelfSubjectAccessReview",
    "SelfSubjectRulesReview", "StorageClass", "SubjectAccessReview", "TokenReview", "ValidatingWebhookConfiguration",
    "VolumeAttachment",
})  # fmt: skip
# Common custom resources; what a CRD in the repository says comes first.
CUSTOM = frozenset({
    "AdmissionReport", "CiliumBGPAdvertisement", "CiliumBGPClusterConfig", "CiliumBGPNodeConfig", "CiliumBGPNodeConfigOverride",
    "CiliumBGPPeerConfig", "CiliumBGPPeeringPolicy", "CiliumCIDRGroup", "CiliumClusterwideEnvoyConfig",
    "CiliumClusterwideNetworkPolicy", "CiliumEgressGatewayPolicy", "CiliumEndpointSlice", "CiliumExternalWorkload", "CiliumIdentity",
    "CiliumL2AnnouncementPolicy", "CiliumLoadBalancerIPPool", "CiliumNode", "CiliumPodIPPool", "ClusterCleanupPolicy",
    "ClusterEphemeralReport", "ClusterExternalSecret", "ClusterGenerator", "ClusterImageCatalog", "ClusterIssuer", "ClusterPolicy",
    "ClusterPolicyReport", "ClusterPushSecret", "ClusterSecretStore", "ClusterTrustBundle", "Connector", "DNSConfig",
    "DeletingPolicy", "DeviceClass", "GatewayClass", "GeneratingPolicy", "GlobalContextEntry", "ImageValidatingPolicy", "LinstorCluster", "LinstorNodeConnection",
    "LinstorSatellite", "LinstorSatelliteConfiguration",
    "MutatingAdmissionPolicy", "MutatingAdmissionPolicyBinding", "MutatingPolicy", "NodePool", "ObjectBucket", "ProxyClass",
    "ProxyGroup", "Recorder", "Tailnet", "ValidatingAdmissionPolicy", "ValidatingAdmissionPolicyBinding", "ValidatingPolicy",
    "VolumeGroupSnapshotClass", "VolumeGroupSnapshotContent", "VolumeSnapshotClass", "VolumeSnapshotContent", "XMesh",
})  # fmt: skip

# Kinds that stand in a namespace for sure.
NAMESPACED = {
    "": {"ConfigMap", "Secret", "Service", "ServiceAccount", "Pod", "PersistentVolumeClaim", "LimitRange", "ResourceQuota", "Endpoints"},
    "apps": {"Deployment", "StatefulSet", "DaemonSet", "ReplicaSet"},
    "batch": {"Job", "CronJob"},
    "rbac.authorization.k8s.io": {"Role", "RoleBinding"},
    "networking.k8s.io": {"Ingress", "NetworkPolicy"},
    "autoscaling": {"HorizontalPodAutoscaler"},
    "policy": {"PodDisruptionBudget"},
    "kustomize.toolkit.fluxcd.io": {"Kustomization"},
    "helm.toolkit.fluxcd.io": {"HelmRelease"},
    "source.toolkit.fluxcd.io": {"GitRepository", "OCIRepository", "HelmRepository", "HelmChart", "Bucket", "ExternalArtifact"},
    "external-secrets.io": {"ExternalSecret", "SecretStore", "PushSecret"},
    "cert-manager.io": {"Certificate", "Issuer"},
    "gateway.networking.k8s.io": {"Gateway", "HTTPRoute", "GRPCRoute", "TLSRoute", "TCPRoute", "UDPRoute", "ReferenceGrant", "BackendTLSPolicy"},
    "gateway.envoyproxy.io": {"Backend", "BackendTrafficPolicy", "ClientTrafficPolicy", "EnvoyExtensionPolicy", "EnvoyPatchPolicy", "EnvoyProxy", "HTTPRouteFilter", "SecurityPolicy"},
    "monitoring.coreos.com": {"Alertmanager", "AlertmanagerConfig", "PodMonitor", "Probe", "Prometheus", "PrometheusAgent", "PrometheusRule", "ScrapeConfig", "ServiceMonitor", "ThanosRuler"},
    "postgresql.cnpg.io": {"Backup", "Cluster", "Database", "ImageCatalog", "Pooler", "Publication", "ScheduledBackup", "Subscription"},
    "volsync.backube": {"ReplicationDestination", "ReplicationSource"},
}  # fmt: skip


def cluster_scoped(manifests: Iterable[Manifest]) -> tuple[frozenset[str], frozenset[str]]:
    """The kinds that the CRDs among `manifests` put into no namespace, and those that they put into one."""
    scopes: dict[str, set[str]] = {"Cluster": set(), "Namespaced": set()}
    for manifest in manifests:
        if manifest.kind == "CustomResourceDefinition":
            kind, scope = manifest.at("spec", "names", "kind"), manifest.at("spec", "scope")
            if isinstance(kind, str) and isinstance(scope, str):
                scopes.setdefault(scope, set()).add(kind)
    return frozenset(scopes["Cluster"]), frozenset(scopes["Namespaced"] - scopes["Cluster"])


def in_namespace(manifest: Manifest, namespace: str) -> Manifest:
    """The object as kustomize puts it into a namespace."""
    if manifest.kind in BUILT_IN:
        return manifest
    return _with_metadata(manifest, {**manifest.mapping("metadata"), "namespace": namespace})


def in_none(manifest: Manifest) -> Manifest:
    """The object without its namespace."""
    return _with_metadata(manifest, {k: v for k, v in manifest.mapping("metadata").items() if k != "namespace"})


def _with_metadata(manifest: Manifest, metadata: Mapping[str, object]) -> Manifest:
    data = {**manifest.data, "metadata": metadata}
    return Manifest(data, manifest.file, manifest.line, manifest.prefix, manifest.listed)


# Groups that the API server itself serves; what ends in .k8s.io besides these comes with a CRD.
_BUILT_IN = frozenset({
    "", "admissionregistration.k8s.io", "apiextensions.k8s.io", "apiregistration.k8s.io", "apps", "authentication.k8s.io",
    "authorization.k8s.io", "autoscaling", "batch", "certificates.k8s.io", "coordination.k8s.io", "discovery.k8s.io",
    "events.k8s.io", "extensions", "flowcontrol.apiserver.k8s.io", "internal.apiserver.k8s.io", "networking.k8s.io", "node.k8s.io",
    "policy", "rbac.authorization.k8s.io", "resource.k8s.io", "scheduling.k8s.io", "storage.k8s.io", "storagemigration.k8s.io",
    "metrics.k8s.io", "kustomize.config.k8s.io",
})  # fmt: skip


def is_custom(group: str) -> bool:
    return group not in _BUILT_IN


def kind_of(manifest: Manifest) -> tuple[str, str]:
    """Group and kind that a CustomResourceDefinition defines."""
    return str(manifest.at("spec", "group", default="")), str(manifest.at("spec", "names", "kind", default=""))


def plural(kind: str) -> str:
    """The resource name of a kind, by the usual rules of English: what the CRD generators of Go do."""
    word = kind.lower()
    if word.endswith(("s", "x", "ch", "sh")) and word != "endpoints":
        return word + "es"
    if word.endswith("y") and word[-2:-1] not in set("aeiou"):
        return word[:-1] + "ies"
    return word if word == "endpoints" else word + "s"
