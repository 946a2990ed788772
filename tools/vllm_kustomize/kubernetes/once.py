"""Work out once what many rules ask of an object or a build, and keep it there."""

from __future__ import annotations

from collections.abc import Callable
from functools import wraps
from typing import Any, Protocol, TypeVar


class Keeper(Protocol):
    """A `Resource` or a `Build`."""

    @property
    def kept(self) -> dict[object, Any]:
        """What was worked out about it so far, by the function that did."""


Owner = TypeVar("Owner", bound=Keeper)
Result = TypeVar("Result")


def once(work: Callable[[Owner], Result]) -> Callable[[Owner], Result]:
    """A function that looks at an object or a build once, and answers from what it found after that."""

    @wraps(work)
    def answer(owner: Owner) -> Result:
        if work not in owner.kept:
            owner.kept[work] = work(owner)
        result: Result = owner.kept[work]
        return result

    return answer
