"""What objects that wait name: Secrets, ConfigMaps, health checks. Whether those are there has to be asked besides."""

from collections.abc import Iterator, Mapping
from typing import Any

from rebirth.providers.cluster import condition

Object = Mapping[str, Any]
Key = tuple[str, str, str]  # kind, namespace, name

SOURCES = ("GitRepository", "OCIRepository", "HelmRepository", "Bucket", "HelmChart")
FLUX = ("Kustomization", "HelmRelease", *SOURCES)
WORKLOADS = ("Deployment", "StatefulSet", "DaemonSet", "Job")
# What the search looks at, besides the Kustomizations and HelmReleases themselves.
KINDS = (
    *(("source.toolkit.fluxcd.io/v1", kind) for kind in SOURCES),
    *(("apps/v1", kind) for kind in WORKLOADS[:3]),
    ("batch/v1", "Job"),
    ("v1", "Pod"),
    ("v1", "PersistentVolumeClaim"),
)
# What operators report on: nothing of it is served before they have brought their kinds.
OPERATED = (
    *((f"external-secrets.io/{version}", kind) for version in ("v1beta1", "v1")
      for kind in ("ExternalSecret", "SecretStore", "ClusterSecretStore")),
    *(("cert-manager.io/v1", kind) for kind in ("Certificate", "CertificateRequest", "Issuer", "ClusterIssuer")),
    *(("acme.cert-manager.io/v1", kind) for kind in ("Order", "Challenge")),
    ("bitnami.com/v1alpha1", "SealedSecret"),
)  # fmt: skip


def wanted_objects(nodes: Mapping[Key, Object], found: Mapping[Key, Object]) -> dict[Key, str]:
    """What those that wait name, with the API version to ask for: whether it is there has to be asked besides.

    Secrets and ConfigMaps, and what Kustomizations are told to wait for that is none of `KINDS`.
    """
    waiting = [(key, item) for key, item in {**nodes, **found}.items() if condition(item)[0] != "True"]
    wanted = {name: "v1" for key, item in waiting for name in references(key, item)}
    known = {kind for _, kind in KINDS} | {key[0] for key in nodes}
    checked = [one for key, item in waiting if key in nodes for one in health_checks(item)]
    return wanted | {one[1]: one[0] for one in checked if one[1][0] not in known}


def health_checks(item: Object) -> Iterator[tuple[str, Key]]:
    """API version and key of what a Kustomization waits for."""
    for one in (item.get("spec") or {}).get("healthChecks") or []:
        if one.get("apiVersion") and one.get("kind") and one.get("name"):
            yield one["apiVersion"], (one["kind"], one.get("namespace", ""), one["name"])


def references(key: Key, item: Object) -> Iterator[Key]:
    kind, namespace, _ = key
    spec = item.get("spec") or {}
    if kind == "Pod":
        yield from (("Secret", namespace, one["name"]) for one in spec.get("imagePullSecrets") or [] if one.get("name"))
        yield from mounted(namespace, spec)
    if kind in SOURCES:
        yield from (
            ("Secret", namespace, spec[field]["name"]) for field in ("secretRef", "certSecretRef") if spec.get(field)
        )
    listed = [*((spec.get("postBuild") or {}).get("substituteFrom") or []), *(spec.get("valuesFrom") or [])]
    yield from ((one["kind"], namespace, one["name"]) for one in listed if not one.get("optional"))
    if decryption := (spec.get("decryption") or {}).get("secretRef"):
        yield "Secret", namespace, decryption["name"]


def mounted(namespace: str, spec: Object) -> Iterator[Key]:
    """Secrets and ConfigMaps without which no container starts: the kubelet tries to mount them, and says no more."""
    for volume in spec.get("volumes") or []:
        parts = [volume, *((volume.get("projected") or {}).get("sources") or [])]
        for part in parts:
            for field, kind in (("secret", "Secret"), ("configMap", "ConfigMap")):
                source = part.get(field) or {}
                name = source.get("secretName") or source.get("name")
                if name and not source.get("optional"):
                    yield kind, namespace, name
