"""A value that somebody wrote, with its place."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from vllm_kustomize.model import FieldPath, Related


@dataclass(frozen=True, slots=True)
class Setting:
    """A value that somebody wrote: `value` as vLLM reads it, `shown` as a message quotes it.

    `value` is None where only the cluster knows it (a Secret, a field of the pod).
    """

    value: Any
    path: FieldPath
    shown: str

    def related(self, note: str) -> Related:
        """This place, as a note to a problem elsewhere."""
        return Related(self.path, note)
