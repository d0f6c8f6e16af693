"""The stand-in of the Kubernetes API, asked by kubectl over loopback: a client that has nothing in common with the product's."""

import asyncio
import json
import os
import sys
from pathlib import Path

import pytest

from standins.apiserver import kubernetes_app
from standins.conftest import write_kubeconfig
from standins.kubernetes import Kubernetes
from standins.test_kubernetes import CRD

KUBECTL = Path(sys.executable).parent / "kubectl"


@pytest.fixture
async def cluster(serve, paths):
    """`await cluster.kubectl(...)` -> (code, what it said)."""
    kubernetes = Kubernetes()
    served = await serve(kubernetes_app(kubernetes))
    write_kubeconfig(paths.kubeconfig, served.url, str(served.ca))

    async def kubectl(*arguments, stdin=None):
        process = await asyncio.create_subprocess_exec(
            KUBECTL, *arguments,
            stdin=asyncio.subprocess.PIPE, stdout=asyncio.subprocess.PIPE, stderr=asyncio.subprocess.STDOUT,
            env={**os.environ, "KUBECONFIG": str(paths.kubeconfig), "HOME": str(paths.state)},
        )  # fmt: skip
        said, _ = await process.communicate(None if stdin is None else json.dumps(stdin).encode())
        return process.returncode, said.decode()

    kubernetes.kubectl = kubectl
    return kubernetes


async def test_apply_get_and_wait(cluster):
    code, said = await cluster.kubectl("apply", "--server-side", "--validate=false", "-f", "-", stdin=CRD)
    assert (code, said) == (
        0,
        "customresourcedefinition.apiextensions.k8s.io/ingots.forge.example serverside-applied\n",
    )
    cluster.after(0.2, lambda: cluster.condition(CRD, "Established", "True"))
    code, said = await cluster.kubectl(
        "wait", "--for=condition=Established", "customresourcedefinition/ingots.forge.example", "--timeout=10s"
    )
    assert (code, said) == (0, "customresourcedefinition.apiextensions.k8s.io/ingots.forge.example condition met\n")
    ingot = {"apiVersion": "forge.example/v1", "kind": "Ingot", "metadata": {"name": "i", "namespace": "default"}}
    assert (await cluster.kubectl("apply", "--server-side", "--validate=false", "-f", "-", stdin=ingot))[0] == 0
    assert await cluster.kubectl("get", "ingots", "-A", "-o", "name") == (0, "ingot.forge.example/i\n")
    code, said = await cluster.kubectl("get", "secrets", "x")
    assert (code, said) == (1, 'Error from server (NotFound): secrets "x" not found\n')


async def test_a_conflict_a_patch_and_a_delete(cluster):
    item = {
        "apiVersion": "v1",
        "kind": "ConfigMap",
        "metadata": {"name": "m", "namespace": "default"},
        "data": {"a": "1"},
    }
    cluster.put(item, by="somebody")
    item["data"]["a"] = "2"
    code, said = await cluster.kubectl("apply", "--server-side", "--validate=false", "-f", "-", stdin=item)
    assert code == 1
    assert 'conflict with "somebody" using v1: .data.a' in said
    patch = json.dumps({"data": {"a": "3"}})
    assert (await cluster.kubectl("patch", "configmap", "m", "--type=merge", "-p", patch))[0] == 0
    assert await cluster.kubectl("get", "configmap", "m", "-o", "jsonpath={.data.a}") == (0, "3")
    assert await cluster.kubectl("delete", "configmap", "m") == (0, 'configmap "m" deleted from default namespace\n')
    assert cluster.get("v1", "ConfigMap", "m", "default") is None


async def test_an_eviction_that_a_budget_does_not_allow(cluster):
    """As `kubectl drain` asks for it."""
    meta = {"name": "web-0", "namespace": "default", "labels": {"app": "web"}}
    cluster.put({"apiVersion": "v1", "kind": "Pod", "metadata": meta, "spec": {}})
    budget = {
        "apiVersion": "policy/v1",
        "kind": "PodDisruptionBudget",
        "metadata": {"name": "web", "namespace": "default"},
    }
    cluster.put({**budget, "spec": {"selector": {"matchLabels": {"app": "web"}}}})
    eviction = {"apiVersion": "policy/v1", "kind": "Eviction", "metadata": {"name": "web-0", "namespace": "default"}}
    path = "/api/v1/namespaces/default/pods/web-0/eviction"
    code, said = await cluster.kubectl("create", "--raw", path, "-f", "-", stdin=eviction)
    assert code == 1
    assert "Cannot evict pod as it would violate the pod's disruption budget." in said
    cluster.status(budget, {"disruptionsAllowed": 1})
    code, _ = await cluster.kubectl("create", "--raw", path, "-f", "-", stdin=eviction)
    assert code == 0
    assert cluster.get("v1", "Pod", "web-0", "default") is None
