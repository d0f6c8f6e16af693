"""Machine configurations as talosctl makes them, and what a machine says of another one: a stand-in, after Talos 1.12's sources.

`CanApplyImmediate` (v1alpha1_runtime.go) names what is applied without a reboot, `ApplyConfiguration` (v1alpha1_server.go) the words.
"""

from pathlib import Path
from typing import Any

import yaml

from standins.programs import Call

_AT_ONCE = (
    "debug", "cluster", "machine.ca", "machine.acceptedCAs", "machine.time", "machine.certSANs", "machine.install", "machine.network",
    "machine.sysfs", "machine.sysctls", "machine.logging", "machine.controlPlane", "machine.kubelet", "machine.kernel", "machine.registries",
    "machine.pods", "machine.seccompProfiles", "machine.nodeAnnotations", "machine.nodeLabels", "machine.nodeTaints",
    "machine.features.kubernetesTalosAPIAccess", "machine.features.kubePrism", "machine.features.hostDNS", "machine.features.imageCache",
    "machine.features.nodeAddressSortAlgorithm",
)  # fmt: skip
Document = dict[str, Any]


def generated(call: Call, bundle: str = "stand-in") -> str:
    """`gen config`: what it is told, then the patches, merged as Talos merges them, in a document for each kind and name."""
    words = call.argv
    name, endpoint = words[words.index("config") + 1 : words.index("config") + 3]
    kind, version = call.option("--output-types"), call.option("--kubernetes-version")
    main: Document = {
        "version": "v1alpha1",
        "machine": {
            "type": kind,
            "kubelet": {"image": f"ghcr.io/siderolabs/kubelet:v{version}"},
            "install": {"image": call.option("--install-image")},
        },
        "cluster": {
            "id": bundle,
            "clusterName": name,
            "controlPlane": {"endpoint": endpoint},
            **(
                {"apiServer": {"image": f"registry.k8s.io/kube-apiserver:v{version}"}} if kind == "controlplane" else {}
            ),
        },
    }
    documents = {"": main}
    for file in (Path(word[1:]) for word in words if word.startswith("@")):
        for patch in yaml.safe_load_all(file.read_text()):
            key = _key(patch)
            documents[key] = _merged(documents.get(key, {}), patch)
    return yaml.safe_dump_all(documents.values())


def _key(document: Document) -> str:
    return "/".join(str(document[part]) for part in ("kind", "name") if part in document)


def _merged(one: Any, other: Any) -> Any:
    if isinstance(one, dict) and isinstance(other, dict):
        return {**one, **{key: _merged(one.get(key), value) for key, value in other.items()}}
    return other


def shown(text: str) -> str:
    """`get machineconfig v1alpha1 --output yaml`."""
    meta = {
        "namespace": "config",
        "type": "MachineConfigs.config.talos.dev",
        "id": "v1alpha1",
        "version": 1,
        "phase": "running",
    }
    return yaml.safe_dump({"node": "127.0.0.1", "metadata": meta, "spec": text})


def with_reboot(has: str, gets: str) -> bool:
    old, new = (next(one for one in yaml.safe_load_all(text) if "kind" not in one) for text in (has, gets))
    return any(not any(path == one or path.startswith(f"{one}.") for one in _AT_ONCE) for path in _paths(old, new))


def rehearsed(has: str, gets: str) -> str:
    """`apply-config --dry-run`, which shows a diff with all that it holds."""
    how = "with" if with_reboot(has, gets) else "without"
    old, new = (list(yaml.safe_load_all(text)) for text in (has, gets))
    diff = "No changes." if old == new else f"--- a\n+++ b\n-{has}\n+{gets}"
    return f"Dry run summary:\nApplied configuration {how} a reboot (skipped in dry-run).\nConfig diff:\n\n{diff}\n"


def _paths(one: Any, other: Any, path: str = "") -> set[str]:
    if isinstance(one, dict) and isinstance(other, dict):
        keys = {*one, *other}
        return set().union(*(_paths(one.get(key), other.get(key), f"{path}.{key}".lstrip(".")) for key in keys))
    return {path} if one != other else set()
