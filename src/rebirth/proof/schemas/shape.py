"""A value against a schema, as the API server sees it: OpenAPI v3 as CRDs and Kubernetes itself write it.

`fits` answers for most values, and is what a proof has the time for; only where it says no, `mistakes` finds the words.
Not read: rules in CEL, `oneOf` and its like, formats other than those below.
"""

import re
from collections.abc import Callable, Iterable, Iterator, Mapping
from functools import cached_property
from typing import Any, NamedTuple

from rebirth.proof.schemas.formats import FORMATS, article

Path = tuple[str | int, ...]
Schema = Mapping[str, Any]


_LIMITS = ("pattern", "minimum", "maximum", "minLength", "maxLength", "minItems", "maxItems", "minProperties",
           "maxProperties")  # fmt: skip
_DEEPEST = 60
_TAKEN_FOR = {"caSecret": "caProvider"}  # names that nobody would think to be the same
_NOTHING = (None, "")  # of Kubernetes' own kinds
_SHORT = 60  # characters of a value that is shown
_BLOCKS = 2  # so far inside a misplaced field's own block is looked for


class Mistake(NamedTuple):
    slug: str
    path: Path
    words: str
    sure: bool = True  # whether another version of the kind cannot have it otherwise


def is_open(value: Any) -> bool:
    """Whether a variable that nobody knows, or SOPS, stands in for the value."""
    return isinstance(value, str) and ("${" in value or value.startswith("ENC["))


class Shape:
    """One schema, ready to be asked. Its parts are made when they are first looked at."""

    def __init__(self, schema: Schema, resolve: "Callable[[str], Shape] | None" = None) -> None:
        self.schema, self._resolve = schema, resolve
        self.wanted = schema.get("type")
        self.format = str(schema.get("format") or "")
        if schema.get("x-kubernetes-int-or-string"):
            self.wanted, self.format = None, "int-or-string"
        properties = schema.get("properties")
        self.properties: Mapping[str, Any] | None = properties if isinstance(properties, Mapping) else None
        self.free = bool(schema.get("x-kubernetes-preserve-unknown-fields") or schema.get("additionalProperties"))
        self._fields: dict[str, Shape] = {}
        self._limited = [(limit, schema[limit]) for limit in _LIMITS if schema.get(limit) is not None]
        # A name that nothing but the type is asked of, as most are
        self.plain = self.wanted in {"string", None} and not (self.format or "enum" in schema or self._limited)

    def field(self, name: str) -> "Shape | None":
        found = self._fields.get(name)
        if found is None and self.properties is not None and isinstance(self.properties.get(name), Mapping):
            found = self._fields[name] = self._shape(self.properties[name])
        return found

    @cached_property
    def items(self) -> "Shape | None":
        found = self.schema.get("items")
        return self._shape(found) if isinstance(found, Mapping) else None

    @cached_property
    def more(self) -> "Shape | None":
        """Of every value of a mapping whose keys are free."""
        found = self.schema.get("additionalProperties")
        return self._shape(found) if isinstance(found, Mapping) and found else None

    @cached_property
    def required(self) -> tuple[str, ...]:
        """The fields that have to be there, and have no default."""
        listed = self.schema.get("required")
        fields = self.properties or {}
        return tuple(
            str(key)
            for key in (listed if isinstance(listed, list) else ())
            if not (isinstance(fields.get(key), Mapping) and self._has_default(fields[key]))
        )

    def _has_default(self, field: Schema) -> bool:
        """Of Kubernetes itself an empty text is what Go has for nothing, and no default that anybody is given."""
        return "default" in field and not (self._is_native and field["default"] == "")

    @property
    def _is_native(self) -> bool:
        return self._resolve is not None

    def _lacks(self, key: str, value: Mapping[str, Any]) -> bool:
        return key not in value or (self._is_native and value[key] in _NOTHING)

    def _shape(self, schema: Schema) -> "Shape":
        name = schema.get("$ref")
        if not name or self._resolve is None:
            return Shape(schema, self._resolve)
        return self._resolve(str(name))

    # -- whether a value is as it should be

    def fits(self, value: Any) -> bool:
        """Whether there is surely nothing to say of it."""
        if isinstance(value, str):
            return self.takes(value)
        if value is None:
            return True
        if self.format in FORMATS:
            return not any(self._simple(value, ()))
        if type(value) is dict or isinstance(value, Mapping):
            if self.wanted not in {"object", None} or (self._limited and any(self._limits(value, ()))):
                return False
            return self._mapping_fits(value)
        if isinstance(value, list):
            if self.wanted not in {"array", None} or (self._limited and any(self._limits(value, ()))):
                return False
            items = self.items
            return items is None or (
                all(map(items.fits, value)) and (len(value) < 2 or not any(self._twice(value, ())))
            )
        return not any(self._simple(value, ()))

    def _mapping_fits(self, value: Mapping[str, Any]) -> bool:
        if self.properties is None:
            more = self.more
            return more is None or all(map(more.fits, value.values()))
        fields = self._fields
        for key, item in value.items():
            field = fields.get(key) or self.field(key)
            if field is None:
                if not self.free:
                    return False
            elif not (field.plain and type(item) is str) and not field.fits(item):
                return False
        return not self.required or not any(self._lacks(key, value) for key in self.required)

    def takes(self, text: str) -> bool:
        """Whether there is surely nothing to say of a text."""
        return self.plain or is_open(text) or not any(self._simple(text, ()))

    # -- what is wrong with it

    def mistakes(self, value: Any, path: Path = (), above: "tuple[Shape, ...]" = ()) -> Iterator[Mistake]:
        if len(above) > _DEEPEST or value is None or is_open(value):
            return
        if self.format in FORMATS:
            yield from self._simple(value, path)
        elif isinstance(value, Mapping) and self.wanted in {"object", None}:
            yield from self._limits(value, path)
            yield from self._object(value, path, above)
        elif isinstance(value, list) and self.wanted in {"array", None}:
            yield from self._limits(value, path)
            yield from self._twice(value, path)
            for number, item in enumerate(value if self.items else ()):
                yield from self.items.mistakes(item, (*path, number), (*above, self))  # type: ignore[union-attr]  # looked at above
        else:
            yield from self._simple(value, path)

    def _object(self, value: Mapping[str, Any], path: Path, above: "tuple[Shape, ...]") -> Iterator[Mistake]:
        inside = (*above, self)
        if self.properties is None:
            for key, item in value.items() if self.more else ():
                yield from self.more.mistakes(item, (*path, key), inside)  # type: ignore[union-attr]  # looked at above
            return
        for key, item in value.items():
            field = self.field(key)
            if field is not None:
                yield from field.mistakes(item, (*path, key), inside)
            elif not self.free:
                yield self._unknown(str(key), path, above)
        for key in self.required:
            if self._lacks(key, value):
                said = "is empty" if value.get(key) == "" else "is missing"
                yield Mistake("missing-field", path, f"{dotted((*path, key))} {said}")

    def _unknown(self, key: str, path: Path, above: "tuple[Shape, ...]") -> Mistake:
        if meant := near(key, self.properties or {}):
            hint = f"; did you mean {meant}?"
        elif block := self._block_with(key, above):
            hint = f"; there is one {block}"
        else:
            hint = ""
        return Mistake("unknown-field", (*path, key), f"unknown field {dotted((*path, key))}{hint}", sure=bool(hint))

    def _block_with(self, key: str, above: "tuple[Shape, ...]") -> str:
        """Where a field of that name is, if it slipped into a block that is too deep, or not deep enough."""
        outer = [shape.properties for shape in reversed(above) if shape.properties is not None]
        for up, properties in enumerate(outer, 1):
            if key in properties:
                return "one block further out" if up == 1 else f"{up} blocks further out"
        inner: list[tuple[str, Shape]] = [("", self)]
        for _ in range(_BLOCKS):
            inner = [(f"{path}.{name}".lstrip("."), below) for path, shape in inner for name, below in shape.inside()]
            for path, shape in inner:
                if key in (shape.properties or {}):
                    return f"in {path}"
        return ""

    def inside(self) -> "Iterator[tuple[str, Shape]]":
        """The fields that have fields of their own, a list's entries among them."""
        for name in self.properties or {}:
            field = self.field(name)
            field = field.items if field is not None and field.items is not None else field
            if field is not None and field.properties is not None:
                yield name, field

    def _simple(self, value: Any, path: Path) -> Iterator[Mistake]:
        words = FORMATS[self.format](value) if self.format in FORMATS else ""
        if words:
            yield Mistake("wrong-format", path, f"{dotted(path)} {words}")
        elif isinstance(self.wanted, str) and not _is_of(value, self.wanted):
            wanted = _ARTICLES.get(self.wanted, self.wanted)
            yield Mistake("wrong-type", path, f"{dotted(path)} is {article(value)} and must be {wanted}")
        elif isinstance(options := self.schema.get("enum"), list) and value not in options:
            meant = near(str(value), options)
            hint = f"; did you mean {meant}?" if meant else ""
            said = ", ".join(str(option) for option in options if option != "")[:200]
            yield Mistake("wrong-value", path, f"{dotted(path)} {value} must be one of {said}{hint}", sure=bool(meant))
        else:
            yield from self._limits(value, path)

    def _twice(self, value: list[Any], path: Path) -> Iterator[Mistake]:
        """Entries with the same keys, in a list that is a map or a set for the API server."""
        keys = self._keys
        if keys is None or len(value) < 2:
            return
        seen = set()
        for number, item in enumerate(value):
            entry = item if not keys else tuple(item.get(k, d) for k, d in keys) if isinstance(item, Mapping) else None
            if (
                entry is None
                or isinstance(entry, dict | list)
                or any(isinstance(part, dict | list) for part in keys and entry)
            ):
                continue
            if entry in seen:
                parts = zip(keys, entry, strict=True) if keys else ()
                said = ", ".join(f"{key} {part}" for (key, _), part in parts) or f"{entry}"
                yield Mistake(
                    "wrong-value", (*path, number), f"{dotted((*path, number))} is a second entry with {said}"
                )
            seen.add(entry)

    @cached_property
    def _keys(self) -> tuple[tuple[str, Any], ...] | None:
        """The keys of a list's entries, and what each is where it is not written; none of them: the entries themselves are."""
        kind = self.schema.get("x-kubernetes-list-type")
        if kind == "set":
            return ()
        listed = self.schema.get("x-kubernetes-list-map-keys")
        if kind != "map" or not isinstance(listed, list) or self.items is None:
            return None
        fields = self.items.properties or {}
        return tuple((str(key), (fields.get(key) or {}).get("default")) for key in listed)

    def _limits(self, value: Any, path: Path) -> Iterator[Mistake]:
        """What the schema says of lengths, sizes and patterns."""
        for limit, border in self._limited:
            if not _within(value, limit, border):
                yield Mistake("wrong-value", path, f"{dotted(path)} {_OUTSIDE[limit].format(border)}{_said(value)}")


_EVERYWHERE: Schema = {"apiVersion": {}, "kind": {}, "metadata": {}, "status": {}, "sops": {}}  # fields of every object


def of_kind(schema: Schema, resolve: Callable[[str], Shape] | None = None) -> Shape:
    """Of a whole object, whose metadata is not looked at, and what SOPS adds to it is taken as known."""
    return Shape({**schema, "properties": {**schema["properties"], **_EVERYWHERE}}, resolve)


# What somebody replaces before the file is used: REPO_PREFIX, <your-domain>, {{ name }}.
_FILLED_IN = re.compile(r"\b[A-Z][A-Z0-9]*(?:_[A-Z0-9]+)+\b|<[\w -]+>|\{\{")


def _within(value: Any, limit: str, border: Any) -> bool:
    if limit == "pattern":
        return not isinstance(value, str) or _matches(str(border), value) or bool(_FILLED_IN.search(value))
    if limit in {"minimum", "maximum"}:
        measured = value if isinstance(value, int | float) and not isinstance(value, bool) else None
    else:
        of = {"Length": str, "Items": list, "Properties": Mapping}[limit[3:]]
        measured = len(value) if isinstance(value, of) else None
    if measured is None or not isinstance(border, int | float):
        return True
    return bool(measured >= border if limit.startswith("min") else measured <= border)


def _said(value: Any) -> str:
    return f", and is {value}" if isinstance(value, str | int | float) and len(str(value)) <= _SHORT else ""


_OUTSIDE = {
    "pattern": "must match {}", "minimum": "must be at least {}", "maximum": "must be at most {}",
    "minLength": "must have at least {} characters", "maxLength": "must have at most {} characters",
    "minItems": "must have at least {} entries", "maxItems": "must have at most {} entries",
    "minProperties": "must have at least {} fields", "maxProperties": "must have at most {} fields",
}  # fmt: skip


def _matches(pattern: str, text: str) -> bool:
    """A pattern is Go's: what Python cannot read is taken as matching."""
    try:
        return re.search(pattern, text) is not None
    except re.error:
        return True


def _is_of(value: Any, wanted: str) -> bool:
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


def dotted(path: Path) -> str:
    found = ""
    for part in path:
        found += f"[{part}]" if isinstance(part, int) else f".{part}" if found else part
    return found


def near(key: str, names: Iterable[Any]) -> str:
    """A name that is almost that one, or that it is taken for."""
    import difflib

    names = [*map(str, names)]
    if _TAKEN_FOR.get(key) in names:
        return _TAKEN_FOR[key]
    return next(iter(difflib.get_close_matches(key, names, 1, 0.75)), "")
