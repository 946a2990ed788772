"""The functions of the language and of Kubernetes, by name and number of arguments.

A method is a function whose first argument is what it is called on.
"""

from __future__ import annotations

from collections.abc import Callable
from functools import cache
from importlib import import_module
from typing import Any

from vllm_kustomize.apiserver.custom.cel.values import Unsupported

Function = Callable[..., Any]
Functions = dict[tuple[str, int], Function]

_MODULES = ("standard", "lists", "strings", "net", "kubernetes")
"""Where functions are looked for; the last two import much, and few rules need them."""


def function(name: str, arguments: int) -> Function:
    """The function of this name; raises Unsupported where there is none."""
    return _found("FUNCTIONS", name, arguments)


def method(name: str, arguments: int) -> Function:
    """The method of this name, for this many arguments besides what it is called on; raises Unsupported."""
    return _found("METHODS", name, arguments + 1)


def is_qualified(name: str) -> bool:
    """Whether a name with dots is a function's."""
    return any(name == known for module in _MODULES for known, _ in _table(module, "FUNCTIONS"))


def _found(table: str, name: str, arguments: int) -> Function:
    for module in _MODULES:
        if found := _table(module, table).get((name, arguments)):
            return found
    raise Unsupported(f"the function {name}() is unknown")


@cache
def _table(module: str, table: str) -> Functions:
    functions: Functions = getattr(import_module(f"{__name__}.{module}"), table)
    return functions
