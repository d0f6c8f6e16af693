"""Under which values of a chart, and in which versions of it, something is there: the conditions of `operator_file`."""

from collections.abc import Mapping
from typing import Annotated, Any

from pydantic import BaseModel, ConfigDict, Field

from rebirth.proof.charts.chart_values import in_range, value_at

Texts = Annotated[tuple[str, ...], Field(strict=False)]  # a list of the file


class Entry(BaseModel):
    """A mapping of the file: unknown fields are errors, and nothing is coerced."""

    model_config = ConfigDict(frozen=True, extra="forbid", strict=True, populate_by_name=True)


class When(Entry):
    """Under which values of the chart, and in which versions of it, something is there."""

    only_if: Texts = ()
    all_of: Texts = ()
    unless: Texts = ()
    unless_false: Texts = ()
    since: str = ""
    before: str = ""

    @property
    def when(self) -> "When":
        return self

    def holds(self, values: Mapping[str, Any], version: str = "", *, whole: bool = True) -> bool | None:
        """Whether it is there; None where that hangs on values that are not known (`whole` is False)."""
        if not in_range(version, self.since, self.before):
            return False
        answers = [_any_of([_is_set(values, path, whole) for path in self.only_if])] if self.only_if else []
        answers += [_is_set(values, path, whole) for path in self.all_of]
        answers += [_not(_is_set(values, path, whole)) for path in self.unless]
        answers += [_not(_is_off(values, path, whole)) for path in self.unless_false]
        if False in answers:
            return False
        return None if None in answers else True


def _any_of(answers: list[bool | None]) -> bool | None:
    return True if True in answers else None if None in answers else False


def _not(answer: bool | None) -> bool | None:
    return None if answer is None else not answer


def _is_set(values: Mapping[str, Any], path: str, whole: bool) -> bool | None:
    found = value_at(values, path)
    return bool(found) if found is not None or whole else None


def _is_off(values: Mapping[str, Any], path: str, whole: bool) -> bool | None:
    found = value_at(values, path)
    return found is False or found == "false" if found is not None or whole else None
