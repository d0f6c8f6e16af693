"""What is wrong with a value, in words of the field; and the key that a mistyped one was meant to be."""

from collections.abc import Iterator, Mapping, Sequence
from difflib import get_close_matches
from functools import cache
from typing import Any, NamedTuple

from pydantic import BaseModel
from pydantic_core import ErrorDetails

from rebirth.castle.model import OTHER_SHAPE

_WORDS = {
    "extra_forbidden": "unknown key",
    "missing": "is missing",
    "int_type": "must be a whole number",
    "int_from_float": "must be a whole number",
    "int_parsing": "must be a whole number",
    "bool_type": "must be true or false",
    "string_type": "must be a string (in quotes where it looks like a number, a date or true)",
    "list_type": "must be a list",
    "dict_type": "must be a mapping",
    "model_type": "must be a mapping",
    "model_attributes_type": "must be a mapping",
}
# With what bounds them: that is ours, never what was written.
_BOUNDS = {
    "greater_than_equal": ("ge", "must be at least {}"),
    "greater_than": ("gt", "must be more than {}"),
    "less_than_equal": ("le", "must be at most {}"),
    "less_than": ("lt", "must be less than {}"),
    "too_short": ("min_length", "must have at least {} entry or entries"),
    "string_too_short": ("min_length", "must have at least {} character or characters"),
    "string_too_long": ("max_length", "must have at most {} characters"),
    "literal_error": ("expected", "must be {}"),
}
_REFERENCE = "SecretRef"


def words_of(error: ErrorDetails) -> str:
    """What is wrong, without the value: it may be a secret in the wrong place."""
    kind, bounds = error["type"], error.get("ctx", {})
    if kind in {"model_type", "model_attributes_type"} and bounds.get("class_name") == _REFERENCE:
        name = [str(part) for part in error["loc"] if part != _REFERENCE][-1].replace("_", " ")
        return f"write `{{secret: NAME}}` and put the {name} into the file NAME of the vault directory"
    if kind in {"union_tag_invalid", "union_tag_not_found"}:
        said = str(bounds.get("expected_tags", "")).replace(", ", " or ")
        return f"at {str(bounds['discriminator']).strip(chr(39))}: {f'must be {said}' if said else 'is missing'}"
    if kind in _BOUNDS:
        bound, words = _BOUNDS[kind]
        return _counted(words.format(bounds[bound]), bounds[bound])
    return _WORDS.get(kind, error["msg"].removeprefix("Value error, ").removeprefix("Input "))


class Tried(NamedTuple):
    """An error, where it is, and which kinds of value were tried on the way there."""

    error: ErrorDetails
    path: str
    kinds: tuple[tuple[str, str], ...]  # each with the place that may be of several kinds


_OTHER_SHAPE = {
    "string_type", "int_type", "float_type", "bool_type", "list_type", "dict_type", "model_type", "model_attributes_type",
    OTHER_SHAPE,
}  # fmt: skip


def meant(errors: Sequence[Tried]) -> Iterator[tuple[ErrorDetails, str]]:
    """Each error in words; where several kinds of value were tried, only those of the kind that was meant.

    Where it cannot be seen which was meant, one error names them all.
    """
    choices: dict[str, list[Tried]] = {}
    for one in errors:
        if one.kinds:
            choices.setdefault(one.kinds[0][0], []).append(one)
        else:
            yield one.error, words_of(one.error)
    for tried in choices.values():
        yield from _chosen(tried)


def _chosen(tried: Sequence[Tried]) -> Iterator[tuple[ErrorDetails, str]]:
    branches: dict[str, list[Tried]] = {}
    for one in tried:
        kind = one.kinds[0][1]
        while any(one.error["loc"] == other.error["loc"] for other in branches.get(kind, ())):
            kind += "'"  # two kinds of one name
        branches.setdefault(kind, []).append(one)
    shaped = [found for found in branches.values() if not _other_shape(found)] or list(branches.values())
    # Of several sections the one that fits best was meant.
    sections = sorted(filter(_looked_into, shaped), key=_misfit)
    if sections and len({_misfit(found) for found in sections[:2]}) == len(sections[:2]):
        shaped = sections[:1]
    if len(shaped) == 1:
        yield from meant([one._replace(kinds=one.kinds[1:]) for one in shaped[0]])
    else:
        errors = [one.error for found in shaped for one in found]
        yield errors[0], _any_of([words_of(error) for error in errors])


def _other_shape(found: Sequence[Tried]) -> bool:
    """Whether a kind was tried that the value has not even the shape of: a string is no mapping."""
    return not _looked_into(found) and all(one.error["type"] in _OTHER_SHAPE for one in found)


def _looked_into(found: Sequence[Tried]) -> bool:
    return any(one.path != one.kinds[0][0] for one in found)


def _misfit(found: Sequence[Tried]) -> tuple[int, int]:
    unknown = sum(one.error["type"] == "extra_forbidden" for one in found)
    return unknown, len(found)


def _any_of(words: Sequence[str]) -> str:
    first, *rest = dict.fromkeys(words)
    return ", or ".join([first, *(one.removeprefix("must be ") for one in rest)])


def _counted(words: str, number: object) -> str:
    return words.replace("entry or entries", "entry" if number == 1 else "entries").replace(
        "character or characters", "character" if number == 1 else "characters"
    )


def near(model: type[BaseModel], location: Sequence[str | int]) -> str:
    """The key that the last part of `location` may have been meant to be; "" where none is near."""
    found = {key for section in sections_at(model, location[:-1]) for key in section.get("properties", {})}
    found.discard(str(location[-1]))  # that is a key of another kind of value
    return next(iter(get_close_matches(str(location[-1]), sorted(found), 1)), "")


def sections_at(
    model: type[BaseModel], location: Sequence[str | int], *, kinds: bool = True
) -> list[Mapping[str, Any]]:
    """The schemas of what stands at `location`, several where one of several kinds may stand there.

    With `kinds` it is the location of an error, which also names the kind that was tried; else a place in the document.
    """
    schema = _schema(model)
    return _sections(schema, schema, location, kinds)


@cache
def _schema(model: type[BaseModel]) -> dict[str, Any]:
    return model.model_json_schema()


def _sections(
    top: Mapping[str, Any], schema: Mapping[str, Any], location: Sequence[str | int], kinds: bool
) -> list[Mapping[str, Any]]:
    while "$ref" in schema:
        schema = top["$defs"][str(schema["$ref"]).rpartition("/")[2]]
    if several := [*schema.get("anyOf", ()), *schema.get("oneOf", ())]:
        return [found for one in several for found in _sections(top, one, location, kinds)]
    if not location:
        return [schema]
    part, rest = location[0], location[1:]
    if isinstance(part, int):
        inner = schema.get("items")
    else:
        inner = schema.get("properties", {}).get(part) or schema.get("additionalProperties")
    if isinstance(inner, Mapping):
        return _sections(top, inner, rest, kinds)
    return _sections(top, schema, rest, kinds) if kinds else []
