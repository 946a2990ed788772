"""Levels and versions of the Pod Security Standards, and the labels by which a namespace asks for them."""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass
from enum import IntEnum
from typing import Any

from vllm_kustomize.model import Error, KubernetesVersion

LABEL = "pod-security.kubernetes.io/"
"""What the labels begin with: `enforce`, `warn` and `audit`, each with a version of its own."""

_VERSION = re.compile(r"v1\.(0|[1-9]\d{0,3})")


class Level(IntEnum):
    """How much a pod may do; the higher, the less."""

    PRIVILEGED = 0
    BASELINE = 1
    RESTRICTED = 2

    def __str__(self) -> str:
        return self.name.lower()


LEVELS = tuple(str(level) for level in Level)


@dataclass(frozen=True, slots=True)
class Standard:
    """A level as one Kubernetes release defines it; `version` None is the cluster's own (`latest`)."""

    level: Level
    version: KubernetesVersion | None = None

    @classmethod
    def parse(cls, text: str) -> Standard:
        """Read `restricted`, `restricted:latest` or `restricted:v1.31`; raises `Error` for anything else."""
        level, colon, version = text.partition(":")
        if level not in LEVELS:
            raise Error(f"'{text}' is not a Pod Security level; use one of {', '.join(LEVELS)}")
        if not colon or version == "latest":
            return cls(Level[level.upper()])
        match = _VERSION.fullmatch(version)
        if match is None:
            raise Error(f"'{version}' is not a version of Pod Security; write it as v1.31, or latest")
        return cls(Level[level.upper()], (1, int(match[1])))

    def version_on(self, kubernetes: KubernetesVersion) -> KubernetesVersion:
        """The release whose controls a cluster applies: a version newer than the cluster's is its own."""
        return kubernetes if self.version is None else min(self.version, kubernetes)

    def __str__(self) -> str:
        return f"{self.level}:{'latest' if self.version is None else f'v1.{self.version[1]}'}"


def policy(labels: Mapping[Any, Any], mode: str) -> Standard | None:
    """The standard that a namespace's labels ask for in a mode, `enforce` or `warn`; None where they do not.

    A level that does not exist enforces restricted and warns of nothing, a version that does not exist is the
    latest, as in k8s.io/pod-security-admission/api (PolicyToEvaluate); the server refuses both in new labels.
    """
    level = labels.get(LABEL + mode)
    if not isinstance(level, str):
        return None
    if level not in LEVELS:
        return Standard(Level.RESTRICTED) if mode == "enforce" else None
    version = labels.get(f"{LABEL}{mode}-version")
    match = _VERSION.fullmatch(version) if isinstance(version, str) else None
    return Standard(Level[level.upper()], (1, int(match[1])) if match else None)
