"""Work out the graphs behind the builds of a run."""

from __future__ import annotations

import re
from pathlib import Path

from vllm_kustomize.kustomize.discover import resolved
from vllm_kustomize.kustomize.replay.build import Build
from vllm_kustomize.kustomize.replay.files import SourceFiles
from vllm_kustomize.kustomize.replay.graph import SourceGraph
from vllm_kustomize.kustomize.replay.kustomization import apply

CURRENT_KUSTOMIZE = (5, 8)
"""What is taken for the engine's version where it was not asked."""


class SourceTree(SourceFiles):
    """Reads the sources of a run; every file is read once, every base is worked out once.

    `kustomize` is the engine's Kustomize version.
    """

    def __init__(self, kustomize: tuple[int, ...] = CURRENT_KUSTOMIZE) -> None:
        super().__init__()
        self._kustomize = kustomize
        self._graphs: dict[Path, SourceGraph] = {}
        self._open: list[Path] = []

    def graph(self, directory: Path) -> SourceGraph:
        """Return the graph behind the kustomization in a directory."""
        directory = resolved(directory)
        if directory not in self._graphs:
            build = Build(self, self.graph, self._open, self._kustomize)
            with build.working_on(directory):
                apply(build, directory)
            self._graphs[directory] = build.graph(directory)
        return self._graphs[directory]

    def forget(self, directory: Path) -> None:
        """Let go of an overlay's graph; those of a thousand would fill the memory."""
        self._graphs.pop(resolved(directory), None)


def kustomize_version(engine: str) -> tuple[int, ...]:
    """Read the version out of an engine's words, such as `kubectl v1.37.1, kustomize v5.8.1`."""
    found = re.search(r"kustomize v(\d+)\.(\d+)", engine)
    return (int(found[1]), int(found[2])) if found else CURRENT_KUSTOMIZE
