"""What a cluster would make of a change: each module has one judgement, named as its file is.

`check(before, after)` yields problems of one object; one of the two is None where it was added or removed.
"""

from __future__ import annotations

import pkgutil
from collections.abc import Iterator, Mapping
from functools import cache
from importlib import import_module
from types import ModuleType

from vllm_kustomize.model import Diagnosis, Resource


@cache
def judgements() -> Mapping[str, ModuleType]:
    """The modules by the name of their findings."""
    return {
        module.name.replace("_", "-"): import_module(f"{__name__}.{module.name}")
        for module in pkgutil.iter_modules(__path__)
    }


def check(before: Resource | None, after: Resource | None) -> Iterator[Diagnosis]:
    """Judge the change of one object."""
    for rule, module in judgements().items():
        for problem in module.check(before, after):
            yield Diagnosis.of(problem, rule, after or before, module.SEVERITY, module.HELP)
