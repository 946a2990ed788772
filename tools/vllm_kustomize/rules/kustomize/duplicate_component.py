"""A component is applied twice to the same objects.

Kustomize applies a component as often as it is listed: what it appends with a JSON patch stands there
twice, and its images and labels are set twice. Bases that each list it for their own objects do no harm.

Bad:   components: [../../components/x, ../../components/x]
Good:  components: [../../components/x]
"""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

from vllm_kustomize.kustomize.discover import INCLUDES, resolved
from vllm_kustomize.kustomize.replay.graph import Kustomization, SourceGraph
from vllm_kustomize.model import Severity, SourceProblem

SEVERITY = Severity.WARNING
HELP = "Keep one of the two."


def check_source(graph: SourceGraph) -> Iterator[SourceProblem]:
    """Yield each inclusion of a component after the first that changes some of the same objects."""
    bases = {each.directory: _bases(each) for each in graph.kustomizations}
    listed = [each for each in graph.kustomizations if each.is_component and each.entry is not None]
    for index, component in enumerate(listed):
        for earlier in listed[:index]:
            if (
                earlier.directory == component.directory
                and earlier.entry is not component.entry
                and _builds_on(component.changes, earlier.changes, bases)
            ):
                assert component.entry is not None
                assert earlier.entry is not None
                yield SourceProblem(
                    component.entry.location(),
                    f"the component {component.entry.value} is applied a second time",
                    (earlier.entry.location(note="first here"),),
                )
                break


def _bases(kustomization: Kustomization) -> frozenset[Path]:
    root = kustomization.root
    entries = [entry for field in INCLUDES for entry in root.items(field)]
    return frozenset(resolved(kustomization.directory / str(entry.value)) for entry in entries)


def _builds_on(
    directory: Path | None, base: Path | None, bases: dict[Path, frozenset[Path]], deepest: int = 20
) -> bool:
    """Whether the objects of a base are among those of a kustomization."""
    if directory == base or directory is None:
        return True
    return deepest > 0 and any(
        _builds_on(each, base, bases, deepest - 1) for each in bases.get(directory, ()) if each in bases
    )
