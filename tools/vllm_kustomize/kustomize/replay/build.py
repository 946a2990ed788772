"""What is known of a build while its kustomizations are worked out one after the other."""

from __future__ import annotations

import os
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path

from vllm_kustomize.kustomize.discover import display_path, is_there, kustomization_in, resolved
from vllm_kustomize.kustomize.replay.fields import FIELD_SPECS, FieldSpec, FieldSpecs
from vllm_kustomize.kustomize.replay.files import SourceFiles
from vllm_kustomize.kustomize.replay.graph import Kustomization, SourceGraph, Step
from vllm_kustomize.kustomize.replay.objects import Source
from vllm_kustomize.kustomize.replay.patches import Change
from vllm_kustomize.kustomize.replay.sharing import spread
from vllm_kustomize.kustomize.yaml.nodes import Document, DocumentError, Node
from vllm_kustomize.model import Location, Precision


class Build:
    """One kustomization and all that it includes, as far as it is worked out.

    `graph_of` works out a base on its own; `opened` are the directories that are being worked out.
    """

    def __init__(
        self,
        files: SourceFiles,
        graph_of: Callable[[Path], SourceGraph],
        opened: list[Path],
        kustomize: tuple[int, ...],
    ) -> None:
        self.sources = files
        self.graph_of = graph_of
        self.kustomize = kustomize
        self.kustomizations: list[Kustomization] = []
        self.objects: list[Source] = []
        self.steps: list[Step] = []
        self.files: set[Path] = set()
        self.incomplete: list[Location] = []
        self.specs = FIELD_SPECS
        self.name_references: list[FieldSpec] = []
        self.schemas: list[tuple[Node, str]] = []
        self._opened = opened

    def graph(self, directory: Path) -> SourceGraph:
        """What the build has come to."""
        return SourceGraph(
            display_path(kustomization_in(directory) or directory),
            tuple(self.kustomizations),
            tuple(source.as_rendered() for source in self.objects),
            tuple(self.steps),
            frozenset(self.files),
            tuple(self.incomplete),
            self.specs,
            tuple(self.name_references),
            tuple(self.schemas),
        )

    @contextmanager
    def working_on(self, directory: Path) -> Iterator[None]:
        """Note for a while that the kustomization in a directory is being worked out."""
        self._opened.append(directory)
        try:
            yield
        finally:
            self._opened.pop()

    def is_open(self, directory: Path) -> bool:
        """Whether a kustomization in or below a directory is being worked out; the engine allows neither."""
        return any(directory == path or directory in path.parents for path in self._opened)

    def include(self, base: SourceGraph) -> None:
        """Add what another kustomization comes to on its own."""
        self.kustomizations += base.kustomizations
        self.objects += base.objects
        self.steps += base.steps
        self.files |= base.files
        self.incomplete += base.incomplete
        self.name_references += base.name_references
        if base.specs is not self.specs:
            self.extend_specs(base.specs)

    def extend_specs(self, added: FieldSpecs) -> None:
        """Let settings write to more fields."""
        self.specs = {
            name: tuple(dict.fromkeys(own + added.get(name, ()))) for name, own in self.specs.items()
        }

    def change(
        self,
        setting: str,
        entry: Node,
        kustomization: Kustomization,
        objects: list[Source],
        specs: tuple[FieldSpec, ...] = (),
    ) -> None:
        """Note what one entry of a setting has made of the objects."""
        before, self.objects = tuple(self.objects), list(map(spread, self.objects, objects))
        self.steps.append(Step(setting, entry, kustomization, before, _changes(before, self.objects), specs))

    def read(self, path: Path, entry: Node | None, within: Path | None = None) -> tuple[Document, ...]:
        """Read a YAML file that the build reads; nothing where it cannot be read."""
        if within is not None and not is_inside(path, within):
            if entry is not None:
                self.leave_out(entry, f"{entry.value} is outside of the kustomization's folder")
            return ()
        self.use(path)
        try:
            return self.sources.documents(path)
        except DocumentError as error:
            self.incomplete.append(error.location)
        except (OSError, UnicodeDecodeError):
            file = display_path(path)
            at = entry.location() if entry is not None else Location(file, 1, 1)
            self.incomplete.append(Location(at.file, at.line, at.column, f"{file} cannot be read"))
        return ()

    def use(self, path: Path) -> bool:
        """Note that the build reads a file; False where there is none."""
        if not is_there(path, folder=False):
            return False
        self.files |= {resolved(path), Path(os.path.normpath(path))}
        return True

    def leave_out(self, entry: Node, reason: str) -> None:
        """Note what cannot be followed."""
        self.incomplete.append(entry.location(Precision.EXACT, reason))


def is_inside(path: Path, directory: Path) -> bool:
    """Whether a file is in a directory or below, also behind links."""
    try:
        real = os.path.realpath(path)
    except ValueError:  # a name that no file can have
        return False
    return real.startswith(os.path.realpath(directory).rstrip(os.sep) + os.sep)


def _changes(before: Sequence[Source], after: Sequence[Source]) -> tuple[Change, ...]:
    return tuple(Change(old, new) for old, new in zip(before, after, strict=True) if new.root is not old.root)
