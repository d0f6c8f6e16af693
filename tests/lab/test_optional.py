"""A castle that uses what is optional: Flux's own program, cert-manager with an ACME issuer, local-path volumes, kwok's nodes.

It is the example castle with another storage, without Flux's manifests in its repository, with one more site, whose
certificate Let's Encrypt's stand-by, pebble, issues, and with a node that only the API server knows.
"""

import shutil
from pathlib import Path

import pytest

from rebirth.lab.building.used import used
from rehearsal import ready, rehearsed

pytestmark = pytest.mark.lab

MORE = Path(__file__).parent / "optional"
CLUSTER = "gitops/clusters/tazlab-k8s"
CASTLE = {
    "chart: longhorn": "chart: local-path-provisioner",
    "version: 1.10.1": "version: 0.0.30",
    "https://charts.longhorn.io": "https://charts.containeroo.ch",
    "namespace: longhorn-system": "namespace: local-path-storage",
    "storage_class: longhorn": "storage_class: local-path\n"
    "  values: {nodePathMap: [{node: DEFAULT_PATH_FOR_NON_LISTED_NODES, paths: [/var/local-path-provisioner]}]}",
    "  sites:\n": '  sites:\n    - {host: shop.tazlab.example, contains: "Ephemeral Castle"}\n',
}


def change(folder: Path) -> None:
    """The example's files become this castle's."""
    replaced(folder / "castle.yaml", CASTLE)
    replaced(folder / "gitops/infrastructure/instances/database.yaml", {"longhorn": "local-path"})
    replaced(folder / CLUSTER / "kustomization.yaml", {"  - flux-system\n": "  - more.yaml\n"})
    replaced(
        folder / "lab.yaml", {"private_images:": "names: {shop.tazlab.example: 192.168.50.200}\n\nprivate_images:"}
    )
    shutil.rmtree(folder / CLUSTER / "flux-system")
    shutil.copytree(MORE, folder / "gitops", dirs_exist_ok=True)


def replaced(file: Path, words: dict[str, str]) -> None:
    text = file.read_text()
    for old, new in words.items():
        assert text.count(old) == 1, f"{old} in {file.name}"
        text = text.replace(old, new)
    file.write_text(text)


def test_what_a_castle_uses_is_built_served_and_works(tmp_path):
    with rehearsed(tmp_path, "optional") as castle:
        change(castle.folder)
        optional = [component.name for component in used(castle.folder) if component.optional]
        assert optional == ["cert-manager", "flux", "kwok", "local-path-provisioner", "pebble"]
        said = castle.inside("create", "--budget", "900")
        assert "https://shop.tazlab.example says: Ephemeral Castle" in said, (
            "over TLS, with the certificate of the ACME server"
        )
        assert all(map(ready, castle.kubectl("get", "kustomizations", "-A")["items"]))
        certificate = castle.kubectl("get", "certificate", "-n", "blog", "shop")
        assert ready(certificate)
        volumes = castle.kubectl("get", "persistentvolumes")["items"]
        assert {volume["spec"]["storageClassName"] for volume in volumes} == {"local-path"}
        (imagined,) = [
            node for node in castle.kubectl("get", "nodes")["items"] if node["metadata"]["name"] == "imagined"
        ]
        assert ready(imagined)
        pods = castle.kubectl("get", "pods", "-n", "imagined")["items"]
        assert {pod["status"]["phase"] for pod in pods} == {"Running"}
        ended, said, complained = castle.run("lab", "run", "--lab-name", castle.lab.name, "--", "flux", "check")
        assert ended == 0, said + complained
        assert "all checks passed" in said + complained
