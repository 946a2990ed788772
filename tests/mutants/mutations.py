"""The ways in which one place of a module can be broken.

Prose is left alone: a text with a space in it, or inside an f-string, is for a person to read and for the
expected outputs of the tests to compare. So are annotations, decorators and docstrings.
"""

from __future__ import annotations

import ast
import copy
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path

COMPARISONS: dict[type[ast.cmpop], type[ast.cmpop]] = {
    ast.Eq: ast.NotEq,
    ast.NotEq: ast.Eq,
    ast.Lt: ast.LtE,
    ast.LtE: ast.Lt,
    ast.Gt: ast.GtE,
    ast.GtE: ast.Gt,
    ast.In: ast.NotIn,
    ast.NotIn: ast.In,
    ast.Is: ast.IsNot,
    ast.IsNot: ast.Is,
}
OPERATORS: dict[type[ast.operator], type[ast.operator]] = {
    ast.Add: ast.Sub,
    ast.Sub: ast.Add,
    ast.Mult: ast.FloorDiv,
    ast.Div: ast.Mult,
    ast.FloorDiv: ast.Mult,
    ast.Mod: ast.Mult,
    ast.Pow: ast.Mult,
    ast.BitOr: ast.BitAnd,
    ast.BitAnd: ast.BitOr,
}


@dataclass(frozen=True, slots=True)
class Mutant:
    """A module with one place broken: the `number`-th of those that `mutants` finds in it."""

    file: Path
    number: int
    line: int
    before: str
    after: str

    def __str__(self) -> str:
        return f"{self.file}:{self.line}: {self.before}  ->  {self.after}"


def mutants(file: Path) -> list[Mutant]:
    """Every mutant of a module, in the order of its text."""
    return [
        Mutant(file, number, getattr(broken, "lineno", 0), _shown(node), _shown(broken))
        for number, (node, broken, _) in enumerate(_places(ast.parse(file.read_bytes())))
    ]


def mutated(mutant: Mutant) -> ast.Module:
    """The syntax tree of a mutant's module."""
    tree = ast.parse(mutant.file.read_bytes())
    for number, (_, broken, put) in enumerate(_places(tree)):
        if number == mutant.number:
            put(broken)
            return ast.fix_missing_locations(tree)
    raise LookupError(f"{mutant.file} has no mutant {mutant.number}")


Put = Callable[[ast.AST], None]


def _places(tree: ast.AST) -> Iterator[tuple[ast.AST, ast.AST, Put]]:
    """Each node that can be broken, what it becomes, and how to put that in its stead."""
    for field, child, put in _children(tree):
        if _is_left_alone(tree, field, child):
            continue
        for broken in _broken(child):
            yield child, ast.copy_location(broken, child), put
        yield from _places(child)


def _children(node: ast.AST) -> Iterator[tuple[str, ast.AST, Put]]:
    for field, value in ast.iter_fields(node):
        if isinstance(value, ast.AST):
            yield field, value, lambda new, field=field: setattr(node, field, new)  # type: ignore[misc]
        elif isinstance(value, list):
            for index, item in enumerate(value):
                if isinstance(item, ast.AST):
                    yield field, item, lambda new, at=index, of=value: of.__setitem__(at, new)  # type: ignore[misc]


def _is_left_alone(parent: ast.AST, field: str, child: ast.AST) -> bool:
    if field in ("annotation", "returns", "decorator_list", "bases", "type_params"):
        return True
    if isinstance(child, (ast.Import, ast.ImportFrom, ast.JoinedStr, ast.Raise, ast.Assert)):
        return True
    if isinstance(child, ast.Expr) and isinstance(child.value, ast.Constant):
        return True
    if isinstance(child, ast.If) and ast.unparse(child.test) == "TYPE_CHECKING":
        return True
    names = ast.unparse(child.targets[0]) if isinstance(child, ast.Assign) else ""
    return names in ("__slots__", "__all__") or (isinstance(child, ast.Assign) and _is_alias(child.value))


def _is_alias(value: ast.AST) -> bool:
    """Whether a value is the name of a type, as in `Find = Callable[[Path], Location]`."""
    return isinstance(value, ast.Subscript) and ast.unparse(value.value) in ("Callable", "tuple", "Mapping")


def _broken(node: ast.AST) -> Iterator[ast.AST]:
    new = copy.deepcopy(node)
    match new:
        case ast.Compare(ops=[op, *_]) if type(op) in COMPARISONS:
            new.ops[0] = COMPARISONS[type(op)]()
            yield new
        case ast.BoolOp():
            new.op = ast.Or() if isinstance(new.op, ast.And) else ast.And()
            yield new
        case ast.UnaryOp(op=ast.Not() | ast.USub(), operand=operand):
            yield operand
        case ast.BinOp(op=op) if type(op) in OPERATORS:
            new.op = OPERATORS[type(op)]()
            yield new
        case ast.Constant():
            yield from _broken_constants(new)
        case ast.If(test=test) if not isinstance(test, (ast.Compare, ast.BoolOp, ast.UnaryOp)):
            new.test = ast.UnaryOp(ast.Not(), test)
            yield new
        case ast.Break():
            yield ast.Continue()
        case ast.Continue():
            yield ast.Break()
        case ast.Expr(value=ast.Yield() | ast.YieldFrom()):
            # Without a yield a function is not a generator any more.
            yield ast.Expr(ast.YieldFrom(ast.Tuple([], ast.Load())))
        case ast.Expr(value=ast.Call()):
            yield ast.Pass()


def _broken_constants(node: ast.Constant) -> Iterator[ast.Constant]:
    value = node.value
    if isinstance(value, bool):
        yield ast.Constant(not value)
    elif isinstance(value, (int, float)):
        yield ast.Constant(value + 1)
    elif isinstance(value, str) and value and " " not in value:
        yield ast.Constant(f"XX{value}")


def _shown(node: ast.AST) -> str:
    text = ast.unparse(ast.fix_missing_locations(copy.deepcopy(node)))
    return text.partition("\n")[0]
