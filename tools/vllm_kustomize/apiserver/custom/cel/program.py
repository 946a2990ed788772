"""Expressions as closures: each node of the tree becomes a function of a frame, which holds the variables.

Errors are exceptions. `&&`, `||`, `all` and `exists` take an error back where another operand decides, as the
language says; everything else passes it on.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from functools import lru_cache
from typing import Any

from vllm_kustomize.apiserver.custom.cel import functions, macros
from vllm_kustomize.apiserver.custom.cel.frame import Budget, Evaluate, Frame, decide
from vllm_kustomize.apiserver.custom.cel.operators import BINARY, UNARY, index, member
from vllm_kustomize.apiserver.custom.cel.syntax import (
    Call,
    Conditional,
    Entries,
    Index,
    Items,
    Literal,
    Name,
    Node,
    Select,
    parse,
)
from vllm_kustomize.apiserver.custom.cel.values import (
    NONE,
    NoOverload,
    Optional,
    Type,
    Unsupported,
    has_key,
    is_map,
    make_map,
)

__all__ = ["Budget", "Program", "compile_expression"]

_TYPES = {
    name: Type(name)
    for name in ("bool", "bytes", "double", "int", "list", "map", "null_type", "string", "type", "uint")
} | {
    "optional_type": Type("optional_type"),
    "google.protobuf.Duration": Type("google.protobuf.Duration"),
    "google.protobuf.Timestamp": Type("google.protobuf.Timestamp"),
}


@dataclass(frozen=True, slots=True)
class Program:
    """A compiled expression, and whether it speaks of the object as it was (`oldSelf`)."""

    run: Evaluate
    uses_old_self: bool

    def evaluate(self, variables: dict[str, Any], budget: Budget) -> Any:
        """The value of the expression; raises CelError, or Unsupported once the budget is spent."""
        try:
            return self.run(Frame(dict(variables), budget))
        except RecursionError:
            raise Unsupported("its values are nested too deep") from None


@lru_cache(maxsize=4096)
def compile_expression(expression: str) -> Program:
    """Compile an expression over `self` and `oldSelf`; raises Unsupported where it cannot be."""
    compiler = _Compiler(("self", "oldSelf"))
    return Program(compiler.compile(parse(expression)), compiler.uses_old_self)


class _Compiler:
    """Compiles a tree; `slots` are the names in scope, each with its place in a frame, which no other has."""

    def __init__(self, variables: tuple[str, ...]) -> None:
        self.slots = {name: name for name in variables}
        self.places = 0
        self.uses_old_self = False

    def compile(self, node: Node) -> Evaluate:
        if isinstance(node, Literal):
            value = node.value
            return lambda frame: value
        if isinstance(node, Name):
            return self._name(node.name)
        if isinstance(node, Select):
            return self._select(node)
        if isinstance(node, Index):
            return _indexed(self.compile(node.operand), self.compile(node.key), node.optional)
        if isinstance(node, Conditional):
            return _conditional(*map(self.compile, (node.condition, node.yes, node.no)))
        if isinstance(node, Items):
            return _items([(self.compile(item), optional) for item, optional in node.items])
        if isinstance(node, Entries):
            return _entries([(self.compile(key), self.compile(value), o) for key, value, o in node.entries])
        return self._call(node)

    def _name(self, name: str) -> Evaluate:
        if name in self.slots:
            slot = self.slots[name]
            self.uses_old_self = self.uses_old_self or slot == "oldSelf"
            return lambda frame: frame.variables[slot]
        if name in _TYPES:
            value = _TYPES[name]
            return lambda frame: value
        raise Unsupported(f"{name} is unknown")

    def _select(self, node: Select) -> Evaluate:
        qualified = _qualified(node)
        if qualified in _TYPES and qualified.partition(".")[0] not in self.slots:
            value = _TYPES[qualified]
            return lambda frame: value
        operand, field = self.compile(node.operand), node.field
        if node.optional:
            return lambda frame: _optional_member(operand(frame), field)
        return lambda frame: member(operand(frame), field)

    def _call(self, node: Call) -> Evaluate:
        name, arguments = node.function, node.arguments
        if node.target is None:
            if name in ("&&", "||"):
                return _logical(name, tuple(map(self.compile, arguments)), decisive=name == "||")
            if name == "has":
                return self._presence(arguments)
            if name in BINARY:
                return _binary(BINARY[name], *map(self.compile, arguments))
            if name in UNARY:
                return _unary(UNARY[name], self.compile(arguments[0]))
            return _function(functions.function(name, len(arguments)), tuple(map(self.compile, arguments)))
        macro = macros.find(name, arguments)
        if macro is not None:
            return self._macro(macro, node.target, arguments)
        qualified = f"{_qualified(node.target)}.{name}"
        if qualified.partition(".")[0] not in self.slots and functions.is_qualified(qualified):
            found = functions.function(qualified, len(arguments))
            return _function(found, tuple(map(self.compile, arguments)))
        method = functions.method(name, len(arguments))
        return _function(method, tuple(map(self.compile, (node.target, *arguments))))

    def _macro(self, macro: macros.Macro, target: Node, arguments: tuple[Node, ...]) -> Evaluate:
        over, outer = self.compile(target), self.slots
        names = [node.name for node in arguments[: macro.names] if isinstance(node, Name)]
        slots = tuple(f"{name}#{self.places + at}" for at, name in enumerate(names))
        self.places += len(slots)
        self.slots = {**outer, **dict(zip(names, slots, strict=True))}
        bodies = tuple(self.compile(node) for node in arguments[macro.names :])
        self.slots = outer
        return macro.build(over, slots, bodies)

    def _presence(self, arguments: tuple[Node, ...]) -> Evaluate:
        if len(arguments) != 1 or not isinstance(arguments[0], Select):
            raise Unsupported("has() takes a field")
        operand, field = self.compile(arguments[0].operand), arguments[0].field
        return lambda frame: _has(operand(frame), field)


def _qualified(node: Node) -> str:
    """A chain of names with dots, or an empty string."""
    if isinstance(node, Name):
        return node.name
    if isinstance(node, Select) and not node.optional and (prefix := _qualified(node.operand)):
        return f"{prefix}.{node.field}"
    return ""


def _has(value: Any, field: str) -> bool:
    if isinstance(value, Optional):
        return value.present and _has(value.value, field)
    if not is_map(value):
        raise NoOverload(f"has() of .{field}", value)
    return has_key(value, field)


def _optional_member(value: Any, field: str) -> Optional:
    if isinstance(value, Optional):
        return _optional_member(value.value, field) if value.present else NONE
    return Optional(True, member(value, field)) if _has(value, field) else NONE


def _indexed(operand: Evaluate, key: Evaluate, optional: bool) -> Evaluate:
    if not optional:
        return lambda frame: index(operand(frame), key(frame))

    def run(frame: Frame) -> Any:
        value, wanted = operand(frame), key(frame)
        if isinstance(value, Optional):
            return index(value, wanted)
        return index(Optional(True, value), wanted)

    return run


def _conditional(condition: Evaluate, yes: Evaluate, no: Evaluate) -> Evaluate:
    def run(frame: Frame) -> Any:
        decided = condition(frame)
        if decided is True:
            return yes(frame)
        if decided is False:
            return no(frame)
        raise NoOverload("? :", decided)

    return run


def _logical(operator: str, parts: tuple[Evaluate, ...], *, decisive: bool) -> Evaluate:
    return lambda frame: decide(frame, parts, operator, decisive=decisive)


def _binary(apply: Callable[[Frame, Any, Any], Any], left: Evaluate, right: Evaluate) -> Evaluate:
    return lambda frame: apply(frame, left(frame), right(frame))


def _unary(apply: Callable[[Any], Any], operand: Evaluate) -> Evaluate:
    return lambda frame: apply(operand(frame))


def _function(apply: Callable[..., Any], arguments: tuple[Evaluate, ...]) -> Evaluate:
    def run(frame: Frame) -> Any:
        values = [argument(frame) for argument in arguments]
        result = apply(*values)
        frame.budget.spend(1 + (len(result) >> 6 if isinstance(result, (str, bytes, list)) else 0))
        return result

    return run


def _items(items: list[tuple[Evaluate, bool]]) -> Evaluate:
    def run(frame: Frame) -> list[Any]:
        result = []
        for item, optional in items:
            value = item(frame)
            if not optional:
                result.append(value)
            elif not isinstance(value, Optional):
                raise NoOverload("[?…]", value)
            elif value.present:
                result.append(value.value)
        return result

    return run


def _entries(entries: list[tuple[Evaluate, Evaluate, bool]]) -> Evaluate:
    def run(frame: Frame) -> dict[Any, Any]:
        result = []
        for key, item, optional in entries:
            name, value = key(frame), item(frame)
            if not optional:
                result.append((name, value))
            elif not isinstance(value, Optional):
                raise NoOverload("{?…}", value)
            elif value.present:
                result.append((name, value.value))
        return make_map(result)

    return run
