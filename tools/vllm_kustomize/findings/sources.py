"""The lines of a source that write secrets, found by their indentation.

A source with a slip in it is not valid YAML, and what stands in it is still secret; a value that is too
short to be told from an ordinary word is known by its place alone.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from functools import lru_cache
from itertools import pairwise

from vllm_kustomize.findings.shapes import (
    Span,
    holds_secrets,
    is_secret,
    is_secret_field,
    secrets_in,
    value_of_pair,
)
from vllm_kustomize.kubernetes.names import config_key
from vllm_kustomize.kubernetes.secrets import may_name_secret, stands_for_secret

SPEAKS_OF_SECRETS = re.compile(r"\bSecret\b|stringData|secretGenerator")

_KEY = re.compile(r"(?P<key>\"[^\"\n]*\"|'[^'\n]*'|[^\s:'\"#\[\]{},][^:#\n]{0,200}?)\s*:(?:\s+|$)")
_DASHES = re.compile(r"\s*(?:-(?:\s+|$))*")
_MARKS = re.compile(r"(?:[!&]\S*\s+)+")
_OPENS = re.compile(r"(?:[|>][-+0-9]*\s*(?:#.*)?|[{\[]?\s*)$")
_CLOSES = re.compile(r"[\s}\],]*$")
_VALUE = re.compile(r"\"(?:[^\"\\]|\\.)*\"?|'(?:[^']|'')*'?|(?:(?! #).)*")
_FLOW = re.compile(r"\b(?P<key>stringData|data|binaryData)[\"']?\s*:\s*\{(?P<pairs>[^}]*)")
_IN_FLOW = re.compile(r"(?<![\w.-])[\w.-]+[\"']?\s*:\s*(?P<value>[^,}\s][^,}]*)")
_HARMLESS = frozenset(
    [
        "apiVersion",
        "kind",
        "metadata",
        "name",
        "namespace",
        "type",
        "op",
        "path",
        "key",
        "from",
        "target",
        "patch",
        "patches",
        "resources",
    ]
)
"""Keys whose values are shown even where a Secret is so broken that nobody knows what else is one."""


@dataclass(slots=True)
class _Mapping:
    """What the lines of one mapping say of it."""

    kind: str = ""
    name: str = ""
    path: str = ""
    generates: bool = False
    keys: set[str] = field(default_factory=set)


@dataclass(frozen=True, slots=True)
class _Entry:
    """A line with content: the column of its content and of its value, and the entry that it stands below."""

    line: int
    column: int
    begin: int
    key: str
    is_item: bool
    mapping: _Mapping
    parent: _Entry | None


def lines_of(text: str) -> list[str]:
    """The lines as YAML counts them, which knows fewer line breaks than Python."""
    return re.split(r"\r\n|\r|\n", text)


@lru_cache(maxsize=256)  # overlays share their bases
def secret_spans(text: str, *, broken: bool = False) -> Mapping[int, tuple[Span, ...]]:
    """Where the lines of a source, counted from 0, write secrets; `broken` where it is not valid YAML."""
    lines = lines_of(text)
    spans: dict[int, list[Span]] = {}
    begins = [0, *(number for number, line in enumerate(lines) if line.startswith("---")), len(lines)]
    for begin, end in pairwise(begins):
        document = lines[begin:end]
        if "kind: CustomResourceDefinition" in document:
            continue
        loose = broken and any(map(SPEAKS_OF_SECRETS.search, document))
        for number, span in _in_document(document, loose):
            spans.setdefault(begin + number, []).append(span)
    for number, line in enumerate(lines):
        if found := [*secrets_in(line), *_in_flow(line)]:
            spans.setdefault(number, []).extend(found)
    return {
        number: tuple(merged(span for span in found if not stands_for_secret(lines[number][slice(*span)])))
        for number, found in spans.items()
    }


def _in_document(lines: Sequence[str], loose: bool) -> Iterator[tuple[int, Span]]:
    secret: dict[int, bool] = {}  # by line: whether all that stands below is, too
    before: _Entry | None = None
    for entry in list(_entries(lines)):
        line, above = lines[entry.line], entry.parent
        begin = entry.begin
        held = above is not None and _holds(above)
        named = _is_named(entry, before, lines)
        if above is not None and secret[above.line] and not (held or (entry.key and _is_open(lines, above))):
            secret[entry.line], before = True, entry
            yield entry.line, (entry.column, len(line.rstrip()))
            continue
        if held and not entry.key:
            begin += value_of_pair(line[begin:])
        elif (held or loose or named) and entry.key and config_key(entry.key):
            yield entry.line, (entry.column + value_of_pair(line[entry.column :]), begin)
        secret[entry.line] = held or named
        before = entry
        shown = entry.key in _HARMLESS and not held
        if (held or named or (loose and not shown)) and not _OPENS.match(line, begin):
            yield entry.line, _value(line, begin)


def _is_open(lines: Sequence[str], entry: _Entry) -> bool:
    """Whether a mapping may stand below a key, which then says where the secret is."""
    opens = entry.key != "value" and _OPENS.match(lines[entry.line], entry.begin)
    return bool(opens) and not _holds(entry.parent)


def _holds(entry: _Entry | None) -> bool:
    """Whether what stands below a key are secrets by their names."""
    if entry is None:
        return False
    if entry.key == "literals":
        return entry.mapping.generates
    return holds_secrets(entry.key, entry.mapping.keys, entry.mapping.kind)


def _is_named(entry: _Entry, before: _Entry | None, lines: Sequence[str]) -> bool:
    if entry.key:
        mapping = entry.mapping
        is_flow = lines[entry.line][entry.begin : entry.begin + 1] in ("{", "[")
        slipped = is_secret(mapping.kind) and _holds(entry) and not is_flow
        is_name = " " not in entry.key  # and no command of a script
        return slipped or (is_name and is_secret_field(entry.key, mapping.name, mapping.path))
    if not entry.is_item or before is None or before.key or before.column != entry.column:
        return False
    option = lines[before.line][before.begin :].strip().strip("\"'")
    value = lines[entry.line][entry.begin :].lstrip("\"'")
    return (
        option[:1] == "-" and "=" not in option and value[:1] != "-" and may_name_secret(option.lstrip("-"))
    )


def _entries(lines: Sequence[str]) -> Iterator[_Entry]:
    """The lines with content; what a mapping says of itself is known once all are read."""
    open_keys: list[_Entry] = []
    mappings: dict[tuple[int, int], _Mapping] = {}
    for number, line in enumerate(lines):
        if _CLOSES.match(line) or line.lstrip().startswith("#"):
            continue
        dashes = _DASHES.match(line)
        assert dashes is not None
        column, indent = dashes.end(), len(line) - len(line.lstrip())
        is_item = column > indent
        while open_keys and not _stands_below(open_keys[-1], indent, is_item, lines):
            open_keys.pop()
        parent = open_keys[-1] if open_keys else None
        place = (parent.line if parent else -1, column)
        if is_item or place not in mappings:
            mappings[place] = _Mapping(generates=parent is not None and parent.key == "secretGenerator")
        found = _KEY.match(line, column)
        key = found["key"].strip("\"'") if found else ""
        entry = _Entry(
            number, column, found.end() if found else column, key, is_item, mappings[place], parent
        )
        if key in ("kind", "name", "path"):
            setattr(entry.mapping, key, line[entry.begin :].strip().strip("\"',"))
        if key:
            entry.mapping.keys.add(key)
            open_keys.append(entry)
        yield entry


def _stands_below(key: _Entry, indent: int, is_item: bool, lines: Sequence[str]) -> bool:
    if key.column == indent and is_item:
        return not lines[key.line][key.begin :].strip()  # items may stand as deep as their key
    return key.column < indent


def _value(line: str, begin: int) -> Span:
    """A value without its tag, quotes and comment."""
    if marks := _MARKS.match(line, begin):
        begin = marks.end()
    found = _VALUE.match(line, begin)
    assert found is not None
    text = found[0].rstrip()
    if text[:1] in ("'", '"'):
        return begin + 1, begin + len(text) - (len(text) > 1 and text[-1] == text[0])
    return begin, begin + len(text)


def _in_flow(line: str) -> Iterator[Span]:
    for flow in _FLOW.finditer(line):
        if flow["key"] == "stringData" or SPEAKS_OF_SECRETS.search(line):
            for pair in _IN_FLOW.finditer(line, *flow.span("pairs")):
                yield _value(line[: pair.end()].rstrip(), pair.start("value"))


def merged(spans: Iterable[Span]) -> Iterator[Span]:
    """The same stretches in order, those that touch made one."""
    last: Span | None = None
    for begin, end in sorted(spans):
        if last is not None and begin <= last[1]:
            last = last[0], max(last[1], end)
            continue
        if last is not None:
            yield last
        last = begin, end
    if last is not None:
        yield last
