"""What a plain YAML scalar stands for.

Source: resolve.go of go-yaml v2 and v3, and encoding/json, through which sigs.k8s.io/yaml passes every value.
"""

from __future__ import annotations

import json
import re
from typing import Any

_CONSTANTS: dict[str, Any] = {
    **dict.fromkeys(("true", "True", "TRUE"), True),
    **dict.fromkeys(("false", "False", "FALSE"), False),
    **dict.fromkeys(("", "~", "null", "Null", "NULL"), None),
    **dict.fromkeys((".inf", ".Inf", ".INF", "+.inf", "+.Inf", "+.INF"), float("inf")),
    **dict.fromkeys(("-.inf", "-.Inf", "-.INF"), float("-inf")),
    **dict.fromkeys((".nan", ".NaN", ".NAN"), float("nan")),
}
_CONSTANTS_1_1: dict[str, Any] = {
    **_CONSTANTS,
    **dict.fromkeys(("y", "Y", "yes", "Yes", "YES", "on", "On", "ON"), True),
    **dict.fromkeys(("n", "N", "no", "No", "NO", "off", "Off", "OFF"), False),
}
_INTEGER = re.compile(r"([-+]?)(?:0[xX]([0-9a-fA-F]+)|0[bB]([01]+)|0[oO]?([0-7]+)|(0|[1-9][0-9]*))\Z", re.A)
_FLOAT = re.compile(r"[-+]?(?:\.[0-9]+|[0-9]+(?:\.[0-9]*)?)(?:[eE][-+]?[0-9]+)?\Z", re.A)


def resolve(text: str, *, yes_is_true: bool = True) -> Any:
    """Return the value of a plain scalar, as go-yaml's resolve.go and encoding/json make it."""
    constants = _CONSTANTS_1_1 if yes_is_true else _CONSTANTS
    if text in constants:
        return constants[text]
    if text[0] not in "+-.0123456789":
        return text
    digits = text.replace("_", "") if text[0] != "." else text
    if match := _INTEGER.match(digits):
        sign, hexadecimal, binary, octal, decimal = match.groups()
        if hexadecimal:
            magnitude = int(hexadecimal, 16)
        elif binary:
            magnitude = int(binary, 2)
        elif octal:
            magnitude = int(octal, 8)
        else:
            magnitude = int(decimal) if len(decimal) < 400 else 1 << 64
        number = -magnitude if sign == "-" else magnitude
        if -(1 << 63) <= number < 1 << 64:
            return number
    if _FLOAT.match(digits):
        real = float(digits)
        return int(real) if abs(real) < 1e18 and real.is_integer() else real
    return text


def scalar_text(value: object) -> str:
    """Write a scalar as the engine does where it has to be a text."""
    return value if isinstance(value, str) else json.dumps(value)
