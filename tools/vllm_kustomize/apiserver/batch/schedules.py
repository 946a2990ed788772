"""Schedules of CronJobs and time zones.

The grammar is that of github.com/robfig/cron ParseStandard, which the server uses.
"""

from __future__ import annotations

import re

_MONTHS = {
    name: index
    for index, name in enumerate(
        ["jan", "feb", "mar", "apr", "may", "jun", "jul", "aug", "sep", "oct", "nov", "dec"], 1
    )
}
_DAYS = {name: index for index, name in enumerate(["sun", "mon", "tue", "wed", "thu", "fri", "sat"])}
_FIELDS: tuple[tuple[str, int, int, dict[str, int]], ...] = (
    ("minute", 0, 59, {}),
    ("hour", 0, 23, {}),
    ("day of the month", 1, 31, {}),
    ("month", 1, 12, _MONTHS),
    ("day of the week", 0, 6, _DAYS),
)
_DESCRIPTORS = frozenset(["@yearly", "@annually", "@monthly", "@weekly", "@daily", "@midnight", "@hourly"])
_DURATION = re.compile(r"[-+]?(0|(([0-9]+(\.[0-9]*)?|\.[0-9]+)(ns|us|µs|μs|ms|s|m|h))+)", re.ASCII)


def schedule(value: str) -> str:
    """What is wrong with a schedule, or an empty string."""
    if value.startswith(("TZ=", "CRON_TZ=")):
        return "may not begin with a time zone; set timeZone instead"
    if value.startswith("@"):
        if value in _DESCRIPTORS:
            return ""
        every, _, duration = value.partition(" ")
        if every == "@every" and _DURATION.fullmatch(duration):
            return ""
        return f'"{value[:60]}" is not a schedule such as @hourly, @daily or @every 90m'
    fields = value.split()
    if len(fields) != len(_FIELDS):
        return f"has {len(fields)} fields, but a schedule has five: minute hour day month weekday"
    for text, (name, least, most, words) in zip(fields, _FIELDS, strict=True):
        for part in text.split(","):
            if part and (message := _range(part, least, most, words)):
                return f"{name}: {message}"
    return ""


def _range(part: str, least: int, most: int, words: dict[str, int]) -> str:
    span, *steps = part.split("/")
    first, *rest = span.split("-")
    if len(steps) > 1 or len(rest) > 1:
        return f'"{part[:60]}" is not a value, a range such as 1-5, or a step such as */5'
    if first in ("*", "?"):
        start, end = least, most
    else:
        numbers = [_number(text, words) for text in (first, *rest)]
        if any(number is None for number in numbers):
            return f'"{part[:60]}" is not a number between {least} and {most}'
        start, end = numbers[0] or 0, numbers[-1] or 0
        if steps and not rest:
            end = most
    if steps:
        step = _number(steps[0], {})
        if not step:
            return f'"{part[:60]}" has no step of at least 1'
    if start < least or end > most or start > end:
        return f'"{part[:60]}" must lie between {least} and {most}'
    return ""


def _number(text: str, words: dict[str, int]) -> int | None:
    if text.lower() in words:
        return words[text.lower()]
    digits = text.removeprefix("+")
    return int(digits) if digits.isascii() and digits.isdigit() and len(digits) < 10 else None


def time_zone(value: str) -> str:
    """What is wrong with a time zone's name; nothing, where this machine has no list of them."""
    if not value:
        return "may not be empty; leave it out for the controller's own time zone"
    if value.lower() == "local":
        return "must name a time zone, and Local names none"
    from zoneinfo import ZoneInfo, ZoneInfoNotFoundError

    if value == "UTC":
        return ""
    for name in (value, "Europe/Paris"):
        try:
            ZoneInfo(name)
        except (ZoneInfoNotFoundError, ValueError, OSError):
            continue
        return "" if name == value else f'"{value[:60]}" is not a time zone such as Europe/Paris'
    return ""
