"""What an evaluation carries along: the variables, and what it may still spend."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from dataclasses import dataclass
from typing import Any

from vllm_kustomize.apiserver.custom.cel.values import CelError, NoOverload, Unsupported

LIMIT = 1_000_000
"""Steps that the rules of one object may take; the server's own limit is ten million units of a like size."""


class Budget:
    """Steps that are left: an expression of a stranger's may be written to never end."""

    __slots__ = ("left",)

    def __init__(self, left: int = LIMIT) -> None:
        self.left = left

    def spend(self, steps: int) -> None:
        """Take steps off; raises Unsupported where none are left."""
        self.left -= steps
        if self.left < 0:
            raise Unsupported("it takes too long")


@dataclass(slots=True)
class Frame:
    """The variables in scope and the budget."""

    variables: dict[str, Any]
    budget: Budget


Evaluate = Callable[[Frame], Any]
"""A compiled node."""


def decide(frame: Frame, operands: Iterable[Evaluate], operator: str, *, decisive: bool) -> bool:
    """What the first operand that is `decisive` says, or else the opposite; an error counts where none is.

    So `&&` and `all` are decided by false, `||` and `exists` by true. `operator` names it in the error for an
    operand that is not a bool.
    """
    error: CelError | None = None
    for operand in operands:
        try:
            value = operand(frame)
        except CelError as raised:
            error = error or raised
            continue
        if value is decisive:
            return bool(value)
        if value is not (not decisive):
            error = error or NoOverload(operator, value)
    if error is not None:
        raise error
    return not decisive
