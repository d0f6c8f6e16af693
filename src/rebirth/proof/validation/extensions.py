"""CustomResourceDefinitions (apiextensions-apiserver 0.35, pkg/apis/apiextensions/validation); their schemas are not looked into."""

import re
from collections.abc import Iterator

from rebirth.proof.validation.values import (
    Fields,
    Path,
    Refusal,
    count,
    entries,
    inner,
    needs,
    needs_entry,
    one_of,
    shown,
    text,
    texts,
    twice,
    unlike,
)
from rebirth.proof.validation.webhooks import client

_SPEC = ("spec",)
_WORD = re.compile(r"[a-z]([-a-z0-9]{0,61}[a-z0-9])?")
_ANY_CASE = re.compile(_WORD.pattern, re.IGNORECASE)
_LOWER = "a word in lower case"
_COLUMNS = ("integer", "number", "string", "boolean", "date")


def definition(data: Fields) -> Iterator[Refusal]:
    spec = inner(data, "spec")
    names = inner(spec, "names")
    yield from needs(spec, _SPEC, "group", "scope", "names")
    yield from one_of(spec, _SPEC, "scope", "Cluster", "Namespaced")
    group, plural, name = text(spec, "group"), text(names, "plural"), text(inner(data, "metadata"), "name")
    if group and plural and name and name != f"{plural}.{group}":
        yield Refusal(("metadata", "name"), f"is {name} and must be the plural and the group, {plural}.{group}")
    if group and "." not in group:
        yield Refusal((*_SPEC, "group"), f"is {group} and must be a domain with a dot")
    yield from _names(names, (*_SPEC, "names"))
    yield from twice(spec, _SPEC, "versions", "name", "version")
    for index, version in entries(spec, "versions"):
        yield from _version(version, (*_SPEC, "versions", index))
    kept = sum(version.get("storage") is True for _, version in entries(spec, "versions"))
    if count(spec, "versions") and kept != 1:
        yield Refusal((*_SPEC, "versions"), f"has {kept} entries with `storage: true` and must have one")
    conversion = inner(spec, "conversion")
    if conversion:
        yield from _conversion(conversion, (*_SPEC, "conversion"))


def _names(names: Fields, path: Path) -> Iterator[Refusal]:
    if names:
        yield from needs(names, path, "plural", "kind")
    for field in ("plural", "singular"):
        yield from unlike(names, path, field, _WORD, _LOWER)
    for field in ("kind", "listKind"):
        yield from unlike(names, path, field, _ANY_CASE, "letters, digits and -")
    for field in ("shortNames", "categories"):
        for index, word in texts(names, field):
            if not _WORD.fullmatch(word):
                yield Refusal((*path, field, index), f"is {shown(word)} and must be {_LOWER}")


def _version(version: Fields, path: Path) -> Iterator[Refusal]:
    yield from needs(version, path, "name")
    yield from unlike(version, path, "name", _WORD, _LOWER)
    yield from needs(inner(version, "schema"), (*path, "schema"), "openAPIV3Schema")
    for index, column in entries(version, "additionalPrinterColumns"):
        where = (*path, "additionalPrinterColumns", index)
        yield from needs(column, where, "name", "type", "jsonPath")
        yield from one_of(column, where, "type", *_COLUMNS)
        said = text(column, "jsonPath")
        if said and not said.startswith("."):
            yield Refusal((*where, "jsonPath"), f"is {said} and must begin with a dot")


def _conversion(conversion: Fields, path: Path) -> Iterator[Refusal]:
    yield from needs(conversion, path, "strategy")
    yield from one_of(conversion, path, "strategy", "None", "Webhook")
    if text(conversion, "strategy") == "Webhook":
        webhook, where = inner(conversion, "webhook"), (*path, "webhook")
        yield from needs(webhook, where, "clientConfig")
        yield from needs_entry(webhook, where, "conversionReviewVersions")
        yield from client(webhook, where)
