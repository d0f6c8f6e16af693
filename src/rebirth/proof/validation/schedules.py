"""Schedules of CronJobs as Kubernetes reads them (robfig/cron 3.0.1: five fields, Sunday is 0 and never 7), and their time zones."""

import difflib
import re
from functools import lru_cache

_WORDS = frozenset({"@yearly", "@annually", "@monthly", "@weekly", "@daily", "@midnight", "@hourly"})
_EVERY = re.compile(r"@every ([+-]?(\d+\.?\d*|\.\d+)(ns|us|µs|ms|s|m|h))+|@every 0")
_FIELDS = (("minute", 0, 59), ("hour", 0, 23), ("day of the month", 1, 31), ("month", 1, 12), ("day of the week", 0, 6))
_NAMES = {
    "month": {
        name: at
        for at, name in enumerate(
            ("jan", "feb", "mar", "apr", "may", "jun", "jul", "aug", "sep", "oct", "nov", "dec"), 1
        )
    },
    "day of the week": {name: at for at, name in enumerate(("sun", "mon", "tue", "wed", "thu", "fri", "sat"))},
}
_NUMBER = re.compile(r"\+?\d+")
_PART = re.compile(r"[A-Za-z._0-9+][A-Za-z.\-_0-9+]{0,13}")
_OFFSET = re.compile(r"(UTC|GMT)[+-]?\d{1,2}(:?\d\d)?")
# What clocks show, and no zone is called.
_ABBREVIATED = frozenset(
    {"CEST", "BST", "PST", "PDT", "EDT", "CDT", "CST", "MDT", "IST", "JST", "AEST", "AEDT", "EEST", "WEST"}
)
_ALIKE = 0.9


@lru_cache(maxsize=1024)
def unreadable(schedule: str) -> str:
    """What is wrong with a schedule; "" where nothing is."""
    if schedule.startswith(("TZ=", "CRON_TZ=")):
        schedule = schedule.partition(" ")[2].strip()
    if schedule.startswith("@"):
        if schedule in _WORDS or _EVERY.fullmatch(schedule):
            return ""
        return f"{schedule} is none of {', '.join(sorted(_WORDS))}, and no @every with a duration"
    fields = schedule.split()
    if len(fields) != len(_FIELDS):
        return f"has {len(fields)} fields and must have five: minute, hour, day of the month, month, day of the week"
    found = (_field(text, *field) for text, field in zip(fields, _FIELDS, strict=True))
    return next(filter(None, found), "")


def _field(text: str, what: str, least: int, most: int) -> str:
    for part in filter(None, text.split(",")):
        span, *step = part.split("/")
        ends = span.split("-")
        if ends[0] in {"*", "?"}:
            first, last = least, most
        else:
            numbers = [_number(end, what) for end in ends]
            if len(numbers) > 2 or min(numbers) < 0:
                return f"{part} is no {what}"
            first, last = numbers[0], numbers[-1]
            if step and len(ends) == 1:
                last = most
        if len(step) > 1 or (step and (not _NUMBER.fullmatch(step[0]) or int(step[0]) == 0)):
            return f"{part} is no {what}"
        if not least <= first <= last <= most:
            return f"{part} is no {what}, which is from {least} to {most}"
    return ""


def _number(text: str, what: str) -> int:
    """What a field's number or name stands for; -1 where it is neither."""
    named = _NAMES.get(what, {}).get(text.lower())
    return named if named is not None else int(text) if _NUMBER.fullmatch(text) else -1


@lru_cache(maxsize=256)
def is_no_zone(name: str) -> bool:
    """Whether no time zone is called so: for sure, as this machine may know fewer than the API server."""
    from zoneinfo import ZoneInfo, available_timezones

    if name.lower() == "local" or not all(map(_PART.fullmatch, name.split("/"))):
        return True
    try:
        ZoneInfo(name)
    except (LookupError, ValueError, OSError):
        known = available_timezones()
        meant = difflib.get_close_matches(name.lower(), [one.lower() for one in known], 1, _ALIKE)
        return bool(meant or _OFFSET.fullmatch(name) or name in _ABBREVIATED)
    return False
