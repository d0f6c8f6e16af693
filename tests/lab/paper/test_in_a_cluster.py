"""The lab's webhook and what comes of stubs, against a real API server and controller manager; nothing runs in this cluster."""

import asyncio
import base64
from contextlib import asynccontextmanager

import pytest

from paper_objects import crd, custom, service, workload
from rebirth.errors import NotYet
from rebirth.lab.building.toolchain import Toolchain
from rebirth.lab.ca import Authority
from rebirth.lab.kinds import Kinds
from rebirth.lab.paper.admission import Admission, configuration
from rebirth.lab.paper.choice import Choice, known
from rebirth.lab.paper.effects import Effects
from rebirth.lab.paper.pods import MARK, STUB, marked
from rebirth.lab.systems.servers import Servers
from rebirth.paper.api.client import Api
from rebirth.paper.api.kinds import POD
from rebirth.paper.api.seen import Seen
from rebirth.rehearse.control_plane import ControlPlane
from rebirth.rehearse.processes import Processes

NEEDED = {"etcd", "kube-apiserver", "kube-controller-manager"}
OPERATOR = "ghcr.io/cloudnative-pg/cloudnative-pg:1.27.0"


@asynccontextmanager
async def castle(folder, port, announced):
    """Its cluster, with the lab's webhook, and the lab's authority."""
    programs = await Toolchain().programs()
    if missing := NEEDED - set(programs):
        pytest.skip(f"not built here: {', '.join(sorted(missing))}")
    processes, ca, refused = Processes(folder / "logs"), Authority("lab"), {}
    plane, servers = ControlPlane(folder / "plane", programs, processes, ca), Servers(ca, folder / "tls", folder)
    (folder / "plane").mkdir()
    cluster = await plane.start()
    api = Api(plane.kubeconfig)
    seen = Seen(api)

    async def announce(address):
        announced.append(address)

    effects = Effects(api, seen, ca, Kinds(ca, ["host"], "git.example"), refused, announce)

    async def services(namespace):
        return await cluster.all("v1", "Service", namespace)

    app = Admission(Choice(known(["real/web:1"])), services).app()
    await servers.start("paper", app, address="127.0.0.1", port=port, hosts=["localhost"])
    task = asyncio.create_task(effects.run())
    try:
        await cluster.apply(configuration(f"https://127.0.0.1:{port}", ca.pem))
        yield cluster, ca
        assert refused == {}
    finally:
        task.cancel()
        await asyncio.wait([task])
        await seen.close()
        await api.close()
        await cluster.close()
        await servers.stop()
        await processes.stop()


async def until(look, seconds=30):
    async with asyncio.timeout(seconds):
        while True:
            try:
                if found := await look():
                    return found
            except NotYet:
                pass
            await asyncio.sleep(0.1)


async def apply(cluster, *items):
    for item in items:
        await until(lambda item=item: done(cluster.apply(item)))


async def done(work):
    await work
    return True


def hook(name, target):
    client = {
        "service": {"namespace": "default", "name": target},
        "caBundle": base64.b64encode(Authority("x").pem.encode()).decode(),
    }
    rules = [{"apiGroups": ["shop.example"], "apiVersions": ["*"], "operations": ["CREATE"], "resources": ["*"]}]
    webhook = {
        "name": f"{name}.example.com",
        "sideEffects": "None",
        "admissionReviewVersions": ["v1"],
        "clientConfig": client,
        "rules": rules,
    }
    return {
        "apiVersion": "admissionregistration.k8s.io/v1",
        "kind": "ValidatingWebhookConfiguration",
        "metadata": {"name": name, "annotations": {"cert-manager.io/inject-ca-from": "default/cert"}},
        "webhooks": [webhook],
    }


async def test_stubs_are_made_and_what_they_stand_in_for_has_its_effects(tmp_path, unused_tcp_port):
    announced = []
    async with castle(tmp_path, unused_tcp_port, announced) as (cluster, ca):
        await until(lambda: cluster.find("v1", "ServiceAccount", "default", "default"))
        await apply(cluster, service("operator", "default"), service("web", "default"))
        await apply(cluster, workload("Deployment", "operator", "default", image=OPERATOR))
        await apply(cluster, workload("Deployment", "web", "default", image="real/web:1"))

        async def pods():
            found = {pod["metadata"]["labels"]["app"]: pod for pod in await cluster.all("v1", "Pod", "default")}
            return found if len(found) == 2 else None

        made = await until(pods)
        operator, web = made["operator"], made["web"]
        assert marked(operator) == {"app": OPERATOR}
        assert operator["metadata"]["labels"][MARK] == "true"
        (container,) = operator["spec"]["containers"]
        assert (container["image"], container["args"]) == (STUB, [f"--image={OPERATOR}", "8443"])
        assert web["spec"]["containers"][0]["image"] == "real/web:1"

        await apply(cluster, hook("on-paper", "operator"), hook("real", "web"))
        bundle = base64.b64encode(ca.pem.encode()).decode()

        async def trusted():
            found = await cluster.find("admissionregistration.k8s.io/v1", "ValidatingWebhookConfiguration", "on-paper")
            return found if found["webhooks"][0]["clientConfig"]["caBundle"] == bundle else None

        assert "annotations" not in (await until(trusted))["metadata"], "nobody enters another one again"
        real = await cluster.find("admissionregistration.k8s.io/v1", "ValidatingWebhookConfiguration", "real")
        assert real["webhooks"][0]["clientConfig"]["caBundle"] != bundle

        await apply(cluster, crd("postgresql.cnpg.io", "Cluster", "clusters"))
        await apply(cluster, custom("postgresql.cnpg.io", "Cluster", "orders", "default", instances=1))
        assert await cluster.find("v1", "Secret", "orders-app", "default") is None, "its operator is not Ready"
        await readied(tmp_path, operator)
        await until(lambda: cluster.find("v1", "Secret", "orders-app", "default"))
        assert announced == []


async def test_an_address_on_paper_is_led_to_the_machines(tmp_path, unused_tcp_port):
    announced = []
    async with castle(tmp_path, unused_tcp_port, announced) as (cluster, _):
        await until(lambda: cluster.find("v1", "ServiceAccount", "default", "default"))
        await apply(cluster, workload("Deployment", "metallb", "default", image="quay.io/metallb/controller:v0.14.9"))
        await apply(cluster, crd("metallb.io", "IPAddressPool", "ipaddresspools"))
        await apply(cluster, custom("metallb.io", "IPAddressPool", "pool", "default", addresses=["10.9.9.1-10.9.9.9"]))
        entrance = service("web", "default")
        await apply(cluster, {**entrance, "spec": {**entrance["spec"], "type": "LoadBalancer"}})
        (pod,) = await until(lambda: cluster.all("v1", "Pod", "default"))
        await readied(tmp_path, pod)

        async def led():
            return announced

        await until(led)
        assert announced == ["10.9.9.1"]


async def readied(folder, pod):
    """As a kubelet says that the pod is."""
    api = Api(folder / "plane/kubeconfig")
    status = {"conditions": [{"type": "Ready", "status": "True"}], "phase": "Running"}
    await api.merge(POD, "default", pod["metadata"]["name"], {"status": status}, "status")
    await api.close()
