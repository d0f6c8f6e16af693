"""Makes bundle.zip out of what `sources.yaml` names: `python -m rebirth.proof.schemas.generate FOLDER...`

Each folder is laid out as Go's module cache is: `github.com/fluxcd/helm-controller@v1.6.4/...` (what is no Go module is unpacked
there under the same kind of name). Only what `Shape` reads is kept of a schema; the same kind in several versions of its operator
becomes one schema that refuses what all of them refuse.
"""

import json
import sys
import zipfile
from collections.abc import Iterable, Iterator, Mapping
from pathlib import Path
from typing import Any

import yaml

from rebirth.proof.schemas.bundle import FILE, INDEX, NATIVE, entry

_KEPT = (
    "type", "format", "enum", "pattern", "minimum", "maximum", "minLength", "maxLength", "minItems", "maxItems",
    "minProperties", "maxProperties", "x-kubernetes-int-or-string", "x-kubernetes-preserve-unknown-fields", "x-kubernetes-list-type", "x-kubernetes-list-map-keys",
    "default",
)  # fmt: skip
_LOOSE = ("x-kubernetes-int-or-string", "x-kubernetes-preserve-unknown-fields")
_FORMATS = {"byte", "int-or-string", "quantity"}
_QUANTITY = "io.k8s.apimachinery.pkg.api.resource.Quantity"
_INT_OR_STRING = "io.k8s.apimachinery.pkg.util.intstr.IntOrString"
_REFERENCE = "#/components/schemas/"
_MADE = (2020, 1, 1, 0, 0, 0)  # the same bytes for the same sources

Json = dict[str, Any]


class _Loader(yaml.CSafeLoader):
    """Takes a lone `=` for a string, which YAML 1.1 does not."""


_Loader.add_constructor("tag:yaml.org,2002:value", lambda _, node: node.value)


def generate(folders: list[Path]) -> None:
    """Writes bundle.zip: the index, Kubernetes' definitions, then a file a custom kind."""
    said = yaml.safe_load((Path(__file__).parent / "sources.yaml").read_text())
    native, index = _kubernetes(said["kubernetes"], folders)
    files: dict[str, Json] = {}
    for product in said["products"]:
        for (group, kind), (scope, versions) in sorted(_product(product, folders).items()):
            found = index["groups"].setdefault(
                group,
                {"product": product["name"], "versions": _versions(product), "kinds": {}}
                | {key: product[key] for key in ("charts", "settled", "strict") if key in product},
            )
            found["kinds"][kind] = {"scope": scope, "versions": sorted(versions)}
            files[entry(group, kind)] = versions
    with zipfile.ZipFile(FILE, "w", zipfile.ZIP_DEFLATED, compresslevel=9) as archive:
        for name, data in {INDEX: index, NATIVE: native, **files}.items():
            text = json.dumps(data, sort_keys=True, separators=(",", ":"))
            archive.writestr(zipfile.ZipInfo(name, _MADE), text, zipfile.ZIP_DEFLATED, 9)


def _versions(product: Mapping[str, Any]) -> list[str]:
    return [str(source["version"]) for source in product["sources"]]


def _found(folders: Iterable[Path], source: Mapping[str, Any]) -> Iterator[Path]:
    """The files of a source. Raises SystemExit where there are none."""
    name = f"{source['module']}@{source['version']}"
    some = False
    for folder in folders:
        for pattern in source["files"]:
            for file in sorted((folder / name).glob(pattern)):
                some = True
                yield file
        if some:
            return
    sys.exit(f"nothing of {name} in {', '.join(map(str, folders))}")


# -- Kubernetes


def _kubernetes(said: Mapping[str, Any], folders: list[Path]) -> tuple[Json, Json]:
    definitions: Json = {}
    groups: dict[str, Any] = {}
    namespaced: set[str] = set()
    for file in (file for source in said["sources"] for file in _found(folders, source)):
        data = json.loads(file.read_text())
        namespaced |= {
            name for path in data["paths"] if "{namespace}" in path for name in _made_at(data["paths"][path])
        }
        for name, schema in data["components"].get("schemas", {}).items():
            definitions[name] = schema
            for of in schema.get("x-kubernetes-group-version-kind", ()):
                if "metadata" in schema.get("properties", {}) and not of["kind"].endswith("List"):
                    group = groups.setdefault(
                        of["group"], {"product": "Kubernetes", "versions": _versions(said), "kinds": {}}
                    )
                    kind = group["kinds"].setdefault(of["kind"], {"versions": {}, "scope": "Cluster"})
                    kind["versions"][of["version"]] = name
                    if f"{of['group']}/{of['version']}/{of['kind']}" in namespaced:
                        kind["scope"] = "Namespaced"
    compact = {name: _native(schema) for name, schema in definitions.items()}
    _refuse(compact, said)
    kinds = [kind for group in groups.values() for kind in group["kinds"].values()]
    used = _reached(compact, (name for kind in kinds for name in kind["versions"].values()))
    index = {"kubernetes": _versions(said)[-1].removeprefix("v"), "gone": said["gone"], "groups": groups}
    return {name: compact[name] for name in sorted(used)}, index


def _made_at(path: Mapping[str, Any]) -> Iterator[str]:
    for method in path.values():
        of = method.get("x-kubernetes-group-version-kind") if isinstance(method, Mapping) else None
        if of:
            yield f"{of['group']}/{of['version']}/{of['kind']}"


def _native(schema: Mapping[str, Any]) -> Json:
    """A definition of Kubernetes: what it refers to stays a name. `required` comes from what was tried (`_refuse`)."""
    if len(schema.get("allOf", ())) == 1:
        schema = schema["allOf"][0]
    if "$ref" in schema:
        name = schema["$ref"].removeprefix(_REFERENCE)
        if name == _QUANTITY:
            return {"format": "quantity"}
        return {"format": "int-or-string"} if name == _INT_OR_STRING else {"$ref": name}
    found = _kept(schema)
    for key in ("items", "additionalProperties"):
        if isinstance(schema.get(key), Mapping):
            found[key] = _native(schema[key])
    if "properties" in schema:
        found["properties"] = {name: _native(inner) for name, inner in schema["properties"].items()}
    return found


def _refuse(definitions: Json, said: Mapping[str, Any]) -> None:
    """Adds what the API server refuses though its OpenAPI does not say so, or says it of what has a default."""
    for name, fields in said["required"].items():
        definition = definitions[name]
        assert set(fields) <= set(definition["properties"]), name
        definition["required"] = fields
    words = {path: {"enum": ["", *options]} for path, options in said["one_of"].items()}
    written = {path: {"pattern": f"^$|{one['pattern']}"} for one in said["patterns"] for path in one["of"]}
    for path, said_of_it in {**words, **written}.items():
        name, _, field = path.rpartition(".")
        found = definitions[name]["properties"][field]
        found.get("items", found).update(said_of_it)


def _reached(definitions: Json, start: Iterable[str]) -> set[str]:
    seen: set[str] = set()
    pending = list(start)
    while pending:
        name = pending.pop()
        if name not in seen:
            seen.add(name)
            pending += _references(definitions[name])
    return seen


def _references(schema: Mapping[str, Any]) -> Iterator[str]:
    if "$ref" in schema:
        yield schema["$ref"]
    for key in ("items", "additionalProperties"):
        if isinstance(schema.get(key), Mapping):
            yield from _references(schema[key])
    for inner in schema.get("properties", {}).values():
        yield from _references(inner)


# -- custom kinds


def _product(product: Mapping[str, Any], folders: list[Path]) -> dict[tuple[str, str], tuple[str, Json]]:
    """Scope, and schema by version, of each kind: over all versions of the product."""
    found: dict[tuple[str, str], tuple[str, Json]] = {}
    for source in product["sources"]:
        for file in _found(folders, source):
            text = "".join(line for line in file.read_text().splitlines(keepends=True) if "{{" not in line)
            for crd in yaml.load_all(text, _Loader):
                if not isinstance(crd, Mapping) or crd.get("kind") != "CustomResourceDefinition":
                    continue
                spec = crd["spec"]
                _, versions = found.setdefault((spec["group"], spec["names"]["kind"]), (spec["scope"], {}))
                for version in spec["versions"]:
                    if version.get("served"):
                        schema = _compact(version["schema"]["openAPIV3Schema"])
                        schema["properties"] = {k: v for k, v in schema["properties"].items() if k != "status"} | {
                            "status": {}
                        }
                        if product.get("strict"):
                            schema["properties"].get("spec", {}).pop("x-kubernetes-preserve-unknown-fields", None)
                        name = version["name"]
                        versions[name] = _both(versions[name], schema) if name in versions else schema
    return found


def _kept(schema: Mapping[str, Any]) -> Json:
    found = {key: schema[key] for key in _KEPT if key in schema}
    if found.get("format") not in _FORMATS:
        found.pop("format", None)
    if not isinstance(found.get("default"), str):  # only keys of lists need theirs
        found.pop("default", None)
    return found


def _compact(schema: Mapping[str, Any]) -> Json:
    found = _kept(schema)
    for key in ("items", "additionalProperties"):
        if isinstance(schema.get(key), Mapping):
            found[key] = _compact(schema[key])
        elif schema.get(key):
            found[key] = schema[key]
    if "properties" in schema:
        found["properties"] = {name: _compact(inner) for name, inner in schema["properties"].items()}
        required = [
            name
            for name in schema.get("required", ())
            if "default" not in schema["properties"].get(name, {"default": 0})
        ]
        if required:
            found["required"] = required
    return found


def _both(one: Mapping[str, Any], other: Mapping[str, Any]) -> Json:
    """A schema that refuses what both refuse."""
    found = {key: value for key, value in one.items() if key in _KEPT and other.get(key) == value}
    found |= {key: True for key in _LOOSE if one.get(key) or other.get(key)}
    if "enum" in one and "enum" in other:
        found["enum"] = [*one["enum"], *(value for value in other["enum"] if value not in one["enum"])]
    if isinstance(one.get("items"), Mapping) and isinstance(other.get("items"), Mapping):
        found["items"] = _both(one["items"], other["items"])
    if (more := _more(one.get("additionalProperties"), other.get("additionalProperties"))) is not None:
        found["additionalProperties"] = more
    if "properties" in one and "properties" in other:
        first, second = one["properties"], other["properties"]
        found["properties"] = {
            **first,
            **second,
            **{name: _both(first[name], second[name]) for name in first if name in second},
        }
        if required := [name for name in one.get("required", ()) if name in other.get("required", ())]:
            found["required"] = required
    return found


def _more(one: Any, other: Any) -> Any:
    """Of two `additionalProperties` what refuses less; None where neither has any."""
    if isinstance(one, Mapping) and isinstance(other, Mapping):
        return _both(one, other)
    return True if one or other else None


if __name__ == "__main__":
    generate([Path(name).expanduser() for name in sys.argv[1:]])
