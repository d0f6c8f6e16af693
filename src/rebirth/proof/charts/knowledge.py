"""What operators provide: asked by chart, image and kind; and the templates in which names of what they make are written.

The facts stand in `known/`, one file per operator (`operator_file.py` says what such a file holds).
"""

import re
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from functools import cache
from importlib.resources import as_file, files
from itertools import pairwise, product
from typing import Any

from rebirth.proof.charts.chart_values import in_range, value_at
from rebirth.proof.charts.conditions import When
from rebirth.proof.charts.operator_file import (
    Name,
    Operator,
    Reports,
    Webhook,
    Workload,
    operator,
    read_operator,
)
from rebirth.proof.things import Milestone, Thing

_FIELD = re.compile(r"\{([^{}]+)\}")


def crd(group: str, kind: str) -> Thing:
    return Thing("CRD", "", f"{group}/{kind}", Milestone.ESTABLISHED)


@dataclass(frozen=True, slots=True)
class Made:
    """One thing that one custom resource makes."""

    kind: str
    namespace: str
    name: str
    keys: tuple[str, ...] | None = None
    address: str = ""
    when_ready: bool = False
    ports: tuple[str, ...] = ()
    privileged: bool = False


@cache
def operators() -> tuple[Operator, ...]:
    """All that is known, in the order of names."""
    with as_file(files("rebirth.proof.charts") / "known") as folder:
        return tuple(read_operator(file) for file in sorted(folder.glob("*.yaml")))


def of_chart(name: str, url: str | None) -> Operator | None:
    """The operator that a chart of that name, from a repository at that URL (None: any), installs."""
    for known in operators():
        for chart in known.charts:
            if chart.name == name and (
                url is None or not chart.sources or any(piece in url for piece in chart.sources)
            ):
                return known
    return None


def of_image(image: str) -> Operator | None:
    """The operator whose main container runs that image."""
    found = _by_image()
    return next((found[name] for name in _names(image) if name in found), None)


def _names(image: str) -> tuple[str, str]:
    """An image without host, tag and digest: the whole path, or its end where a mirror or a proxy puts its own folder before."""
    head, _, last = image.partition("@")[0].rpartition("/")
    parts = [*head.split("/"), last.partition(":")[0]] if head else [last.partition(":")[0]]
    if len(parts) > 1 and ("." in parts[0] or ":" in parts[0] or parts[0] == "localhost"):
        parts = parts[1:]
    return "/".join(parts), "/".join(parts[-2:])


@cache
def _by_image() -> Mapping[str, Operator]:
    return {image: known for known in operators() for image in known.images}


@cache
def of_kind(group: str, kind: str) -> Operator | None:
    """The operator that custom resources of that kind belong to."""
    return next((known for known in operators() if known.knows(group, kind)), None)


def made_by(group: str, data: Mapping[str, Any], namespace: str = "") -> Iterator[Made]:
    """What that custom resource makes; `namespace` is its operator's."""
    kind = str(data.get("kind", ""))
    known = of_kind(group, kind)
    context = {**data, "operator": namespace or (known.namespace if known else "")}
    for makes in known.makes if known else ():
        if (makes.group, makes.by) != (group, kind) or any(value_at(data, path) for path in makes.unless):
            continue
        if makes.only_if and not any(value_at(data, path) for path in makes.only_if):
            continue
        spaces = list(fill(makes.namespace, context)) or [""]
        address = next(fill(makes.address, context), "") if makes.address else ""
        for name in dict.fromkeys(fill(makes.name, context)):
            yield Made(
                makes.kind, spaces[0], name, makes.keys, address, makes.when_ready, makes.ports, makes.privileged
            )


def read_by(group: str, data: Mapping[str, Any], *, late: bool = False) -> Iterator[tuple[str, str, str, str]]:
    """Kind, namespace, name and key ("" for none) of each Secret and ConfigMap that the custom resource needs; `late`: of those without
    which it is Ready.
    """
    kind = str(data.get("kind", ""))
    known = of_kind(group, kind)
    for reads in known.reads if known else ():
        if (reads.group, reads.by, reads.late) == (group, kind, late) and (
            not reads.only_if or any(value_at(data, path) for path in reads.only_if)
        ):
            space = next(fill(reads.namespace, data), "")
            for name in fill(reads.name, data):
                yield reads.kind, space, name, next(fill(reads.key, data), "") if reads.key else ""


def reported(group: str, kind: str) -> Reports | None:
    """What its operator writes into the status of such a custom resource."""
    known = of_kind(group, kind)
    found = known.reports if known else ()
    return next((one for one in found if (one.group, one.by) == (group, kind)), None)


def made_by_pod(container: Mapping[str, Any], namespace: str) -> Iterator[Made]:
    """What a pod with that container makes, once it runs or has run."""
    words = [str(word) for field in ("command", "args") for word in _list(container.get(field))]
    names = _names(str(container.get("image", "")))
    context = {"args": _arguments(words), "env": _environment(container)}
    for known in operators():
        for makes in known.pods:
            if makes.image in names and (not makes.word or makes.word in words):
                for name in fill(makes.name, context):
                    yield Made(makes.kind, namespace, name, makes.keys)


def _arguments(words: list[str]) -> dict[str, str]:
    """Options by name, however they are written: --name=value or --name value."""
    found = {}
    for word, following in pairwise([*words, ""]):
        name, equals, value = word.lstrip("-").partition("=")
        if word.startswith("-"):
            found[name] = value if equals else following
    return found


def _environment(container: Mapping[str, Any]) -> dict[str, str]:
    entries = [one for one in _list(container.get("env")) if isinstance(one, Mapping)]
    return {str(one.get("name")): str(one["value"]) for one in entries if one.get("value") is not None}


def _list(value: object) -> list[Any]:
    """A list that stands in a file, whatever else may stand there."""
    return value if isinstance(value, list) else []


# -- templates


def fill(template: str, context: Mapping[str, Any]) -> Iterator[str]:
    """Every text that the template gives; none where a path leads nowhere."""
    fields = _FIELD.findall(template)
    choices = [list(_alternatives(one, context)) for one in fields]
    pieces = _FIELD.split(template)[::2]
    for chosen in product(*choices):
        yield "".join(text for pair in zip(pieces, (*chosen, ""), strict=True) for text in pair)


def _alternatives(written: str, context: Mapping[str, Any]) -> list[str]:
    for part in written.split("|"):
        if part.startswith("'"):
            return [part.strip("'")]
        if found := [str(v) for v in _walk(context, part.split(".")) if v not in {None, ""}]:
            return found
    return []


def _walk(value: Any, path: list[str]) -> Iterator[Any]:
    if not path:
        if not isinstance(value, (Mapping, list)):
            yield value
        return
    head, rest = path[0], path[1:]
    if head == "*":
        items: Iterable[Any] = value if isinstance(value, (list, Mapping)) else ()
        for item in items:
            yield from _walk(item, rest)
    elif isinstance(value, Mapping) and head in value:
        yield from _walk(value[head], rest)


__all__ = [
    "Made",
    "Name",
    "Operator",
    "Reports",
    "Webhook",
    "When",
    "Workload",
    "crd",
    "fill",
    "in_range",
    "made_by",
    "made_by_pod",
    "of_chart",
    "of_image",
    "of_kind",
    "operator",
    "operators",
    "read_by",
    "reported",
    "value_at",
]
