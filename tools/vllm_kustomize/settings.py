"""What a run was asked to do."""

from __future__ import annotations

import os
import re
from collections.abc import Sequence
from dataclasses import dataclass, field
from fnmatch import fnmatchcase
from pathlib import Path

from vllm_kustomize.model import Error, KubernetesVersion, Severity


@dataclass(frozen=True, slots=True)
class Settings:
    """Options of `validate`; an empty `kubernetes_versions` means the newest that is known.

    `vllm_version` comes before what the tags of images say; empty leaves it to them.
    """

    kubernetes_versions: tuple[KubernetesVersion, ...] = ()
    select: tuple[str, ...] = ()
    ignore: tuple[str, ...] = ()
    fail_on: Severity = Severity.ERROR
    engine: str | None = None
    jobs: int = field(default_factory=lambda: os.cpu_count() or 1)
    schema_locations: tuple[Path, ...] = ()
    cache: bool = True
    vllm_version: str = ""
    server: bool = False
    name_engine: bool = False  # asking the engine for its version takes as long as a build

    def selects(self, rule: str) -> bool:
        """Whether findings of a rule are wanted; ids and patterns such as `api-*` count."""
        if self.select and not _matches(rule, self.select):
            return False
        return not _matches(rule, self.ignore)


def parse_kubernetes_version(text: str) -> KubernetesVersion:
    """Read `1.36`, `v1.36` or `1.36.2`; raises `Error` for anything else."""
    match = re.fullmatch(r"v?(\d{1,3})\.(\d{1,3})(\.\d+)?", text.strip())
    if match is None:
        raise Error(f"'{text}' is no Kubernetes version; write it as 1.36")
    return int(match[1]), int(match[2])


def _matches(rule: str, patterns: Sequence[str]) -> bool:
    return any(fnmatchcase(rule, pattern) for pattern in patterns)
