"""The graph behind a build: which files it reads, and which of them wrote what, in the engine's order.

Nothing is run and nothing is fetched. What only the engine could know (a remote base, a chart, a plugin)
makes the graph incomplete, and the graph says why.
"""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

from vllm_kustomize.kustomize.discover import resolved
from vllm_kustomize.kustomize.replay.fields import FieldSpec, FieldSpecs
from vllm_kustomize.kustomize.replay.objects import Source
from vllm_kustomize.kustomize.replay.patches import Change, Patch
from vllm_kustomize.kustomize.yaml.nodes import Node
from vllm_kustomize.model import Location


@dataclass(frozen=True, slots=True, eq=False)
class Kustomization:
    """One kustomization file, read; `entry` is what included it in another one, or None.

    A component changes the objects of the kustomization that lists it: `changes` is that one's directory, or
    the one of the closest kustomization above that is not a component.
    """

    directory: Path
    file: str
    root: Node
    entry: Node | None = None
    changes: Path | None = None

    @property
    def is_component(self) -> bool:
        """Whether this is a Component."""
        return self.root.text("kind") == "Component"


@dataclass(frozen=True, slots=True, eq=False)
class Step:
    """What one entry of a kustomization did. `setting` is its field there, `entry` the value.

    `objects` are those before it, `changes` the ones that it selected (a patch) or changed (a setting);
    `problem` says why a patch could not be applied.
    """

    setting: str
    entry: Node
    kustomization: Kustomization
    objects: tuple[Source, ...]
    changes: tuple[Change, ...]
    specs: tuple[FieldSpec, ...] = ()
    patch: Patch | None = None
    problem: str = ""


@dataclass(frozen=True, slots=True, eq=False)
class SourceGraph:
    """Everything behind one build.

    `file` is the kustomization that it was asked for. `objects` are what the sources come to and `steps` what
    changed them, both in the engine's order. `files` are all that the build reads. `incomplete` says what
    could not be followed, and where. `schemas` are the entries `openapi:`, each with the document it names.
    """

    file: str
    kustomizations: tuple[Kustomization, ...]
    objects: tuple[Source, ...]
    steps: tuple[Step, ...]
    files: frozenset[Path]
    incomplete: tuple[Location, ...]
    specs: FieldSpecs
    name_references: tuple[FieldSpec, ...]
    schemas: tuple[tuple[Node, str], ...] = ()

    def reads(self, file: str) -> bool:
        """Whether the build reads a file, given as locations name it."""
        return resolved(file) in self.files
