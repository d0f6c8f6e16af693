"""Phases at the moment in which something goes wrong: what each finds outside, and the facts that it takes."""

import base64
from collections.abc import Callable
from pathlib import Path

from starlette.responses import HTMLResponse

from faults.stage import Destroying, Stage
from rebirth.lab.proxmox import Volume
from rebirth.lab.proxmox.host import Condition
from rebirth.phases import (
    await_nodes,
    boot_machines,
    bootstrap_flux,
    bootstrap_kubernetes,
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
    MachinesConfigured,
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


def made(stage: Stage) -> dict[str, int]:
    """The castle's machines exist, switched off; their ids by name."""
    stage.pve.storage("local").volumes[stage.volume] = Volume("iso", 1 << 20)
    found = {}
    for vmid, machine in enumerate(stage.castle.machines.nodes, stage.castle.proxmox.vm_ids.first):
        disks = {"scsi0": "local-lvm:10", "ide2": f"{stage.volume},media=cdrom", "boot": "order=scsi0;ide2"}
        options = {"name": machine.name, "cores": 1, "memory": 1024, "net0": "virtio,bridge=vmbr0", **disks}
        stage.pve.machines[vmid] = {**options, "tags": stage.castle.proxmox.tag}
        stage.pve.conditions[vmid] = Condition("pve")
        found[machine.name] = vmid
    return found


def booting(folder: Path) -> Stage:
    stage = Stage(folder, [boot_machines])
    ids = made(stage)
    at = {str(machine.address): ids[machine.name] for machine in stage.castle.machines.nodes}
    stage.listens = lambda address: at[address] in stage.pve.hypervisor.started
    stage.facts = (MachinesCreated(ids),)
    return stage


def bootstrapping(folder: Path) -> Stage:
    """The machines have their configuration, and answer."""
    stage = Stage(folder, [bootstrap_kubernetes], (MachinesConfigured(()),))
    stage.paths.kubeconfig.unlink()
    stage.paths.talosconfig.touch(mode=0o600)
    stage.paths.talosconfig.write_text("context: stand-in")
    for address, machine in stage.talos.machines.items():
        machine.configuration, stage.talos._ready[address] = "given", 0.0
    stage.kubernetes.put(charts.namespace("kube-system"))
    return stage


def awaiting_nodes(folder: Path) -> Stage:
    """Every machine is a Ready node."""
    stage = Stage(folder, [await_nodes])
    for machine in stage.castle.machines.nodes:
        node(stage, machine.name, "True", "kubelet is posting ready status")
    return stage


def node(stage: Stage, name: str, ready: str, message: str) -> None:
    item = {"apiVersion": "v1", "kind": "Node", "metadata": {"name": name}, "spec": {}}
    stage.kubernetes.condition(stage.kubernetes.put(item), "Ready", ready, message=message)


def destroying(folder: Path) -> Stage:
    """A castle that was created: machines, their devices, a key, credentials, and a cluster that answers."""
    stage = Destroying(folder, ())
    made(stage)
    stage.pve.hypervisor.started.clear()
    for machine in stage.castle.machines.nodes:
        stage.control.add_device(machine.name, tags=(OURS,))
    for file in (stage.paths.talosconfig, stage.paths.talos_secrets):
        file.touch(mode=0o600)
        file.write_text("nonsense")
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
