"""Good input, spoiled: as people spoil it, as disks do, and as somebody would who wants to."""

import json
import random
import re
from collections.abc import Callable

Mutation = Callable[[random.Random, str], str]

NASTY = (
    *(
        "",
        "~",
        "null",
        "true",
        "no",
        "0",
        "-1",
        "1e400",
        "9" * 400,
        "0x1F",
        "1:30",
        ".inf",
        ".nan",
        "2001-13-45",
        "!!binary x",
    ),
    *(
        "*alias",
        "&a [*a]",
        "!!python/object/apply:os.system [true]",
        "{",
        "}",
        "[",
        "]",
        "{{ x }}",
        "${X}",
        "<<: *x",
        "? x",
    ),
    *(
        "\x00",
        "\x1b[31m",
        "\u202e",
        "\ud7ff",
        "\ufeff",
        "\u2028",
        "é" * 300,
        "a" * 5000,
        "../../../etc/passwd",
        "/dev/zero",
    ),
    *(
        "999.999.999.999",
        "0.0.0.0/0",
        "::1",
        "fe80::1%eth0",
        "http://",
        "https://[",
        "https://x:99999",
        "file:///etc/passwd",
    ),
    *(
        "- - - - -",
        "a: b: c",
        "'",
        '"',
        "|",
        ">",
        "%",
        "@",
        "`",
        "\\",
        "#",
        "---",
        "...",
        "\t",
        "PT5S",
        "1h1",
        "-5s",
        "٣",
    ),
)


def _lines(change: Callable[[random.Random, list[str]], None]) -> Mutation:
    def mutate(rng: random.Random, text: str) -> str:
        lines = text.splitlines()
        if lines:
            change(rng, lines)
        return "\n".join(lines) + "\n"

    return mutate


def _drop(rng: random.Random, lines: list[str]) -> None:
    del lines[rng.randrange(len(lines))]


def _double(rng: random.Random, lines: list[str]) -> None:
    at = rng.randrange(len(lines))
    lines.insert(at, lines[at])


def _swap(rng: random.Random, lines: list[str]) -> None:
    one, other = rng.randrange(len(lines)), rng.randrange(len(lines))
    lines[one], lines[other] = lines[other], lines[one]


def _indent(rng: random.Random, lines: list[str]) -> None:
    at = rng.randrange(len(lines))
    lines[at] = " " * rng.randrange(9) + lines[at].lstrip() if rng.random() < 0.8 else "\t" + lines[at]


def _value(rng: random.Random, lines: list[str]) -> None:
    """Another value behind a key."""
    keyed = [at for at, line in enumerate(lines) if re.match(r"\s*(- )?[\w.\"/-]+:", line)]
    at = rng.choice(keyed) if keyed else rng.randrange(len(lines))
    lines[at] = lines[at].partition(":")[0] + ": " + rng.choice(NASTY)


def _key(rng: random.Random, lines: list[str]) -> None:
    at = rng.randrange(len(lines))
    head, colon, tail = lines[at].partition(":")
    lines[at] = head + rng.choice(("x", "-", " ", ".", "é", "[0]")) + colon + tail


def _entry(rng: random.Random, lines: list[str]) -> None:
    """A whole stretch goes elsewhere."""
    start = rng.randrange(len(lines))
    stretch = lines[start : start + rng.randrange(1, 12)]
    del lines[start : start + len(stretch)]
    at = rng.randrange(len(lines) + 1)
    lines[at:at] = stretch


def _insert(rng: random.Random, text: str) -> str:
    at = rng.randrange(len(text) + 1)
    return text[:at] + rng.choice(NASTY) + text[at:]


def _cut(rng: random.Random, text: str) -> str:
    return text[: rng.randrange(len(text) + 1)]


def _flip(rng: random.Random, text: str) -> str:
    at = rng.randrange(len(text) + 1)
    return text[:at] + chr(rng.choice((0, 9, 10, 34, 39, 42, 58, 91, 123, 125, 127, 0x85, 0xFFFD))) + text[at + 1 :]


def _deep(rng: random.Random, text: str) -> str:
    depth = rng.choice((40, 400, 4000))
    return text + "\ndeep: " + "[" * depth + "]" * rng.choice((depth, depth - 1)) + "\n"


def _bomb(rng: random.Random, text: str) -> str:
    levels = "".join(f"b{n}: &b{n} [{', '.join([f'*b{n - 1}'] * 9)}]\n" for n in range(1, rng.choice((3, 9))))
    return f"b0: &b0 x\n{levels}{text}"


TEXT: tuple[Mutation, ...] = (
    *map(_lines, (_drop, _double, _swap, _indent, _value, _value, _value, _key, _entry)),
    *(_insert, _cut, _flip, _deep, _bomb),
)


def spoiled(rng: random.Random, text: str, mutations: tuple[Mutation, ...] = TEXT) -> str:
    for _ in range(rng.choice((1, 1, 1, 2, 3, 6))):
        text = rng.choice(mutations)(rng, text)
    return text


# -- JSON: what a system answers

_VALUES: tuple[object, ...] = (
    *(None, True, False, 0, -1, 10**30, 1.5, "", "x", "\x00", "a" * 3000, [], {}, [[]], [None], {"": None}, {"a": []}),
    *("UPID:", "True", "2026-01-01T00:00:00Z", "not/a/name", ["x"], [{}], {"items": None}),
)


def spoiled_json(rng: random.Random, content: bytes) -> bytes:
    """The answer with values of other types, keys gone, lists cut; now and then no JSON at all."""
    if rng.random() < 0.1:
        return spoiled(rng, content.decode(errors="replace"), (_cut, _flip, _insert)).encode(errors="replace")
    try:
        value = json.loads(content)
    except ValueError:
        return content
    for _ in range(rng.choice((1, 1, 2, 4))):
        value = _other(rng, value)
    return json.dumps(value).encode()


def _other(rng: random.Random, value: object) -> object:
    """The same with one change, somewhere inside."""
    if isinstance(value, dict) and value and rng.random() < 0.9:
        key = rng.choice(list(value))
        if rng.random() < 0.15:
            return {name: inner for name, inner in value.items() if name != key}
        return {**value, key: _other(rng, value[key])}
    if isinstance(value, list) and value and rng.random() < 0.9:
        at = rng.randrange(len(value))
        if rng.random() < 0.15:
            return value[:at]
        return [*value[:at], _other(rng, value[at]), *value[at + 1 :]]
    return rng.choice(_VALUES)
