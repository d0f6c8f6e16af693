"""Properties of CoreDNS' plugins: how many words each takes, and which."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass

from rebirth.proof.sources.outside.corefile.syntax import Cursor
from rebirth.proof.sources.outside.corefile.words import Meaning, duration, number

Setup = Callable[[Cursor, Meaning, tuple[int, ...]], None]
Rule = Callable[[list[str], Cursor], None]  # looks at the rest of the line


@dataclass(frozen=True, slots=True)
class One:
    """A property that takes one word. What follows on its line is read as the next property."""

    check: Callable[[str, Cursor], object]

    def read(self, cursor: Cursor) -> None:
        if not cursor.next_argument():
            raise cursor.argument_error()
        self.check(cursor.value, cursor)


class Nothing(One):
    """A property that no word may follow on its line."""

    def read(self, cursor: Cursor) -> None:
        if cursor.next_argument():
            raise cursor.argument_error()


Rules = Mapping[str, Rule | One]


def exactly(count: int) -> Rule:
    def rule(arguments: list[str], cursor: Cursor) -> None:
        if len(arguments) != count:
            raise cursor.argument_error()

    return rule


def some(arguments: list[str], cursor: Cursor) -> None:
    if not arguments:
        raise cursor.argument_error()


def anything(_arguments: list[str], _cursor: Cursor) -> None:
    return None


def one_duration(arguments: list[str], cursor: Cursor) -> None:
    exactly(1)(arguments, cursor)
    duration(arguments[0], cursor)


def one_number(arguments: list[str], cursor: Cursor) -> None:
    exactly(1)(arguments, cursor)
    number(arguments[0], cursor)


def one_of(*words: str) -> Rule:
    def rule(arguments: list[str], cursor: Cursor) -> None:
        exactly(1)(arguments, cursor)
        if arguments[0] not in words:
            raise cursor.error(f"'{arguments[0]}' is none of {', '.join(words)}")

    return rule


def block(cursor: Cursor, rules: Rules) -> None:
    while cursor.next_in_block():
        name = cursor.value
        if name not in rules:
            raise cursor.error(f"unknown property '{name}'")
        rule = rules[name]
        if isinstance(rule, One):
            rule.read(cursor)
        else:
            rule(cursor.arguments(), cursor)


def plain(rules: Rules, *, once: bool, check: Rule) -> Setup:
    """A plugin whose arguments `check` looks at, with a block of `rules`."""

    def setup(cursor: Cursor, _meaning: Meaning, _version: tuple[int, ...]) -> None:
        seen = False
        while cursor.next():
            if once and seen:
                raise cursor.error("this plugin can only be used once per Server Block")
            seen = True
            check(cursor.arguments(), cursor)
            block(cursor, rules)

    return setup
