"""Labels and what selects by them (apimachinery's pkg/apis/meta/v1/validation)."""

from collections.abc import Iterator

from rebirth.proof.validation.values import (
    Fields,
    Path,
    Refusal,
    count,
    entries,
    inner,
    is_known,
    is_qualified,
    is_word,
    shown,
    text,
)

_NAME = "the name of a label: at most 63 letters, digits, -, _ and ., behind a domain and / or not"
_VALUE = "the value of a label: at most 63 letters, digits, -, _ and ."


def labels(fields: Fields, path: Path, key: str) -> Iterator[Refusal]:
    """A plain map of labels."""
    for name, value in inner(fields, key).items():
        if isinstance(name, str) and is_known(name) and not is_qualified(name):
            yield Refusal((*path, key, name), f"is {shown(name)} and must be {_NAME}")
        elif isinstance(value, str) and is_known(value) and not is_word(value):
            yield Refusal((*path, key, name), f"is {shown(value)} and must be {_VALUE}")


def selector(fields: Fields, path: Path, key: str) -> Iterator[Refusal]:
    """A selector with matchLabels and matchExpressions."""
    found = inner(fields, key)
    if not found:
        return
    yield from labels(found, (*path, key), "matchLabels")
    for number, expression in entries(found, "matchExpressions"):
        yield from requirement(expression, (*path, key, "matchExpressions", number))


def requirement(fields: Fields, path: Path, *, compares: bool = False) -> Iterator[Refusal]:
    """One expression; of nodes it may compare numbers."""
    name, operator = text(fields, "key"), text(fields, "operator")
    if name and not is_qualified(name):
        yield Refusal((*path, "key"), f"is {shown(name)} and must be {_NAME}")
    values = count(fields, "values")
    if operator in {"In", "NotIn"} and not values:
        yield Refusal((*path, "values"), f"has no entry, and operator {operator} needs one")
    elif operator in {"Exists", "DoesNotExist"} and values:
        yield Refusal((*path, "values"), f"has entries, and operator {operator} takes none")
    elif compares and operator in {"Gt", "Lt"} and values != 1:
        yield Refusal((*path, "values"), f"has {values} entries, and operator {operator} takes exactly one")
    if not compares:
        listed = fields.get("values")
        for number, value in enumerate(listed if isinstance(listed, list) else ()):
            if isinstance(value, str) and is_known(value) and not is_word(value):
                yield Refusal((*path, "values", number), f"is {shown(value)} and must be {_VALUE}")
