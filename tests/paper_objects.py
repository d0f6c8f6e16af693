"""Kubernetes objects for tests of what is on paper."""

import base64


def workload(kind, name, namespace, spec=None, image="example.com/app:1", **more):
    template = {
        "metadata": {"labels": {"app": name}},
        "spec": {"containers": [{"name": "app", "image": image}], **(spec or {})},
    }
    return {
        "apiVersion": "apps/v1",
        "kind": kind,
        "metadata": {"name": name, "namespace": namespace},
        "spec": {"selector": {"matchLabels": {"app": name}}, "template": template, **more},
    }


def reads(kind, name, key):
    field = "secretKeyRef" if kind == "Secret" else "configMapKeyRef"
    env = [{"name": "IT", "valueFrom": {field: {"name": name, "key": key}}}]
    return {"containers": [{"name": "app", "image": "example.com/app:1", "env": env}]}


def secret(name, namespace, **values):
    data = {key: base64.b64encode(value.encode()).decode() for key, value in values.items()}
    return {"apiVersion": "v1", "kind": "Secret", "metadata": {"name": name, "namespace": namespace}, "data": data}


def crd(group, kind, plural, scope="Namespaced", **more):
    schema = {"type": "object", "x-kubernetes-preserve-unknown-fields": True}
    version = {
        "name": "v1",
        "served": True,
        "storage": True,
        "schema": {"openAPIV3Schema": schema},
        "subresources": {"status": {}},
    }
    return {
        "apiVersion": "apiextensions.k8s.io/v1",
        "kind": "CustomResourceDefinition",
        "metadata": {"name": f"{plural}.{group}"},
        "spec": {
            "group": group,
            "scope": scope,
            "names": {"kind": kind, "plural": plural},
            "versions": [version],
            **more,
        },
    }


def custom(group, kind, name, namespace=None, **spec):
    place = {"namespace": namespace} if namespace else {}
    return {"apiVersion": f"{group}/v1", "kind": kind, "metadata": {"name": name, **place}, "spec": spec}


def service(name, space, port=443):
    spec = {"selector": {"app": name}, "ports": [{"port": port, "targetPort": 8443}]}
    return {"apiVersion": "v1", "kind": "Service", "metadata": {"name": name, "namespace": space}, "spec": spec}


async def available(desk, name, namespace, count=1, kind="Deployment"):
    async def look():
        found = await desk.cluster.find("apps/v1", kind, name, namespace)
        return ((found or {}).get("status") or {}).get("availableReplicas") == count

    await desk.until(look)
