"""Read the comments that accept a finding where its cause stands.

    # vllm-kustomize: allow[host-namespaces] RCCL needs the host's IPC namespace
    # vllm-kustomize: allow[rule, other-rule] until 2027-03-01 the reason, which has to be there

A comment behind a value speaks for that line, one on a line of its own for the next line with content.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator, Mapping
from dataclasses import replace
from datetime import date
from functools import lru_cache
from pathlib import PurePosixPath

from vllm_kustomize.kustomize.discover import KUSTOMIZATION_NAMES
from vllm_kustomize.model import Allow, Location

MARKER = "vllm-kustomize:"

_COMMENT = re.compile(rf"(?:^|(?<=\s))#\s*{MARKER}\s*(.*)$")
_ALLOW = re.compile(r"allow\s*\[([^\]]*)\]\s*(.*)$")
_UNTIL = re.compile(r"until\s+(\d[\d-]*)[\s,:;.]*")
_FORM = "write it as # vllm-kustomize: allow[rule] reason"


def read_allows(texts: Mapping[str, str], wanted: Callable[[str], bool]) -> Iterator[Allow]:
    """Yield the comments of the wanted ones among some files, given by name, in order."""
    for file, text in texts.items():
        if MARKER in text and wanted(file):
            yield from _allows_in(file, text)


@lru_cache(maxsize=64)  # overlays share their bases
def _allows_in(file: str, text: str) -> tuple[Allow, ...]:
    return tuple(_read(file, text))


def _read(file: str, text: str) -> Iterator[Allow]:
    lines = re.split(r"\r\n|\r|\n", text)
    first = _content_from(lines, 1)
    values = _values(file, text)
    for number, line in enumerate(lines, 1):
        match = _COMMENT.search(line)
        if match is None:
            continue
        if any(begin <= (number - 1, match.start()) < end for begin, end in values):
            continue
        alone = not line[: match.start()].strip()
        speaks_for = _content_from(lines, number + 1) if alone else number
        at = Location(file, number, match.start() + 1)
        yield replace(_parse(match[1].strip(), at), line=speaks_for, heads=speaks_for == first)


def _parse(text: str, at: Location) -> Allow:
    from vllm_kustomize.checks.manual import is_known, names
    from vllm_kustomize.wording import did_you_mean

    match = _ALLOW.match(text)
    if match is None:
        return Allow(at, 0, error=f"this comment says nothing that is understood; {_FORM}")
    rules = tuple(rule.strip() for rule in match[1].split(",") if rule.strip())
    reason, until = match[2].strip(), ""
    if day := (_UNTIL.match(reason) or re.search(_UNTIL.pattern + r"\Z", reason)):
        try:
            until = date.fromisoformat(day[1]).isoformat()
        except ValueError:
            return Allow(at, 0, error=f"'{day[1]}' is not a day; write it as 2027-03-01")
        reason = (reason[: day.start()] + reason[day.end() :]).strip()
    if not rules:
        return Allow(at, 0, error=f"it names no rule; {_FORM}")
    for rule in rules:
        if not is_known(rule):
            hint = did_you_mean(rule, names())
            return Allow(at, 0, rules, error=f"there is no rule '{rule}'{hint}")
    if not re.search(r"\w", reason):
        return Allow(at, 0, rules, error="it gives no reason; say behind the bracket why this is acceptable")
    return Allow(at, 0, rules, reason, until)


def _content_from(lines: list[str], number: int) -> int:
    """The first line from `number` on that is neither empty nor a comment; 0 where there is none."""
    for at, line in enumerate(lines[number - 1 :], number):
        if line.strip() and not line.lstrip().startswith("#") and line.strip() != "---":
            return at
    return 0


def _values(file: str, text: str) -> list[tuple[tuple[int, int], tuple[int, int]]]:
    """Line and column, from 0, of the begin and end of values in which a `#` begins no comment.

    A kustomization's values may be patches with comments of their own, so there none count.
    """
    if PurePosixPath(file).name in KUSTOMIZATION_NAMES:
        return []
    import yaml

    spans = []
    try:
        for token in yaml.scan(text, Loader=yaml.CSafeLoader):
            if isinstance(token, yaml.ScalarToken) and not token.plain:
                start, end = token.start_mark, token.end_mark
                # Behind the `|` of a block there may be a comment.
                begin = (start.line + 1, 0) if token.style in "|>" else (start.line, start.column)
                spans.append((begin, (end.line, end.column)))
    except yaml.YAMLError:
        return []
    return spans
