"""Label selectors, as the API server reads them."""

from collections.abc import Mapping
from typing import Any


def has(wanted: Mapping[str, Any], labels: Mapping[str, Any]) -> bool:
    """Whether labels hold all that a plain map asks for; an empty one selects nothing."""
    return bool(wanted) and all(str(labels.get(key)) == str(value) for key, value in wanted.items())


def selects(selector: object, labels: Mapping[str, Any]) -> bool:
    """Whether a selector with matchLabels and matchExpressions selects; none, or an empty one, selects all."""
    if not isinstance(selector, Mapping):
        return True
    wanted = selector.get("matchLabels")
    if isinstance(wanted, Mapping) and any(str(labels.get(key)) != str(value) for key, value in wanted.items()):
        return False
    expressions = selector.get("matchExpressions")
    return all(_holds(one, labels) for one in (expressions if isinstance(expressions, list) else ()))


def _holds(expression: object, labels: Mapping[str, Any]) -> bool:
    if not isinstance(expression, Mapping):
        return False
    key, listed = str(expression.get("key")), expression.get("values")
    values = {str(value) for value in listed} if isinstance(listed, list) else set()
    value = str(labels[key]) if key in labels else None
    match expression.get("operator"):
        case "In":
            return value in values
        case "NotIn":
            return value not in values
        case "Exists":
            return value is not None
        case "DoesNotExist":
            return value is None
    return False
