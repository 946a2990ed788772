"""Hostile input for the fuzz tests: what an enemy or an unlucky editor makes of sound YAML."""

from __future__ import annotations

import copy
from typing import Any

from hypothesis import strategies as st

SECRET = "s3cr3t-marker-4711"
"""Stands where only a secret does; no output may hold it, nor its base64."""
ENCODED_SECRET = "czNjcjN0LW1hcmtlci00NzEx"
ESCAPE = "\x1b]0;owned\x07\x1b[31m\x9b5m\u202e\r\b"

Mutations = list[tuple[int, str, int]]
Slips = list[tuple[int, int, str]]


def _deep(levels: int) -> Any:
    value: Any = "leaf"
    for level in range(levels):
        value = [value] if level % 2 else {"spec": value}
    return value


ODD_SCALARS: tuple[Any, ...] = (
    None, True, False, 0, -1, 1 << 31, 1 << 63, -(1 << 70), 10**400, 1.5, float("nan"), float("inf"), -0.0,
    "", " ", "0", "1e3", "-5Gi", "10%", "null", "~", "../../..", "/etc/passwd", "https://example.com/x?ref=a",
    "a" * 5000, "é" * 300, "\u0000", "\ufeff", "\ud7ff\ue000", "🦄", ESCAPE, "${VAR} $(VAR) $$(VAR)",
    "$(A)$(B)" * 100, "%n%s{0}{x}", "-----BEGIN", "!!python/object:os.system", "a\nb", "*", "[", "(" * 200,
)  # fmt: skip
ODD_COLLECTIONS: tuple[Any, ...] = (
    [], [None], [[]], [""], [{}], ["a", 1, None, {"b": []}], {}, {"": ""}, {1: 2}, {True: None}, {None: 1},
    {2.5: "x"}, {"a/b/c": ESCAPE}, {"name": ESCAPE}, {"$patch": "delete"}, {"$patch": 5},
    {"$setElementOrder/a": 1}, _deep(30), _deep(150), ["x"] * 2000, dict.fromkeys(map(str, range(500))),
)  # fmt: skip
ODD_VALUES = ODD_SCALARS + ODD_COLLECTIONS
ODD_TEXTS = (
    "", "\t", "\n", "\x00", "\x1b[2J", ":", "- ", "&a ", "*a", "<<: *a", "{", "[", '"', "'", "|\n", "---\n",
    "? ", "!!binary ", "!x ", "%YAML 9.9\n", "\u2028", "\ufeff", "#", "@", "`", "\r", "  ",
)  # fmt: skip

mutations = st.lists(
    st.tuples(
        st.integers(0, 1 << 16),
        st.sampled_from(("replace", "replace", "delete", "rename", "append", "wrap", "copy")),
        st.integers(0, len(ODD_VALUES) - 1),
    ),
    min_size=1,
    max_size=4,
)
"""Where to change a value, how, and with what."""

slips = st.lists(
    st.tuples(st.integers(0, 1 << 16), st.integers(0, 8), st.sampled_from(ODD_TEXTS)), min_size=1, max_size=3
)
"""Where a text is broken, how many characters go, and what comes instead."""


def mutate(document: Any, changes: Mutations) -> Any:
    """Change a parsed document at the places that the numbers stand for."""
    document = copy.deepcopy(document)
    for where, how, which in changes:
        places = list(_places(document))
        if not places:
            return document
        container, key = places[where % len(places)]
        odd = copy.deepcopy(ODD_VALUES[which])
        if how == "delete":
            del container[key]
        elif how == "rename" and isinstance(container, dict):
            name = odd if isinstance(odd, (str, int, float, bool, type(None))) else "renamed"
            container[name] = container.pop(key)
        elif how == "append" and isinstance(container[key], list):
            container[key].append(odd)
        elif how == "wrap":
            container[key] = [container[key]]
        elif how == "copy":
            container[key] = copy.deepcopy(document)
        else:
            container[key] = odd
    return document


def slip(text: str, changes: Slips) -> str:
    """Break a text at the places that the numbers stand for."""
    for where, length, new in changes:
        at = where % (len(text) + 1)
        text = text[:at] + new + text[at + length :]
    return text


def _places(value: Any) -> Any:
    """Every (container, key) of a document."""
    items = value.items() if isinstance(value, dict) else enumerate(value) if isinstance(value, list) else ()
    for key, child in list(items):
        yield value, key
        yield from _places(child)
