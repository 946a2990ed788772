"""One update of one object, and what its rules find."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

from vllm_kustomize.apiserver.updates.equality import Change, changes
from vllm_kustomize.kubernetes.fields import get
from vllm_kustomize.model import FieldPath, KubernetesVersion, Manifest, Problem, Related, Severity
from vllm_kustomize.wording import quote


@dataclass(frozen=True, slots=True)
class Update:
    """An object before and after, as it is written (`last`, `manifest`) and as the server has it."""

    last: Manifest
    manifest: Manifest
    live: Manifest
    applied: Manifest
    version: KubernetesVersion

    def changed(self, path: FieldPath) -> tuple[Change, ...]:
        """The fields at or below a path in which the object is no longer what it was."""
        return tuple(changes(get(self.live, path), get(self.applied, path), path))

    def frozen(self, path: FieldPath, way_out: str) -> Iterator[Problem]:
        """A problem where a field that may not change did."""
        found = self.changed(path)
        if found:
            yield refused(found, way_out)


def refused(found: tuple[Change, ...], way_out: str, why: str = "cannot be changed") -> Problem:
    """The problem at the first changed field that is still there; the others are related to it."""
    first, *others = sorted(found, key=lambda change: change.new is None)
    return Problem(
        first.path,
        f"{why} in the object that exists: {_was(first)}",
        severity=Severity.ERROR,
        help=way_out,
        related=tuple(Related(change.path, "changed too") for change in others),
    )


def _was(change: Change) -> str:
    if change.old is None:
        return "it was not set"
    if change.new is None:
        return f"it was {_shown(change.old)}, and is not set now"
    return f"it was {_shown(change.old)}, and is {_shown(change.new)} now"


def _shown(value: Any) -> str:
    if isinstance(value, dict):
        return "set"
    if isinstance(value, list):
        return f"a list of {len(value)}"
    return quote(value) if isinstance(value, str) else str(value).lower()
