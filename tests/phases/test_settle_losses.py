"""Machines that are gone, or whose disk is: what is said, what is asked for, and what is taken out of the cluster."""

import pytest

from phases.standing import standing
from rebirth.errors import Broken
from rebirth.phases import settle_losses
from rebirth.phases.bootstrap_kubernetes import ETCD
from rebirth.phases.made import machine_records as records
from rebirth.run.change import How
from rebirth.run.facts import LossesSettled
from rebirth.run.journal import Journal
from standins.charts import crd
from standins.controllers import FLUX


@pytest.fixture
async def castle(outside, serve):
    async with standing(outside, serve) as found:
        yield found


async def settled(castle, **consent):
    """The machines that were lost."""
    outcome = await castle.run(settle_losses, **consent)
    assert outcome.ok, outcome.failures
    return outcome.made(LossesSettled).machines


async def refused(castle, **consent):
    outcome = await castle.run(settle_losses, **consent)
    failure = outcome.failures["settle_losses"]
    assert isinstance(failure, Broken)
    assert failure.hint
    return failure


def attached(castle, machine):
    meta = {"name": f"csi-{machine}"}
    spec = {"nodeName": machine, "attacher": "x", "source": {"persistentVolumeName": "other"}}
    castle.kubernetes.put(
        {"apiVersion": "storage.k8s.io/v1", "kind": "VolumeAttachment", "metadata": meta, "spec": spec}
    )


async def test_from_nothing(castle):
    """Nobody is asked where there was no cluster yet."""
    castle.lose("worker-1")
    castle.paths.kubeconfig.unlink()
    assert await settled(castle) == ()
    assert castle.programs.calls == []
    assert castle.writes == []


async def test_again_where_nothing_is_lost(castle):
    assert await settled(castle) == ()
    assert castle.writes == []
    assert castle.outside.writes == {}


async def test_a_lost_worker_is_taken_out_of_the_cluster(castle):
    for name in ("worker-1", "worker-2"):
        attached(castle, name)
    castle.volume("data", "worker-2", pod="web-0")
    castle.lose("worker-1")
    assert await settled(castle) == ("worker-1",)
    assert castle.writes == ["delete volumeattachments.storage.k8s.io csi-worker-1", "delete nodes worker-1"]
    assert records.known(castle.paths, "worker-1") == (), "the one that takes its place is sent its configuration"
    assert records.known(castle.paths, "worker-2") == ("digest",)


@pytest.mark.parametrize("happens", ["lose", "wipe"])
async def test_a_lost_control_plane_leaves_etcd_before_another_takes_its_name(castle, happens):
    getattr(castle, happens)("plane-1")
    assert await settled(castle) == ("plane-1",)
    assert castle.writes == ["remove-member plane-1", "delete nodes plane-1"]
    assert records.known(castle.paths, "plane-1") == ()
    with Journal(castle.paths.state) as journal:
        assert journal.progress(ETCD) == "ended", "etcd is there, and is not bootstrapped again"


async def test_refused_where_etcd_has_lost_its_majority(castle):
    castle.lose("plane-1", "plane-3")
    failure = await refused(castle, loss=True)
    assert "plane-1, plane-3: gone, and etcd has lost its majority" in str(failure)
    assert castle.writes == []


async def test_a_machine_that_is_off_is_started_before_etcd_is_said_to_have_no_majority(castle):
    castle.lose("plane-1")
    off = castle.talos.machines.pop(str(castle.machine("plane-2").address))
    castle.talos.dead.add("plane-2")
    await castle.outside.proxmox.stop(node="pve", vm_id=801)
    start = castle.outside.pve.hypervisor.start

    async def started(vm):
        await start(vm)
        castle.talos.machines[str(castle.machine("plane-2").address)] = off
        castle.talos.dead.discard("plane-2")

    castle.outside.pve.hypervisor.start = started
    assert await settled(castle) == ("plane-1",)
    assert "started plane-2" in castle.said
    assert castle.writes == ["remove-member plane-1", "delete nodes plane-1"]


async def test_refused_where_no_control_plane_is_left(castle):
    castle.lose("plane-1", "plane-2", "plane-3")
    failure = await refused(castle)
    assert "no control plane is left: etcd, and all that the cluster was, is lost" in str(failure)
    assert "--accept-loss" in failure.hint
    assert await settled(castle, loss=True) == ("plane-1", "plane-2", "plane-3")
    with Journal(castle.paths.state) as journal:
        assert journal.progress(ETCD) is None


async def test_refused_with_volume_claim_and_pod_and_nothing_is_done(castle):
    castle.volume("data", "worker-1", pod="web-0")
    castle.volume("cache", "worker-2")
    castle.lose("worker-1")
    failure = await refused(castle)
    assert str(failure) == (
        "replace machines: worker-1: gone, and no sound copy is left of the volume pv-data (claim site/data, used by the pod web-0)"
    )
    assert "--accept-loss" in failure.hint
    assert castle.writes == []
    assert records.known(castle.paths, "worker-1") == ("digest",)


async def test_what_hung_on_a_lost_volume_is_given_up_where_that_is_accepted(castle):
    castle.volume("data", "worker-1", pod="web-0")
    castle.volume("cache", "worker-2")
    castle.lose("worker-1")
    assert await settled(castle, loss=True) == ("worker-1",)
    assert castle.writes == [
        "delete nodes worker-1",
        "delete pods site/web-0",
        "delete persistentvolumeclaims site/data",
        "delete persistentvolumes pv-data",
    ]
    assert "gave up the volume pv-data (claim site/data" in castle.said
    assert castle.kubernetes.get("v1", "PersistentVolumeClaim", "cache", "site")


async def test_flux_is_asked_to_bring_its_claim_again(castle):
    castle.volume("data", "worker-1")
    kind = crd("kustomize.toolkit.fluxcd.io", "Kustomization", "kustomizations")
    castle.kubernetes.condition(castle.kubernetes.put(kind), "Established", "True")
    labels = {"kustomize.toolkit.fluxcd.io/name": "apps", "kustomize.toolkit.fluxcd.io/namespace": "site"}
    meta = {"namespace": "site", "name": "data", "labels": labels}
    unit = {
        "apiVersion": FLUX["Kustomization"],
        "kind": "Kustomization",
        "metadata": {"name": "apps", "namespace": "site"},
        "spec": {},
    }
    castle.kubernetes.put({"apiVersion": "v1", "kind": "PersistentVolumeClaim", "metadata": meta})
    castle.kubernetes.put(unit)
    castle.lose("worker-1")
    await settled(castle, loss=True)
    assert castle.writes[-2:] == [
        "patch kustomizations.kustomize.toolkit.fluxcd.io site/apps",
        "delete persistentvolumes pv-data",
    ]


def longhorn(castle, *replicas):
    """A volume with replicas, each by its machine and whether it is sound."""
    kind = crd("longhorn.io", "Replica", "replicas", version="v1beta2")
    castle.kubernetes.condition(castle.kubernetes.put(kind), "Established", "True")
    csi = {"driver": "driver.longhorn.io", "volumeHandle": "pvc-1"}
    castle.claimed("pvc-1", "data", {"csi": csi})
    for number, (machine, sound) in enumerate(replicas):
        spec = {"volumeName": "pvc-1", "nodeID": machine, "healthyAt": "t", "failedAt": "" if sound else "t"}
        meta = {"name": f"pvc-1-{number}", "namespace": "site"}
        castle.kubernetes.put({"apiVersion": "longhorn.io/v1beta2", "kind": "Replica", "metadata": meta, "spec": spec})
    castle.lose("worker-1")


async def test_a_volume_of_longhorn_lives_with_a_sound_copy_elsewhere(castle):
    longhorn(castle, ("worker-1", True), ("worker-2", True))
    assert await settled(castle) == ("worker-1",)
    assert castle.kubernetes.get("v1", "PersistentVolume", "pvc-1")


async def test_refused_where_longhorns_other_copy_had_failed(castle):
    longhorn(castle, ("worker-1", True), ("worker-2", False))
    assert "the volume pvc-1 (claim site/data)" in str(await refused(castle))


async def test_refused_where_a_machine_that_proxmox_does_not_show_answers(castle):
    """A token that sees less than all must not cost a machine its place."""
    alive = castle.talos.machines[str(castle.machine("worker-1").address)]
    castle.lose("worker-1")
    castle.talos.machines[str(castle.machine("worker-1").address)] = alive
    failure = await refused(castle, loss=True)
    assert "worker-1 is not among the machines that Proxmox lists, and yet it answers" in str(failure)
    assert "VM.Audit" in failure.hint
    assert castle.writes == []


async def test_again_where_a_machine_has_lost_the_castles_tag(castle):
    """It is for create_machines to say so."""
    castle.outside.pve.machines[803]["tags"] = "theirs"
    assert await settled(castle) == ()
    assert castle.writes == []


async def test_a_plan_says_what_would_be_lost_and_writes_nothing(castle):
    assert await castle.plan(settle_losses) == []
    castle.volume("data", "worker-1", pod="web-0")
    castle.lose("worker-1")
    castle.wipe("worker-2")
    said = {str(change): change.how for change in await castle.plan(settle_losses)}
    assert said == {
        "machine worker-2: its disk is empty, and it is configured anew": How.NOW,
        "the volume pv-data (claim site/data, used by the pod web-0): is lost with worker-1, worker-2: create stops before anything "
        "is done, unless --accept-loss gives it up": How.REFUSED,
    }
    assert castle.writes == []
    assert castle.outside.writes == {}


async def test_a_plan_says_that_all_would_be_lost(castle):
    castle.lose("plane-1", "plane-2", "plane-3")
    assert {change.how for change in await castle.plan(settle_losses)} == {How.REFUSED}


@pytest.mark.parametrize("number", range(1, 6))
async def test_killed(castle, number):
    """Whichever write was the last: the next run does the rest."""
    castle.volume("data", "plane-2", pod="web-0")
    castle.lose("plane-2")
    await castle.kill_at(number, settle_losses, loss=True)
    assert await settled(castle, loss=True) == ("plane-2",)
    assert castle.talos.dead == set()
    assert "plane-2" not in castle.nodes
    for kind in ("Pod", "PersistentVolume", "PersistentVolumeClaim"):
        assert castle.kubernetes.all("v1", kind) == []


async def test_the_api_of_another_control_plane_is_asked_where_the_endpoint_is_gone(castle):
    castle.lose("plane-1")
    castle.silent = {"kubernetes.test"}  # which the kubeconfig names
    assert await settled(castle) == ("plane-1",)
    assert "plane-1" not in castle.nodes


async def test_a_loss_that_nobody_can_tell_is_accepted_only_on_word(castle):
    castle.lose("worker-1")
    castle.kubernetes.take("v1", "Namespace", "kube-system")  # as an API server that is not ready
    castle.budget = 10
    failure = await refused(castle)
    assert "gave up after 10 s" in str(failure)
    assert "--accept-loss" in settle_losses.HINT
    castle.budget = None
    assert await settled(castle, loss=True) == ("worker-1",)
    assert "the cluster does not answer" in castle.said
