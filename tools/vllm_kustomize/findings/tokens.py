"""How far a value reaches that begins somewhere on a line of YAML."""

from __future__ import annotations

import re

_TOKEN = re.compile(r"\"(?:[^\"\\]|\\.)*\"|'(?:[^']|'')*'|(?:(?! #).)*")
_WORD = re.compile(r"[^\s\"']+")
_FLOW_TOKEN = re.compile(r"\"(?:[^\"\\]|\\.)*\"|'(?:[^']|'')*'|[^,\]}]*")


def value_at(line: str, column: int, *, is_word: bool = False, in_flow: bool = False) -> str:
    """The value that begins at a column (from 0): a bracket alone where that opens one.

    `is_word` takes a word of a longer text. `in_flow` says that the line is in flow style where that cannot
    be seen because its beginning is missing.
    """
    before = line[:column]
    in_flow = in_flow or before.count("[") + before.count("{") > before.count("]") + before.count("}")
    found = (_WORD if is_word else _FLOW_TOKEN if in_flow else _TOKEN).match(line, column)
    value = found[0].rstrip().removesuffix(":") if found else ""
    return value[:1] if value.startswith(("{", "[")) else value
