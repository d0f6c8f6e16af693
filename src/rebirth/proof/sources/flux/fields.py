"""Custom resources against the schemas of their CRDs: fields that are not in them, values of another type, fields that are missing.

The schemas are those of the CRDs in the repository; for some kinds whose CRDs come with charts, the names of their fields.
Flux applies server-side: the API server rejects an object with a field that its schema does not know, and with it all that
is applied in the same Kustomization.
"""

from collections.abc import Iterator, Mapping
from itertools import chain
from typing import Any, NamedTuple

from rebirth.proof.graph import Graph
from rebirth.proof.reading import flux
from rebirth.proof.reading.manifest import Manifest, Model
from rebirth.proof.things import Atomicity

_Path = tuple[str | int, ...]
_GUESS = "x-names"  # marks a schema that only knows names: a newer version may have more, so only what looks mistyped is reported
_WRONG = {"caSecret"}  # names that are taken for others
_MOST = 20  # mistakes of one object
_DEEPEST = 60


class Mistake(NamedTuple):
    slug: str
    path: _Path
    words: str


def read(model: Model, graph: Graph) -> None:
    schemas = dict(_known())
    for crd, _ in model.objects("CustomResourceDefinition"):
        schemas.update(_of(crd))
    for unit in model.units:
        if unit.atomicity is not Atomicity.FLUX:
            continue
        for member in unit.members:
            if flux.is_left_out(member):
                continue
            schema = schemas.get((str(member.data.get("apiVersion")), member.kind))
            mistakes = _flux(member) if member.group in {flux.KUSTOMIZE, flux.HELM, flux.SOURCE} else iter(())
            for count, mistake in enumerate(chain(mistakes, _check(member.data, schema or {}, (), 0))):
                if count >= _MOST:
                    break
                words = f"{member.thing().label}: {mistake.words}"
                graph.remark(
                    mistake.slug, member.place(*mistake.path), words, member.thing(), path=_dotted(mistake.path)
                )


def _flux(member: Manifest) -> Iterator[Mistake]:
    """What Flux's own CRDs and controllers ask of values that somebody writes otherwise."""
    for field in ("interval", "retryInterval", "timeout"):
        value = member.at("spec", field)
        if value is not None and not _open(value) and not flux.is_duration(value):
            yield Mistake("wrong-value", ("spec", field), f"spec.{field} {value} has no unit; write 10m or 1h30m")
    url = str(member.at("spec", "url", default=""))
    if member.kind == "HelmRepository" and url.startswith("oci://") and member.at("spec", "type") != "oci":
        yield Mistake("oci-type", ("spec", "url"), "an oci:// URL needs `type: oci` beside it")


def _of(crd: Manifest) -> Iterator[tuple[tuple[str, str], Mapping[str, Any]]]:
    """Schemas by apiVersion and kind, of every served version of a CRD."""
    group, kind = crd.at("spec", "group"), crd.at("spec", "names", "kind")
    for version in crd.items("spec", "versions"):
        schema = version.get("schema") if isinstance(version, Mapping) else None
        found = schema.get("openAPIV3Schema") if isinstance(schema, Mapping) else None
        if isinstance(found, Mapping) and found.get("properties"):
            yield (f"{group}/{version.get('name')}", str(kind)), found


def _check(value: Any, schema: Mapping[str, Any], path: _Path, depth: int) -> Iterator[Mistake]:
    if depth > _DEEPEST or value is None or _open(value):
        return
    wanted = schema.get("type")
    if isinstance(value, Mapping) and wanted in {"object", None}:
        yield from _object(value, schema, path, depth)
    elif isinstance(value, list) and wanted in {"array", None}:
        items = schema.get("items")
        for number, item in enumerate(value if isinstance(items, Mapping) else ()):
            yield from _check(item, items, (*path, number), depth + 1)  # type: ignore[arg-type]  # looked at in the line above
    elif isinstance(wanted, str) and not _fits(value, wanted, schema):
        yield Mistake(
            "wrong-type", path, f"{_dotted(path)} is {_article(value)} and must be {_ARTICLES.get(wanted, wanted)}"
        )
    elif isinstance(value, str) and isinstance(options := schema.get("enum"), list) and value not in options:
        said = ", ".join(map(str, options[:8]))
        yield Mistake("wrong-value", path, f"{_dotted(path)} must be one of {said}")


def _object(value: Mapping[str, Any], schema: Mapping[str, Any], path: _Path, depth: int) -> Iterator[Mistake]:
    properties = schema.get("properties")
    if not isinstance(properties, Mapping):
        more = schema.get("additionalProperties")
        if isinstance(more, Mapping):
            for key, item in value.items():
                yield from _check(item, more, (*path, key), depth + 1)
        return
    free = schema.get("x-kubernetes-preserve-unknown-fields") or schema.get("additionalProperties")
    for key, item in value.items():
        if not path and key in {"apiVersion", "kind", "metadata", "sops"}:
            continue
        inner = properties.get(key)
        if isinstance(inner, Mapping):
            yield from _check(item, inner, (*path, key), depth + 1)
        elif not free and path:
            near = _near(key, properties)
            if not near and _GUESS in schema and key not in _WRONG:
                continue
            hint = f"; did you mean {near}?" if near else ""
            yield Mistake("unknown-field", (*path, key), f"unknown field {_dotted((*path, key))}{hint}")
    if path or "spec" in value:
        yield from _missing(value, schema, properties, path)


def _missing(
    value: Mapping[str, Any], schema: Mapping[str, Any], properties: Mapping[str, Any], path: _Path
) -> Iterator[Mistake]:
    required = schema.get("required")
    for key in required if isinstance(required, list) else ():
        default = properties.get(key)
        if key not in value and not (isinstance(default, Mapping) and "default" in default):
            yield Mistake("missing-field", path, f"{_dotted((*path, key))} is missing")


def _fits(value: Any, wanted: str, schema: Mapping[str, Any]) -> bool:
    if schema.get("x-kubernetes-int-or-string"):
        return isinstance(value, str | int)
    if wanted == "number":
        return isinstance(value, int | float) and not isinstance(value, bool)
    if wanted == "integer":
        return (isinstance(value, int) and not isinstance(value, bool)) or (
            isinstance(value, float) and value.is_integer()
        )
    return isinstance(value, _TYPES.get(wanted, object))


_TYPES: dict[str, type | tuple[type, ...]] = {"string": str, "boolean": bool, "object": Mapping, "array": list}
_ARTICLES = {
    "string": "a string", "boolean": "true or false", "object": "a mapping", "array": "a list", "integer": "a whole number",
    "number": "a number",
}  # fmt: skip


def _article(value: Any) -> str:
    if isinstance(value, bool):
        return "true or false"
    if isinstance(value, int | float):
        return "a number"
    return "a string" if isinstance(value, str) else "a list" if isinstance(value, list) else "a mapping"


def _open(value: Any) -> bool:
    """Whether a variable that nobody knows, or SOPS, stands in for the value."""
    return isinstance(value, str) and ("${" in value or value.startswith("ENC["))


def _dotted(path: _Path) -> str:
    found = ""
    for part in path:
        found += f"[{part}]" if isinstance(part, int) else f".{part}" if found else part
    return found


def _near(key: str, properties: Mapping[str, Any]) -> str:
    """A field of almost that name."""
    import difflib

    return next(iter(difflib.get_close_matches(key, [*map(str, properties)], 1, 0.75)), "")


def _known() -> Iterator[tuple[tuple[str, str], Mapping[str, Any]]]:
    """Names of fields, of kinds whose CRDs are seldom in a repository (Flux 2.7, External Secrets 0.20)."""
    for (versions, kind), tree in _FIELDS.items():
        group, _, names = versions.partition("/")
        for version in names.split():
            yield (f"{group}/{version}", kind), {"properties": {"spec": _schema(tree), "status": {}}}
    yield ("source.extensions.fluxcd.io/v1beta1", "ArtifactGenerator"), {"properties": {"spec": _GENERATOR}}


_OPEN: dict[str, Any] = {"*": None}  # there may be more


def _schema(tree: Mapping[str, Any]) -> Mapping[str, Any]:
    found = {"properties": {name: _schema(inner) if inner else {} for name, inner in tree.items()}, _GUESS: True}
    return {**found, "additionalProperties": True} if "*" in tree else found


def _names(words: str, **inner: Mapping[str, Any]) -> dict[str, Any]:
    return {**dict.fromkeys(words.split()), **inner}


_FIELDS: dict[tuple[str, str], Mapping[str, Any]] = {
    (f"{flux.KUSTOMIZE}/v1", "Kustomization"): _names(
        "commonMetadata dependsOn decryption interval retryInterval kubeConfig path prune deletionPolicy healthChecks namePrefix "
        "nameSuffix patches images serviceAccountName sourceRef suspend targetNamespace timeout force wait components "
        "ignoreMissingComponents healthCheckExprs",
        postBuild=_names("substitute substituteFrom"),
    ),
    (f"{flux.HELM}/v2", "HelmRelease"): _names(
        "chart chartRef interval kubeConfig suspend releaseName targetNamespace storageNamespace dependsOn timeout maxHistory "
        "serviceAccountName persistentClient driftDetection install upgrade test rollback uninstall valuesFrom values commonMetadata "
        "postRenderers postRenderStrategy waitStrategy healthCheckExprs"
    ),
    (f"{flux.SOURCE}/v1", "GitRepository"): _names(
        "url secretRef provider interval timeout ref verify proxySecretRef ignore suspend recurseSubmodules include sparseCheckout "
        "serviceAccountName"
    ),
    ("external-secrets.io/v1 v1beta1", "ClusterSecretStore"): _names(
        "controller retrySettings refreshInterval conditions",
        provider={
            **_OPEN,
            "vault": _names(
                "auth server path version namespace caBundle tls caProvider readYourWrites forwardInconsistent headers checkAndSet"
            ),
        },
    ),
    ("external-secrets.io/v1 v1beta1", "ExternalSecret"): _names(
        "secretStoreRef target refreshPolicy refreshInterval data dataFrom"
    ),
}  # fmt: skip


def _each(**properties: Any) -> Mapping[str, Any]:
    """A list of mappings with at least these fields."""
    return {"type": "array", "items": {"type": "object", "properties": properties, "additionalProperties": True}}


_TEXT = {"type": "string"}
_COPIES = _each(**{"from": _TEXT, "to": _TEXT})
_GENERATOR: Mapping[str, Any] = {
    "type": "object",
    "properties": {
        "sources": _each(alias=_TEXT, kind=_TEXT, name=_TEXT),
        "artifacts": _each(name=_TEXT, copy=_COPIES),
    },
    "additionalProperties": True,
}
_FIELDS["external-secrets.io/v1 v1beta1", "SecretStore"] = _FIELDS[
    "external-secrets.io/v1 v1beta1", "ClusterSecretStore"
]
