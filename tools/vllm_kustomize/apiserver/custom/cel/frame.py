"""What an evaluation carries along: the variables, and what it may still spend."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

from vllm_kustomize.apiserver.custom.cel.values import Unsupported

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
