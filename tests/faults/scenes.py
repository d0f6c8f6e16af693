"""Phases at the moment in which something goes wrong: what each finds outside, and the facts that it takes."""

import base64
from collections.abc import Callable
from pathlib import Path

from starlette.responses import HTMLResponse

from faults.stage import Stage
from rebirth.lab.proxmox import Volume
from rebirth.phases import (
    bootstrap_flux,
    configure_machines,
    converge,
    create_machines,
    create_namespaces,
    free_names,
    hand_over,
    install_metallb,
    mint_node_key,
    place_secrets,
    reach_outside,
    read_repository,
    upload_image,
    visit_sites,
)
from rebirth.run.facts import (
    AwaitedReady,
    FluxBootstrapped,
    ImageUploaded,
    IngressFound,
    LossesSettled,
    MachinesBooted,
    MachinesCreated,
    NamesFreed,
    NamespacesCreated,
    NodeKeyMinted,
    OutsideReached,
    RepositoryRead,
    SecretsPlaced,
    VaultStoreApplied,
)
from rebirth.secrets import Secret
from standins import charts
from standins.controllers import EXTERNAL, FLUX, ExternalSecrets, Flux, establishes, rolls_out

Scene = Callable[[Path], Stage]
OURS = "tag:tazlab-k8s"
REACHED, SETTLED = OutsideReached("9.2.4"), LossesSettled(())
ADDRESS = "192.168.50.200"


def reaching(folder: Path) -> Stage:
    return Stage(folder, [reach_outside], (RepositoryRead("0" * 40, ()),))


def reading(folder: Path) -> Stage:
    return Stage(folder, [read_repository])


def minting(folder: Path) -> Stage:
    return Stage(folder, [mint_node_key], (REACHED,))


def freeing(folder: Path) -> Stage:
    """A device of an earlier castle holds a name."""
    stage = Stage(folder, [free_names], (SETTLED, MachinesCreated({})))
    stage.control.add_device("lushycorp-k8s", tags=(OURS,), connected=False)
    return stage


def uploading(folder: Path) -> Stage:
    """With a schematic that the factory has to be told."""
    return Stage(folder, [upload_image], (REACHED,), castle=_with_extensions())


def creating(folder: Path) -> Stage:
    machines = [machine.name for machine in _castle().machines.nodes]
    stage = Stage(
        folder, [create_machines], (REACHED, SETTLED, ImageUploaded(dict.fromkeys(machines, "local:iso/talos.iso")))
    )
    stage.pve.storage("local").volumes["local:iso/talos.iso"] = Volume("iso", 1 << 20)
    return stage


def configuring(folder: Path) -> Stage:
    key = NodeKeyMinted(Secret("tskey-auth-canary"), "k1")
    return Stage(folder, [configure_machines], (key, SETTLED, NamesFreed(()), MachinesBooted({})))


def naming(folder: Path) -> Stage:
    return Stage(folder, [create_namespaces])


def placing(folder: Path) -> Stage:
    stage = Stage(folder, [place_secrets], (NamespacesCreated(()), RepositoryRead("0" * 40, ())))
    for name in stage.castle.engine.namespaces:
        stage.kubernetes.put(charts.namespace(name))
    return stage


def installing(folder: Path) -> Stage:
    """A chart with CRDs and pods, by helm."""
    stage = Stage(folder, [install_metallb], (NamespacesCreated(()),))
    chart = stage.castle.networking.metallb
    stage.kubernetes.put(charts.namespace(chart.namespace))
    stage.helm.charts[chart.repository, "metallb", chart.version] = charts.metallb
    stage.kubernetes.controllers += [establishes(1), rolls_out(4)]
    return stage


def bringing_flux(folder: Path) -> Stage:
    crd = charts.crd("source.toolkit.fluxcd.io", "GitRepository", "gitrepositories")
    root = charts.crd("kustomize.toolkit.fluxcd.io", "Kustomization", "kustomizations")
    manifests = (charts.workload("Deployment", "source-controller", "flux-system"), crd, root)
    facts = RepositoryRead("0" * 40, manifests), NamespacesCreated(()), SecretsPlaced(())
    stage = Stage(folder, [bootstrap_flux], facts)
    stage.kubernetes.put(charts.namespace("flux-system"))
    stage.kubernetes.controllers += [establishes(2), rolls_out(6)]
    return stage


def converging(folder: Path) -> Stage:
    """A root and one below it. `stage.flux.fails(name)` is why one is not Ready."""
    stage = Stage(folder, [converge], (FluxBootstrapped("flux-system/flux-system"),))
    cluster = stage.kubernetes
    stage.flux = Flux(lambda name: "")
    cluster.put(charts.namespace("flux-system"))
    crd = charts.crd("kustomize.toolkit.fluxcd.io", "Kustomization", "kustomizations")
    cluster.condition(cluster.put(crd), "Established", "True")
    cluster.controllers.append(stage.flux)
    for name in ("flux-system", "apps"):
        place = {"name": name, "namespace": "flux-system"}
        item = {"apiVersion": FLUX["Kustomization"], "kind": "Kustomization", "metadata": place, "spec": {}}
        cluster.put(item, by="kustomize-controller")
    return stage


PATH, PROPERTY, PASSWORD = "tazlab-k8s/static/monitoring/grafana", "GRAFANA_DB_PASSWORD", "canary-born-in-the-cluster"
_SPEC = {"data": [{"secretKey": "password", "remoteRef": {"key": PATH, "property": PROPERTY}}]}


def handing_over(folder: Path) -> Stage:
    """A password that a database's operator has made; the ExternalSecret reads it from Vault."""
    stage = Stage(folder, [hand_over], (VaultStoreApplied("tazlab-secrets-vault"),))
    cluster = stage.kubernetes

    def read(name: str) -> dict[str, str]:
        held = stage.vault.held(PATH)
        return {"password": held[PROPERTY]} if PROPERTY in held else {}

    cluster.controllers += [ExternalSecrets(read=read), rolls_out(3)]
    cluster.condition(cluster.put(charts.EXTERNALS), "Established", "True")
    for name in ("monitoring", "tazlab-db"):
        cluster.put(charts.namespace(name))
    place = {"name": "grafana-db", "namespace": "monitoring"}
    cluster.put({"apiVersion": EXTERNAL, "kind": "ExternalSecret", "metadata": place, "spec": _SPEC}, by="flux")
    cluster.put(charts.workload("Deployment", "grafana", "monitoring"), by="flux")
    born = {"name": "tazlab-db-pguser-grafana", "namespace": "tazlab-db"}
    data = {"password": base64.b64encode(PASSWORD.encode()).decode()}
    cluster.put({"apiVersion": "v1", "kind": "Secret", "metadata": born, "data": data}, by="pgo")
    return stage


def visiting(folder: Path) -> Stage:
    """The ingress answers with the page."""
    stage = Stage(folder, [visit_sites], (IngressFound(ADDRESS), AwaitedReady("")))
    stage.ingress = HTMLResponse("<h1>The Ephemeral Castle</h1>")
    return stage


def _castle():
    from phases.cluster.world import castle

    return castle()


def _with_extensions():
    import yaml

    from phases.cluster.world import EXAMPLE, castle_with

    talos = yaml.safe_load((EXAMPLE / "castle.yaml").read_text())["talos"]
    return castle_with(talos={**talos, "schematic": {"extensions": ["siderolabs/iscsi-tools"]}})
