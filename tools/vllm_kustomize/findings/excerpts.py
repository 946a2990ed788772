"""Quote the line that a finding points at, without the values of secrets."""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import replace
from functools import lru_cache

from vllm_kustomize.model import Finding, Precision

HIDDEN = "[hidden]"
"""What stands instead of a value that may be secret."""

_SECRET = re.compile(
    r"secret|token|passw|credential|(?:api|private|access)[-_.]?key|auth|stringData|/data/", re.IGNORECASE
)
_KNOWN_TOKEN = re.compile(r"\b(?:hf|sk|ghp|gho|glpat|xox[abp]|AKIA)[-_]?[A-Za-z0-9_-]{8,}")
_KEY = re.compile(r"\s*(?:- +)*(\"[^\"]*\"|'[^']*'|[^\s:'\"#\[{][^:#]*?)\s*:(?=\s|$)")
_HARMLESS_KEYS = ("apiVersion", "kind", "metadata", "name", "namespace", "key", "path", "op", "secretName")
_SECRET_RULES = ("literal-secret", "literal-api-key")
_FAR_OUT = 1 << 30
_NEXT_DOCUMENT = "---"
_SECRET_PARENTS = ("data", "stringData", "binaryData", "literals", "secretGenerator")


def quote(findings: Iterable[Finding], texts: Mapping[str, str]) -> Iterator[Finding]:
    """Add to each finding the line that it points at, where `texts` (by file name) has it."""
    lines: dict[str, list[str]] = {}
    for finding in findings:
        at = finding.location
        if at is None or at.precision == Precision.FILE or at.file not in texts:
            yield finding
            continue
        if at.file not in lines:
            # Not splitlines(): YAML knows fewer line breaks than Python does.
            lines[at.file] = re.split(r"\r\n|\r|\n", texts[at.file])
        if at.line <= len(lines[at.file]):
            shown = hide_secrets(lines[at.file], at.line, is_secret=_is_about_a_secret(finding))
            yield replace(finding, excerpt=shown)
        else:
            yield finding


def _is_about_a_secret(finding: Finding) -> bool:
    of_secret = finding.resource is not None and finding.resource.kind == "Secret"
    return finding.rule in _SECRET_RULES or (of_secret and finding.path[:1] in (("data",), ("stringData",)))


def hide_secrets(lines: list[str], number: int, is_secret: bool = False) -> str:
    """Return line `number` (from 1) of a file with its value replaced where that is or may be a secret.

    The line alone decides nothing: the mapping around it and the keys above it count too. What looks like a
    secret and is none is hidden as well.
    """
    line = lines[number - 1]
    key = _key(line)
    parents = _parents(lines, number)
    held = is_secret or any(parent in _SECRET_PARENTS for parent in (key, *parents))
    if held or (key not in _HARMLESS_KEYS and _speaks_of_secrets(lines, number)):
        return _without_value(line)
    return _KNOWN_TOKEN.sub(HIDDEN, line)


def _speaks_of_secrets(lines: list[str], number: int) -> bool:
    """Whether the line, its neighbours in the mapping, or the list item before it name something secret."""
    line = lines[number - 1]
    if not _key(line):
        return any(_SECRET.search(text) for text in lines[max(0, number - 2) : number])
    around = [line]
    if not _opens_item(line):
        for above in map(lines.__getitem__, range(number - 2, -1, -1)):
            if _content(above) < _content(line) or above == _NEXT_DOCUMENT:
                break
            around.append(above if _content(above) == _content(line) else "")
            if _content(above) == _content(line) and _opens_item(above):
                break
    for below in map(lines.__getitem__, range(number, len(lines))):
        if _content(below) < _content(line) or _opens_item(below, line) or below == _NEXT_DOCUMENT:
            break
        around.append(below if _content(below) == _content(line) else "")
    return any(_SECRET.search(text) for text in around)


def _parents(lines: list[str], number: int) -> list[str]:
    """The keys that the line stands under, the closest first."""
    found = []
    line = lines[number - 1]
    limit = len(line) - len(line.lstrip())
    in_list = _opens_item(line)
    for line in map(lines.__getitem__, range(number - 2, -1, -1)):
        key, column = _key(line), _content(line)
        lists = in_list and column == limit and line.rstrip().endswith(":")  # items may stand below their key
        if key and (column < limit or lists):
            found.append(key)
            limit, in_list = column, False
        if limit == 0 and not in_list:
            break
    return found


@lru_cache(maxsize=1 << 14)
def _key(line: str) -> str:
    """The key that a line begins with, or nothing."""
    match = _KEY.match(line)
    return match[1].strip("'\"") if match else ""


def _without_value(line: str) -> str:
    match = re.match(r"(\s*(?:- +)*(?:[\w./\"'-]+\s*:(?:\s+|$))?(?:--?[\w-]+=)?)(.*)", line)
    assert match is not None
    return match[1] + (HIDDEN if match[2] else "")


def _opens_item(line: str, like: str | None = None) -> bool:
    """Whether a line begins with the dash of a list item, whose content stands as deep as that of `like`."""
    return line.lstrip().startswith("- ") and (like is None or _content(line) == _content(like))


@lru_cache(maxsize=1 << 14)
def _content(line: str) -> int:
    """The column where the content begins, behind the dashes of list items; far out where there is none."""
    content = re.sub(r"^\s*(?:- +)*(?:#.*)?", "", line)
    return len(line) - len(content) if content else _FAR_OUT
