"""What a structural schema says of values: types, bounds, patterns, alternatives.

Re-states k8s.io/kube-openapi (pkg/validation/validate), which the server runs once defaults are filled in.
Where a value fails, the path is the one that the server names.
"""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any, NamedTuple

from vllm_kustomize.apiserver.custom import formats
from vllm_kustomize.apiserver.custom.correlation import ABSENT, of_field, of_item, same
from vllm_kustomize.apiserver.custom.schema import Schema
from vllm_kustomize.kubernetes.regex import UnknownSyntax, matches
from vllm_kustomize.model import FieldPath, KubernetesVersion
from vllm_kustomize.wording import quote

CHECKED_FORMATS_SINCE: KubernetesVersion = (1, 36)
"""From when on numbers must fit their `format`: earlier releases compared them with the bounds alone."""

_INT_BITS = {"int32": 31, "int64": 63}
_LARGEST_FLOAT32 = 3.4028235677973366e38
_SAFE_INTEGER = 2**53 - 1
"""Beyond, a number that is written as no integer is none for the server (swag.IsFloat64AJSONInteger)."""


class Refusal(NamedTuple):
    """What the server refuses: `blocking` where it then leaves the CEL rules of the object aside."""

    path: FieldPath
    message: str
    blocking: bool = False
    help: str = ""


class Values:
    """Checks values for one Kubernetes version, and collects what it refuses and what it could not check."""

    __slots__ = ("found", "unchecked", "version")

    def __init__(self, version: KubernetesVersion) -> None:
        self.version = version
        self.found: list[Refusal] = []
        self.unchecked: dict[str, None] = {}

    def check(self, value: Any, schema: Schema, path: FieldPath, old: Any = ABSENT) -> None:
        """Check a value and everything below it; what is as it was in the `old` object is let through."""
        if old is not ABSENT and same(value, old):
            return
        if value is None:
            if schema.types and not schema.nullable:
                self._refuse(path, f"must be {_types(schema.types)}, not null", blocking=True)
            if schema.enum:
                self._refuse(path, f"is null, but must be one of {_listed(schema.enum)}", blocking=True)
            return
        self._check_type(value, schema, path)
        if schema.any_of or schema.one_of or schema.all_of or schema.negated:
            self._check_alternatives(value, schema, path)
        if schema.enum and not any(_is_same(value, allowed) for allowed in schema.enum):
            message = f"{_shown(value)} is not supported; use one of {_listed(schema.enum)}"
            self._refuse(path, message, blocking=True)
        if isinstance(value, dict):
            self._check_object(value, schema, path, old)
        elif isinstance(value, list):
            self._check_list(value, schema, path, old)
        elif isinstance(value, str):
            self._check_text(value, schema, path)
        elif not isinstance(value, bool):
            self._check_number(value, schema, path)

    def _refuse(self, path: FieldPath, message: str, *, blocking: bool = False) -> None:
        self.found.append(Refusal(path, message, blocking))

    def _check_type(self, value: Any, schema: Schema, path: FieldPath) -> None:
        types = schema.types
        if not types and not schema.format:
            return
        actual = _type(value)
        whole = actual == "number" and value.is_integer() and abs(value) <= _SAFE_INTEGER
        fits = (
            actual in types or (whole and "integer" in types) or (actual == "integer" and "number" in types)
        )
        if fits:
            return
        numeric = "number" in types or "integer" in types
        if actual in ("string", "array") and not numeric and self._format(schema):
            return  # a text with a format may be a list, as far as the server's type check goes
        if types or self._format(schema):
            wanted = _types(types) if types else f"a text of format {schema.format}"
            self._refuse(path, f"must be {wanted}, but is {_ARTICLES[actual]}", blocking=True)

    def _format(self, schema: Schema) -> bool:
        """Whether the format is one that the server looks at."""
        if not schema.format:
            return False
        if schema.types in ((), ("string",), ("integer", "string")):
            return formats.known(schema.format, self.version) is not None
        return schema.types in (("integer",), ("number",))

    def _check_alternatives(self, value: Any, schema: Schema, path: FieldPath) -> None:
        if schema.any_of and not any(self._fits(value, part, path) for part in schema.any_of):
            alternatives = _alternatives(schema.any_of)
            self._refuse(path, f"fits none of the alternatives: {alternatives}", blocking=True)
        if schema.one_of:
            fitting = sum(self._fits(value, part, path) for part in schema.one_of)
            if fitting != 1:
                fits = f"fits {fitting} of" if fitting else "fits none of"
                self._refuse(
                    path, f"{fits} the alternatives, but must fit one: {_alternatives(schema.one_of)}"
                )
        for part in schema.all_of:
            self.check(value, part, path)
        if schema.negated and self._fits(value, schema.negated, path):
            self._refuse(path, f"is what it must not be: {_condition(schema.negated)}")

    def _fits(self, value: Any, schema: Schema, path: FieldPath) -> bool:
        inner = Values(self.version)
        inner.check(value, schema, path)
        self.unchecked.update(inner.unchecked)
        return not inner.found

    def _check_object(self, value: dict[str, Any], schema: Schema, path: FieldPath, old: Any) -> None:
        size = len(value)
        if schema.min_properties is not None and size < schema.min_properties:
            self._refuse(path, f"has {size} fields, but must have at least {schema.min_properties}")
        if schema.max_properties is not None and size > schema.max_properties:
            self._refuse(
                path, f"has {size} fields, but may have at most {schema.max_properties}", blocking=True
            )
        for name, item in value.items():
            child = schema.child(name)
            if child is not None:
                self.check(item, child, (*path, name), of_field(old, name))
        for name in schema.required:
            if name not in value:
                self._refuse((*path, name), "is required", blocking=True)

    def _check_list(self, value: list[Any], schema: Schema, path: FieldPath, old: Any) -> None:
        size = len(value)
        if schema.items is not None:
            for index, item in enumerate(value):
                self.check(item, schema.items, (*path, index), of_item(old, item, schema))
        if schema.min_items is not None and size < schema.min_items:
            self._refuse(path, f"has {size} items, but must have at least {schema.min_items}")
        if schema.max_items is not None and size > schema.max_items:
            self._refuse(path, f"has {size} items, but may have at most {schema.max_items}", blocking=True)

    def _check_text(self, value: str, schema: Schema, path: FieldPath) -> None:
        length = len(value)
        if schema.max_length is not None and length > schema.max_length:
            self._refuse(
                path, f"has {length} characters, but may have at most {schema.max_length}", blocking=True
            )
        elif schema.min_length is not None and length < schema.min_length:
            self._refuse(path, f"has {length} characters, but must have at least {schema.min_length}")
        elif schema.pattern and not self._matches(value, schema.pattern):
            self._refuse(path, f"{quote(value)} does not match {schema.pattern}")
        if schema.format and schema.types in ((), ("string",), ("integer", "string")):
            accepts = formats.known(schema.format, self.version)
            if accepts is not None and not accepts(value):
                self._refuse(path, f"{quote(value)} is not of the format {schema.format}", blocking=True)

    def _matches(self, value: str, pattern: str) -> bool:
        try:
            return matches(pattern, value)
        except UnknownSyntax:
            self.unchecked[f"the pattern {pattern}"] = None
            return True

    def _check_number(self, value: float, schema: Schema, path: FieldPath) -> None:
        checked = self.version >= CHECKED_FORMATS_SINCE
        if checked and not _in_range(value, schema):
            self._refuse(path, f"is {value}, which is not a valid {schema.format or 'int64'}")
        below = schema.minimum is not None and (
            value < schema.minimum or (schema.exclusive_minimum and value == schema.minimum)
        )
        above = schema.maximum is not None and (
            value > schema.maximum or (schema.exclusive_maximum and value == schema.maximum)
        )
        if below:
            wanted = "more than" if schema.exclusive_minimum else "at least"
            self._refuse(path, f"is {value}, but must be {wanted} {schema.minimum}")
        if above:
            wanted = "less than" if schema.exclusive_maximum else "at most"
            self._refuse(path, f"is {value}, but must be {wanted} {schema.maximum}")
        if schema.multiple_of is not None and not _is_multiple(value, schema.multiple_of):
            impossible = isinstance(value, int) and schema.multiple_of < 1
            wanted = (
                "the server takes no integer where multipleOf is" if impossible else "must be a multiple of"
            )
            self._refuse(path, f"is {value}, but {wanted} {schema.multiple_of}")
        if checked:
            for bound in (schema.minimum, schema.maximum, schema.multiple_of):
                if bound is not None and not _in_range(bound, schema):
                    self._refuse(
                        path,
                        f"can have no value: its bound {bound} is not a valid {schema.format or 'int64'}",
                    )


_ARTICLES = {
    "string": "a string", "array": "a list", "object": "a mapping", "boolean": "a boolean",
    "integer": "an integer", "number": "a number",
}  # fmt: skip


def _type(value: Any) -> str:
    if isinstance(value, str):
        return "string"
    if isinstance(value, dict):
        return "object"
    if isinstance(value, list):
        return "array"
    if isinstance(value, bool):
        return "boolean"
    return "integer" if isinstance(value, int) else "number"


def _in_range(value: float, schema: Schema) -> bool:
    """Whether a number is one of the schema's type and format (validate.IsValueValidAgainstRange)."""
    if schema.types == ("integer",):
        limit = 2 ** _INT_BITS.get(schema.format, 63)
        return value == value // 1 and -limit <= value < limit
    if schema.types == ("number",) and schema.format == "float":
        return abs(value) <= _LARGEST_FLOAT32
    return True


def _is_multiple(value: float, factor: float) -> bool:
    if isinstance(value, int):
        return int(factor) > 0 and value % int(factor) == 0
    if factor <= 0:
        return False
    quotient = 1 / factor * value if factor < 1 else value / factor
    return quotient.is_integer() and abs(quotient) <= _SAFE_INTEGER


def _is_same(value: Any, allowed: Any) -> bool:
    """Whether a value is one of an `enum`: numbers by value, all else by type and value."""
    if isinstance(value, bool) or isinstance(allowed, bool):
        return value is allowed
    if isinstance(value, (int, float)) and isinstance(allowed, (int, float)):
        return value == allowed
    return type(value) is type(allowed) and bool(value == allowed)


def _types(types: tuple[str, ...]) -> str:
    return " or ".join(_ARTICLES.get(name, name) for name in types)


def _listed(values: Iterable[Any]) -> str:
    return ", ".join(sorted(map(_shown, values)))


def _shown(value: Any) -> str:
    if isinstance(value, str):
        return quote(value)
    return {True: "true", False: "false"}[value] if isinstance(value, bool) else quote(value).strip('"')


def _alternatives(parts: Iterable[Schema]) -> str:
    return "; ".join(dict.fromkeys(filter(None, map(_condition, parts))))


def _condition(schema: Schema) -> str:
    """What a part of `anyOf`, `oneOf` or `not` asks for, in words."""
    said = []
    if schema.types:
        said.append(_types(schema.types))
    if schema.required:
        said.append(f"{', '.join(schema.required)} set")
    if schema.enum:
        said.append(f"one of {_listed(schema.enum)}")
    if schema.pattern:
        said.append(f"a text that matches {schema.pattern}")
    if schema.format:
        said.append(f"of format {schema.format}")
    said.extend(
        f"{name} {_condition(schema.fields[name])}"
        for name in schema.fields.raw
        if _condition(schema.fields[name])
    )
    said.extend(f"not ({_condition(part)})" for part in (schema.negated,) if part and _condition(part))
    said.extend(f"({_alternatives(part)})" for part in (schema.any_of, schema.one_of) if part)
    return " and ".join(said)
