"""What is wrong while machines boot, Kubernetes is bootstrapped, nodes are waited for, and a castle is destroyed."""

from collections.abc import Callable, Iterator

from faults import scenes, words
from faults.cell import Cell
from faults.stage import Stage
from faults.states import until
from faults.wrongs import Wrong

_LOST = "a machine is lost"


# -- machines


def _gone(stage: Stage) -> None:
    """Somebody has removed one, or its host is broken for good."""
    vmid = max(stage.pve.machines)
    machine, condition = stage.pve.machines.pop(vmid), stage.pve.conditions.pop(vmid)

    def back() -> None:
        stage.pve.machines[vmid], stage.pve.conditions[vmid] = machine, condition

    stage.lift = back


def _mute(seconds: float | None = None) -> Callable[[Stage], None]:
    """One does not come up: another image, no address, a defect."""

    def arrange(stage: Stage) -> None:
        mute, talks = str(stage.castle.machines.nodes[-1].address), stage.listens
        until(
            stage, seconds,
            lambda: setattr(stage, "listens", lambda address: address != mute and talks(address)),
            lambda: setattr(stage, "listens", talks),
        )  # fmt: skip

    return arrange


def _unheard(seconds: float | None = None) -> Callable[[Stage], None]:
    """A node says nothing any more."""

    def arrange(stage: Stage) -> None:
        name = stage.castle.machines.nodes[-1].name
        until(
            stage, seconds,
            lambda: scenes.node(stage, name, "Unknown", "Kubelet stopped posting node status."),
            lambda: scenes.node(stage, name, "True", "kubelet is posting ready status"),
        )  # fmt: skip

    return arrange


def _machines() -> Iterator[Cell]:
    yield Cell("Proxmox", _LOST, scenes.booting, _gone, "no online node has this machine")
    start = Wrong("a machine cannot be started", status=500)
    cut = lambda stage: stage.lines["Proxmox"].cut(start, path="/status/start", method="POST")  # noqa: E731
    yield Cell("Proxmox", start.words, scenes.booting, cut)
    yield Cell("Talos", "a machine does not answer, for 20 s", scenes.booting, _mute(20))
    yield Cell("Talos", "a machine does not answer", scenes.booting, _mute(), "tazlab-k8s-worker-1 answers")
    yield Cell("Talos", f"{_LOST}, for 20 s", scenes.awaiting_nodes, _unheard(20))
    yield Cell("Talos", _LOST, scenes.awaiting_nodes, _unheard(), "all nodes are Ready: tazlab-k8s-worker-1")


# -- etcd and the API server


def _at(path: str, wrong: Wrong, *, seconds: float | None = None, times: int | None = None) -> Callable[[Stage], None]:
    return lambda stage: stage.lines["talosctl"].cut(wrong, path=path, seconds=seconds, times=times)


def _bootstrap() -> Iterator[Cell]:
    scene = scenes.bootstrapping
    for wrong in words.TALOS_PASSING:
        yield Cell(
            "Talos",
            f"{wrong.words}, for 8 s",
            scene,
            _at("bootstrap|services|kubeconfig", wrong, seconds=8),
            "talosctl",
        )
        yield Cell("Talos", wrong.words, scene, _at("bootstrap|services|kubeconfig", wrong), "talosctl")
    lost = Wrong("the answer to the bootstrap is lost", said=words.HUNG_UP, lost=True)
    yield Cell("Talos", lost.words, scene, _at("bootstrap", lost, times=1), "talosctl")
    lie = Wrong("success said, nothing bootstrapped", instead="")
    yield Cell("Talos", lie.words, scene, _at("kubeconfig", lie), "talosctl")
    refused, full = (
        Wrong("not authorized", said=words.NOT_AUTHORIZED),
        Wrong("etcd holds data of before", said=words.HAS_DATA),
    )
    yield Cell("Talos", refused.words, scene, _at("bootstrap", refused), "talosctl")
    yield Cell("Talos", full.words, scene, _at("bootstrap", full), "bootstrap etcd")


# -- destroy


def _lie(system: str, wrong: Wrong, method: str) -> Callable[[Stage], None]:
    return lambda stage: stage.lines[system].cut(wrong, method=method)


def _locked(seconds: float | None = None) -> Callable[[Stage], None]:
    """A backup is being made of one: Proxmox removes nothing that is locked."""

    def arrange(stage: Stage) -> None:
        vmid = min(stage.pve.machines)
        condition = stage.pve.conditions[vmid]
        until(stage, seconds, lambda: setattr(condition, "lock", "backup"), lambda: setattr(condition, "lock", ""))

    return arrange


def _destroy() -> Iterator[Cell]:
    scene = scenes.destroying
    yield Cell("Proxmox", "a machine is locked by a backup, for 20 s", scene, _locked(20))
    yield Cell("Proxmox", "a machine is locked by a backup", scene, _locked())
    lost = Wrong("the answer to a removal is lost", lost=True)
    for system in ("Proxmox", "Tailscale"):
        yield Cell(
            system, lost.words, scene, lambda stage, s=system: stage.lines[s].cut(lost, method="DELETE", times=1)
        )
    lie = Wrong("success said, nothing removed", status=200, body=b"")
    yield Cell("Tailscale", lie.words, scene, _lie("Tailscale", lie, "DELETE"), "still there: the device")


def cells() -> list[Cell]:
    return [*_machines(), *_bootstrap(), *_destroy()]
