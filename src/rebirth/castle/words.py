"""What is wrong with a value, in words of the field; and the key that a mistyped one was meant to be."""

from collections.abc import Mapping, Sequence
from difflib import get_close_matches
from typing import Any

from pydantic import BaseModel
from pydantic_core import ErrorDetails

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
        name = str(error["loc"][-1]).replace("_", " ")
        return f"write `{{secret: NAME}}` and put the {name} into the file NAME of the vault directory"
    if kind in _BOUNDS:
        bound, words = _BOUNDS[kind]
        return _counted(words.format(bounds[bound]), bounds[bound])
    return _WORDS.get(kind, error["msg"].removeprefix("Value error, ").removeprefix("Input "))


def _counted(words: str, number: object) -> str:
    return words.replace("entry or entries", "entry" if number == 1 else "entries").replace(
        "character or characters", "character" if number == 1 else "characters"
    )


def near(model: type[BaseModel], location: Sequence[str | int]) -> str:
    """The key that the last part of `location` may have been meant to be; "" where none is near."""
    schema = model.model_json_schema()
    found = {key for section in _sections(schema, schema, [*location[:-1]]) for key in section.get("properties", {})}
    return next(iter(get_close_matches(str(location[-1]), sorted(found - {str(location[-1])}), 1)), "")


def _sections(
    top: Mapping[str, Any], schema: Mapping[str, Any], location: Sequence[str | int]
) -> list[Mapping[str, Any]]:
    """The schemas of what stands at `location`, several where one of several kinds may stand there."""
    while "$ref" in schema:
        schema = top["$defs"][str(schema["$ref"]).rpartition("/")[2]]
    if kinds := schema.get("anyOf") or schema.get("oneOf"):
        return [found for one in kinds for found in _sections(top, one, location)]
    if not location:
        return [schema]
    part, rest = location[0], location[1:]
    if isinstance(part, int):
        inner = schema.get("items")
    else:
        inner = schema.get("properties", {}).get(part) or schema.get("additionalProperties")
    if isinstance(inner, Mapping):
        return _sections(top, inner, rest)
    # A location also names which of several kinds was tried: no part of the document.
    return _sections(top, schema, rest)
