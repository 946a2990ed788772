"""The check of a field that holds a quantity."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from vllm_kustomize.apiserver.framework.combinators import Family, Fault, Scope
from vllm_kustomize.kubernetes.quantity import MALFORMED, of
from vllm_kustomize.wording import quote

api = Family("quantity")


def well_formed(value: Any, scope: Scope) -> Iterator[Fault]:
    """A value that the server can read as a quantity."""
    if isinstance(value, (str, int, float)) and not isinstance(value, bool) and of(value) is None:
        yield Fault((), f"{quote(value)} {MALFORMED}")


QUANTITY = api.value(well_formed)
