"""Macros: `all`, `exists`, `map` and the others that bind a variable to each item of a list or key of a map.

The forms with one variable are the language's own (langdef.md, "Macros"); those with two are cel-go's
ext.TwoVarComprehensions, which Kubernetes has since 1.32.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from functools import cmp_to_key
from typing import Any

from vllm_kustomize.apiserver.custom.cel.frame import Evaluate, Frame, decide
from vllm_kustomize.apiserver.custom.cel.syntax import Name, Node
from vllm_kustomize.apiserver.custom.cel.values import (
    NONE,
    CelError,
    NoOverload,
    Optional,
    compare,
    get,
    is_list,
    is_map,
    keys,
    make_map,
)

Build = Callable[[Evaluate, tuple[str, ...], tuple[Evaluate, ...]], Evaluate]


@dataclass(frozen=True, slots=True)
class Macro:
    """How many of the arguments are names, and what makes the closure of the rest."""

    names: int
    build: Build


def find(name: str, arguments: tuple[Node, ...]) -> Macro | None:
    """The macro that a method call is, or None where it is a call."""
    names = 0
    for argument in arguments:
        if not isinstance(argument, Name):
            break
        names += 1
    for wanted in (2, 1):
        build = _MACROS.get((name, wanted, len(arguments) - wanted))
        if build is not None and names >= wanted:
            return Macro(wanted, build)
    return None


def _bound(frame: Frame, over: Any, names: tuple[str, ...]) -> Iterator[Any]:
    """Bind the names to each step of a range in turn, and give the first."""
    if is_map(over):
        steps = ((key, get(over, key)) if len(names) == 2 else (key,) for key in keys(over))
    elif is_list(over):
        steps = ((at, item) if len(names) == 2 else (item,) for at, item in enumerate(over))
    else:
        raise NoOverload("a macro", over)
    for step in steps:
        frame.budget.spend(1)
        frame.variables.update(zip(names, step, strict=True))
        yield step[0]


def _quantifier(name: str, *, decisive: bool) -> Build:
    """`all` (false decides) and `exists` (true decides)."""

    def build(over: Evaluate, names: tuple[str, ...], bodies: tuple[Evaluate, ...]) -> Evaluate:
        (predicate,) = bodies

        def run(frame: Frame) -> bool:
            operands = (predicate for _ in _bound(frame, over(frame), names))
            return decide(frame, operands, name, decisive=decisive)

        return run

    return build


def _exists_one(over: Evaluate, names: tuple[str, ...], bodies: tuple[Evaluate, ...]) -> Evaluate:
    (predicate,) = bodies

    def run(frame: Frame) -> bool:
        return sum(_decided(predicate(frame)) for _ in _bound(frame, over(frame), names)) == 1

    return run


def _decided(value: Any) -> bool:
    if isinstance(value, bool):
        return value
    raise NoOverload("a condition", value)


def _filter(over: Evaluate, names: tuple[str, ...], bodies: tuple[Evaluate, ...]) -> Evaluate:
    (predicate,) = bodies

    def run(frame: Frame) -> list[Any]:
        return [item for item in _bound(frame, over(frame), names) if _decided(predicate(frame))]

    return run


def _mapped(over: Evaluate, names: tuple[str, ...], bodies: tuple[Evaluate, ...]) -> Evaluate:
    *conditions, transform = bodies

    def run(frame: Frame) -> list[Any]:
        return [
            transform(frame)
            for _ in _bound(frame, over(frame), names)
            if all(_decided(condition(frame)) for condition in conditions)
        ]

    return run


def _sorted(over: Evaluate, names: tuple[str, ...], bodies: tuple[Evaluate, ...]) -> Evaluate:
    (key,) = bodies

    def run(frame: Frame) -> list[Any]:
        keyed = [(cmp_to_key(compare)(key(frame)), item) for item in _bound(frame, over(frame), names)]
        return [item for _, item in sorted(keyed, key=lambda pair: pair[0])]

    return run


def _mapped_values(over: Evaluate, names: tuple[str, ...], bodies: tuple[Evaluate, ...]) -> Evaluate:
    *conditions, transform = bodies

    def run(frame: Frame) -> dict[Any, Any]:
        return make_map(
            [
                (key, transform(frame))
                for key in _bound(frame, over(frame), names)
                if all(_decided(condition(frame)) for condition in conditions)
            ]
        )

    return run


def _mapped_entries(over: Evaluate, names: tuple[str, ...], bodies: tuple[Evaluate, ...]) -> Evaluate:
    *conditions, transform = bodies

    def run(frame: Frame) -> dict[Any, Any]:
        entries: list[tuple[Any, Any]] = []
        for _ in _bound(frame, over(frame), names):
            if all(_decided(condition(frame)) for condition in conditions):
                made = transform(frame)
                if not is_map(made):
                    raise NoOverload("transformMapEntry", made)
                entries.extend((key, get(made, key)) for key in keys(made))
        made_of_all = make_map(entries)
        if len(made_of_all) != len(entries):
            raise CelError("a key comes twice")
        return made_of_all

    return run


def _optional(*, flat: bool) -> Build:
    """`optMap` and `optFlatMap`: the value of an optional put through an expression."""

    def build(over: Evaluate, names: tuple[str, ...], bodies: tuple[Evaluate, ...]) -> Evaluate:
        (transform,) = bodies

        def run(frame: Frame) -> Any:
            value = over(frame)
            if not isinstance(value, Optional):
                raise NoOverload("optFlatMap" if flat else "optMap", value)
            if not value.present:
                return NONE
            for _ in _bound(frame, [value.value], names):
                made = transform(frame)
                if flat and not isinstance(made, Optional):
                    raise NoOverload("optFlatMap", made)
            return made if flat else Optional(True, made)

        return run

    return build


_MACROS: dict[tuple[str, int, int], Build] = {
    ("all", 1, 1): _quantifier("all", decisive=False),
    ("all", 2, 1): _quantifier("all", decisive=False),
    ("exists", 1, 1): _quantifier("exists", decisive=True),
    ("exists", 2, 1): _quantifier("exists", decisive=True),
    ("exists_one", 1, 1): _exists_one,
    ("existsOne", 2, 1): _exists_one,
    ("filter", 1, 1): _filter,
    ("sortBy", 1, 1): _sorted,
    ("map", 1, 1): _mapped,
    ("map", 1, 2): _mapped,
    ("transformList", 2, 1): _mapped,
    ("transformList", 2, 2): _mapped,
    ("transformMap", 2, 1): _mapped_values,
    ("transformMap", 2, 2): _mapped_values,
    ("transformMapEntry", 2, 1): _mapped_entries,
    ("transformMapEntry", 2, 2): _mapped_entries,
    ("optMap", 1, 1): _optional(flat=False),
    ("optFlatMap", 1, 1): _optional(flat=True),
}
"""Each macro by its name, the number of its variables and that of its expressions."""
