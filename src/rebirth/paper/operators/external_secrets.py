"""External Secrets on paper: stores are valid once their credentials are there, ExternalSecrets become Secrets of the keys they name.

What a key holds outside is not known, so values are invented. Read in external-secrets v0.20.4: apis/externalsecrets/v1,
pkg/controllers/externalsecret.
"""

from collections.abc import Iterator, Mapping
from typing import Any
from urllib.parse import urlsplit

from rebirth.paper.api.client import Object
from rebirth.paper.kubelet.needs import holds
from rebirth.paper.operators.custom import Due, World, lacks, not_ready
from rebirth.paper.operators.making import Making, owned_by

GROUP = "external-secrets.io"
_GENERATED = {"Password": ("password",), "UUID": ("uuid",), "SSHKey": ("privateKey", "publicKey")}


def store(item: Object, namespace: str, world: World) -> Due:
    """A SecretStore or ClusterSecretStore: what its provider reads must be there, and the name of its server resolve."""
    own = item["metadata"].get("namespace", "")
    provider = item["spec"].get("provider") or {}
    for named in _references(provider):
        place = own or str(named.get("namespace") or namespace)
        if why := lacks(world, "Secret", place, str(named["name"]), str(named.get("key") or "")):
            return Due(waits=why)
    for authority in _authorities(provider):
        place = own or str(authority.get("namespace") or namespace)
        kind = str(authority.get("type") or "Secret")
        if why := lacks(world, kind, place, str(authority["name"]), str(authority.get("key") or "")):
            return Due(waits=why)
    return Due(waits=next((why for host in _hosts(provider) if (why := world.unresolved(host))), ""))


def _authorities(data: Any) -> Iterator[Mapping[str, Any]]:
    """Every `caProvider`: the Secret or ConfigMap that says whose certificate to trust."""
    if isinstance(data, Mapping):
        found = data.get("caProvider")
        if isinstance(found, Mapping) and isinstance(found.get("name"), str):
            yield found
        for value in data.values():
            yield from _authorities(value)


def _hosts(data: Any) -> Iterator[str]:
    """Of every URL in what says where a provider is."""
    if isinstance(data, Mapping):
        for value in data.values():
            yield from _hosts(value)
    elif isinstance(data, str) and data.startswith(("http://", "https://")) and (host := urlsplit(data).hostname):
        yield host


def _references(data: Any, field: str = "") -> Iterator[Mapping[str, Any]]:
    """Every mapping under a field such as `tokenSecretRef` that names a Secret."""
    if isinstance(data, Mapping):
        if field.lower().endswith("secretref") and isinstance(data.get("name"), str):
            yield data
        else:
            for key, value in data.items():
                yield from _references(value, str(key))
    elif isinstance(data, list):
        for one in data:
            yield from _references(one, field)


def external_secret(item: Object, _: str, world: World) -> Due:
    meta, spec = item["metadata"], item["spec"]
    for reference in _stores(spec):
        kind = str(reference.get("kind") or "SecretStore")
        place = "" if kind == "ClusterSecretStore" else meta["namespace"]
        if why := not_ready(world, GROUP, kind, place, str(reference["name"])):
            return Due(waits=why)
    target = spec.get("target") or {}
    policy = target.get("creationPolicy", "Owner")
    name = str(target.get("name") or meta["name"])
    if policy == "None":
        return Due()
    if policy == "Merge" and world.keys("Secret", meta["namespace"], name) is None:
        return Due(waits=f"Secret {meta['namespace']}/{name} does not exist")
    template = target.get("template") or {}
    own = template.get("metadata") or {}
    texts = template.get("data") or {}
    keys, more = _keys(spec)
    if template.get("templateFrom"):
        keys, more = [*keys, *texts], True
    elif texts and template.get("mergePolicy", "Replace") == "Replace":
        keys, more = list(texts), False
    else:
        keys = [*keys, *texts]
    making = Making(
        "Secret", meta["namespace"], name, tuple(dict.fromkeys(keys)), more=more,
        values={key: text for key, text in texts.items() if isinstance(text, str) and "{{" not in text},
        type=str(template.get("type") or "Opaque"),
        labels=own.get("labels") or {}, annotations=own.get("annotations") or {}, joins=policy == "Merge",
    )  # fmt: skip
    return Due((making,))


def _stores(spec: Mapping[str, Any]) -> Iterator[Mapping[str, Any]]:
    found = [spec.get("secretStoreRef")]
    for field in ("data", "dataFrom"):
        found += [(entry.get("sourceRef") or {}).get("storeRef") for entry in spec.get(field) or []]
    yield from (one for one in found if one and one.get("name"))


def _keys(spec: Mapping[str, Any]) -> tuple[list[str], bool]:
    """The keys that it names, and whether it takes others whose names only the provider knows."""
    keys, more = [str(entry["secretKey"]) for entry in spec.get("data") or []], False
    for entry in spec.get("dataFrom") or []:
        generator = (entry.get("sourceRef") or {}).get("generatorRef") or {}
        known = _GENERATED.get(str(generator.get("kind")), ())
        keys += known
        more = more or not known or bool(entry.get("rewrite"))
    return keys, more


def push_secret(item: Object, _: str, world: World) -> Due:
    meta, spec = item["metadata"], item["spec"]
    secret = (spec.get("selector") or {}).get("secret") or {}
    why = lacks(world, "Secret", meta["namespace"], str(secret["name"])) if secret.get("name") else ""
    for reference in spec.get("secretStoreRefs") or []:
        kind = str(reference.get("kind") or "SecretStore")
        place = "" if kind == "ClusterSecretStore" else meta["namespace"]
        if reference.get("name"):
            why = why or not_ready(world, GROUP, kind, place, str(reference["name"]))
    return Due(waits=why)


def everywhere(item: Object, _: str, world: World) -> Due:
    """A ClusterExternalSecret: an ExternalSecret in each namespace that it selects."""
    spec = item["spec"]
    own = spec.get("externalSecretMetadata") or {}
    selectors = [one for one in [*(spec.get("namespaceSelectors") or []), spec.get("namespaceSelector")] if one]
    return Due(
        others=tuple(
            {
                "apiVersion": item["apiVersion"],
                "kind": "ExternalSecret",
                "metadata": {
                    **{field: own[field] for field in ("labels", "annotations") if own.get(field)},
                    "name": spec.get("externalSecretName") or item["metadata"]["name"],
                    "namespace": namespace,
                    "ownerReferences": [owned_by(item)],
                },
                "spec": spec["externalSecretSpec"],
            }
            for namespace, labels in world.namespaces().items()
            if namespace in (spec.get("namespaces") or []) or any(selects(one, labels) for one in selectors)
        )
    )


def selects(selector: Mapping[str, Any], labels: Mapping[str, str]) -> bool:
    """Whether a label selector of the API fits; an empty one fits all."""
    plain: Mapping[str, str] = selector.get("matchLabels") or {}
    return plain.items() <= labels.items() and all(holds(one, labels) for one in selector.get("matchExpressions") or [])
