"""Single changes of a castle such as people make by mistake: each names itself, and changes a copy of the castle."""

import copy
from pathlib import Path

import yaml


class Mutation:
    def __init__(self, name, file, change):
        self.name, self.file, self._change = name, file, change

    def __repr__(self):
        return self.name

    def apply(self, castle: Path):
        file = castle / self.file
        if self._change is None:
            file.unlink()
            return
        documents = [d for d in yaml.safe_load_all(file.read_text()) if d is not None]
        self._change(documents)
        file.write_text("---\n".join(yaml.safe_dump(d, sort_keys=False) for d in documents))


def mutations(castle: Path):
    """Every single mutation of the castle in that folder, in order."""
    files = sorted(p for p in (castle / "gitops").rglob("*.yaml") if "flux-system" not in p.parts)
    for file in files:
        name = str(file.relative_to(castle))
        documents = [d for d in yaml.safe_load_all(file.read_text()) if d is not None]
        if file.name == "kustomization.yaml":
            yield from _unlist(name, documents[0])
            continue
        yield Mutation(f"drop {name}", name, None)
        for index, document in enumerate(documents):
            yield from _dependencies(castle, name, index, document)
            yield from _renames(name, index, document)
            yield from _keys(name, index, document)
            if len(documents) > 1:
                yield Mutation(
                    f"drop {document['kind']} {document['metadata']['name']} in {name}", name, _popper(index)
                )
    yield from _castle(yaml.safe_load((castle / "castle.yaml").read_text()))


def _popper(index):
    return lambda documents: documents.pop(index)


def _unlist(name, document):
    for index, entry in enumerate(document["resources"]):
        yield Mutation(f"unlist {entry} in {name}", name, lambda documents, i=index: documents[0]["resources"].pop(i))


def _dependencies(castle, name, index, document):
    for at, entry in enumerate(document.get("spec", {}).get("dependsOn", [])):

        def drop(documents, at=at):
            documents[index]["spec"]["dependsOn"].pop(at)

        yield Mutation(f"drop dependsOn {entry['name']} in {name}", name, drop)

        def rename(documents, at=at):
            documents[index]["spec"]["dependsOn"][at]["name"] += "-x"

        yield Mutation(f"rename dependsOn {entry['name']} in {name}", name, rename)
        other = f"gitops/clusters/tazlab-k8s/{entry['name']}.yaml"
        if (castle / other).exists():
            me = document["metadata"]["name"]

            def swap(documents, me=me):
                documents[0]["spec"].setdefault("dependsOn", []).append({"name": me})

            yield Mutation(f"make {entry['name']} depend on {me}", other, swap)


_SECRETS = {"secretKeyRef", "target", "secretRef"}  # what holds the name of a Secret as `name`
_NAMED = {
    "serviceAccountName",
    "ingressClassName",
    "storageClassName",
    "clusterIP",
    "tailscale.com/tailnet-fqdn",
    "path",
    "chart",
}


def _renames(name, index, document):
    for path in _paths(document):
        if _names_something(path, document):
            where = ".".join(map(str, path))
            yield Mutation(f"rename {where} in {name}", name, _changer(index, path, lambda value: f"{value}-x"))


def _names_something(path, document):
    last = path[-1]
    if last == "name" and len(path) > 2:
        return path[-2] in _SECRETS or path[-3] == "imagePullSecrets"
    if document["kind"] == "ExternalSecret" and last in {"secretKey", "key", "property"}:
        return True
    return last == "secretName" or (last in _NAMED and not {"readinessProbe", "http"} & set(path))


def _keys(name, index, document):
    """Keys below spec whose loss leaves an object that the API server still takes."""
    for path in (("spec", "postBuild"), ("spec", "wait"), ("spec", "template", "spec", "imagePullSecrets"), ("spec", "install"),
                 ("spec", "healthChecks"), ("spec", "tls"), ("spec", "selector"), ("spec", "values"), ("spec", "timeout"),
                 ("spec", "retryInterval"), ("spec", "users"), ("spec", "releaseName")):  # fmt: skip
        if document["kind"] == "Deployment" and path[-1] == "selector":
            continue
        if _at(document, path) is not None:
            yield Mutation(f"remove {'.'.join(path)} in {name}", name, _remover(index, path))


def _castle(document):
    for at, entry in enumerate(document["engine"]["direct_secrets"]):
        path = ("engine", "direct_secrets", at, "name")
        yield Mutation(f"rename direct secret {entry['name']}", "castle.yaml", _changer(0, path, lambda v: v + "-x"))
        yield Mutation(f"drop direct secret {entry['name']}", "castle.yaml", _remover(0, path[:-1]))
        for key in entry["data"]:
            if len(entry["data"]) > 1:
                where = ("engine", "direct_secrets", at, "data", key)
                yield Mutation(f"remove key {key} of direct secret {entry['name']}", "castle.yaml", _remover(0, where))
    for at, namespace in enumerate(document["engine"]["pull_secrets"][0]["namespaces"]):
        where = ("engine", "pull_secrets", 0, "namespaces", at)
        yield Mutation(f"drop pull secret in {namespace}", "castle.yaml", _remover(0, where))
    yield Mutation("drop handover", "castle.yaml", _remover(0, ("handovers", 0)))
    for zone in document["engine"]["coredns"]["forwards"]:
        where = ("engine", "coredns", "forwards", zone)
        yield Mutation(f"drop forward of {zone}", "castle.yaml", _remover(0, where))
        yield Mutation(f"move forward of {zone}", "castle.yaml", _changer(0, where, lambda _: ["10.96.0.102"]))
    for variable in document["gitops"]["variables"]:
        yield Mutation(f"drop variable {variable}", "castle.yaml", _remover(0, ("gitops", "variables", variable)))


def _paths(value, above=()):
    if isinstance(value, dict):
        for key, inner in value.items():
            yield from _paths(inner, (*above, key))
    elif isinstance(value, list):
        for index, inner in enumerate(value):
            yield from _paths(inner, (*above, index))
    else:
        yield above


def _at(value, path):
    for part in path:
        if not isinstance(value, dict | list) or (isinstance(value, dict) and part not in value):
            return None
        value = value[part]
    return value


def _changer(index, path, change):
    def apply(documents):
        holder = _at(documents[index], path[:-1])
        holder[path[-1]] = change(copy.copy(holder[path[-1]]))

    return apply


def _remover(index, path):
    return lambda documents: _at(documents[index], path[:-1]).pop(path[-1])
