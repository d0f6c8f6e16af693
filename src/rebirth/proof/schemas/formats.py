"""Values that are written in a form of their own: what is wrong with one; "" where nothing is."""

import base64
import binascii
import re
from collections.abc import Callable, Mapping
from typing import Any

_QUANTITY = re.compile(r"[+-]?(\d+(\.\d*)?|\.\d+)([KMGTPE]i|[numkMGTPE]|[eE][+-]?\d+)?")


def _int_or_string(value: Any) -> str:
    return "" if isinstance(value, str | int) and not isinstance(value, bool) else "must be a whole number or a string"


def _quantity(value: Any) -> str:
    if isinstance(value, bool) or not isinstance(value, str | int | float):
        return f"is {article(value)} and must be an amount, such as 500m or 10Gi"
    if isinstance(value, str) and not _QUANTITY.fullmatch(value):
        return f"{value} is no amount: they are written 500m, 0.5, 512Mi or 10Gi"
    return ""


def _bytes(value: Any) -> str:
    """Base64 with its padding; Go's decoder passes over line breaks."""
    if not isinstance(value, str):
        return ""
    try:
        base64.b64decode(value.replace("\n", "").replace("\r", ""), validate=True)
    except (binascii.Error, ValueError):
        return "is not base64; plain text belongs under stringData"
    return ""


def article(value: Any) -> str:
    if isinstance(value, bool):
        return "true or false"
    if isinstance(value, int | float):
        return "a number"
    return "a string" if isinstance(value, str) else "a list" if isinstance(value, list) else "a mapping"


FORMATS: Mapping[str, Callable[[Any], str]] = {
    "int-or-string": _int_or_string, "quantity": _quantity, "byte": _bytes,
}  # fmt: skip
