"""A remote resource is not pinned to a tag or a commit.

Without `?ref=`, or with a branch, the build changes when someone else pushes, and two clusters that
build an hour apart run different things.

Bad:   https://github.com/kubernetes-sigs/lws//config/default
Good:  https://github.com/kubernetes-sigs/lws//config/default?ref=v0.10.0
"""

from __future__ import annotations

import re
from collections.abc import Iterator

from vllm_kustomize.kustomize.discover import INCLUDES, is_there
from vllm_kustomize.kustomize.replay.graph import SourceGraph
from vllm_kustomize.model import Severity, SourceProblem

SEVERITY = Severity.WARNING
HELP = "Append ?ref=<tag or commit>, or keep a copy of the files in the repo."

_REMOTE = re.compile(r"[a-z+]+://|git@|[a-z0-9.-]+\.(?:com|org|io|net|dev)[/:]")
_REF = re.compile(r"[?&](?:ref|version)=([^&]+)")
_BRANCH = re.compile(r"(?:refs/heads/.*|main|master|HEAD|develop|latest)\Z")
_RAW_BRANCH = re.compile(r"/(?:refs/heads/[^/]+|main|master|HEAD|releases/latest)/")


def check_source(graph: SourceGraph) -> Iterator[SourceProblem]:
    """Yield each remote entry of `resources:`, `bases:` and `components:` that may change by itself."""
    for kustomization in graph.kustomizations:
        for field in INCLUDES:
            for entry in kustomization.root.items(field):
                if not isinstance(entry.value, str) or not _REMOTE.match(entry.value):
                    continue
                if is_there(kustomization.directory / entry.value, folder=True):
                    continue
                if reason := _unpinned(entry.value):
                    yield SourceProblem(entry.location(), f"the remote resource is not pinned: {reason}")


def _unpinned(url: str) -> str:
    if ref := _REF.search(url):
        return f"'{ref[1]}' is a branch" if _BRANCH.match(ref[1]) else ""
    if url.endswith((".yaml", ".yml", ".json")):
        branch = _RAW_BRANCH.search(url)
        return f"'{branch[0].strip('/')}' is not a fixed version" if branch else ""
    return "it has no ?ref="
