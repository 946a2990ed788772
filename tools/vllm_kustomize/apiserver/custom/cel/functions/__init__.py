"""The functions of the language and of Kubernetes, by name and number of arguments.

A method is a function whose first argument is what it is called on.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from vllm_kustomize.apiserver.custom.cel.functions import kubernetes, lists, net, standard, strings
from vllm_kustomize.apiserver.custom.cel.values import Unsupported

Function = Callable[..., Any]

_MODULES = (standard, strings, lists, net, kubernetes)
_FUNCTIONS: dict[tuple[str, int], Function] = {
    key: found for module in _MODULES for key, found in module.FUNCTIONS.items()
}
_METHODS: dict[tuple[str, int], Function] = {
    key: found for module in _MODULES for key, found in module.METHODS.items()
}
_QUALIFIED = frozenset(name for name, _ in _FUNCTIONS if "." in name)


def function(name: str, arguments: int) -> Function:
    """The function of this name; raises Unsupported where there is none."""
    return _found(_FUNCTIONS, name, arguments)


def method(name: str, arguments: int) -> Function:
    """The method of this name, for this many arguments besides what it is called on; raises Unsupported."""
    return _found(_METHODS, name, arguments + 1)


def is_qualified(name: str) -> bool:
    """Whether a name with dots is a function's."""
    return name in _QUALIFIED


def _found(functions: dict[tuple[str, int], Function], name: str, arguments: int) -> Function:
    try:
        return functions[name, arguments]
    except KeyError:
        raise Unsupported(f"the function {name}() is unknown") from None
