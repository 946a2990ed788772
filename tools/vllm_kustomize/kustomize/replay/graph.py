"""The graph behind a build: which files it reads, and which of them wrote what, in the engine's order.

Nothing is run and nothing is fetched. What only the engine could know (a remote base, a chart, a plugin)
makes the graph incomplete, and the graph says why.
"""

from __future__ import annotations

import os
import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path

from vllm_kustomize.kustomize.discover import (
    KUSTOMIZATION_NAMES,
    display_path,
    is_there,
    kustomization_in,
    resolved,
)
from vllm_kustomize.kustomize.replay.fields import FIELD_SPECS, FieldSpec, FieldSpecs, field_spec, label_specs
from vllm_kustomize.kustomize.replay.generators import generate, merge_generated
from vllm_kustomize.kustomize.replay.inline import read_inline
from vllm_kustomize.kustomize.replay.objects import Source
from vllm_kustomize.kustomize.replay.patches import Change, Patch, apply_patch
from vllm_kustomize.kustomize.replay.replacements import replace_fields
from vllm_kustomize.kustomize.replay.selectors import SelectorError
from vllm_kustomize.kustomize.replay.transformers import TRANSFORMERS
from vllm_kustomize.kustomize.yaml.nodes import Document, DocumentError, Node, read_documents
from vllm_kustomize.kustomize.yaml.reader import read_bytes, read_text
from vllm_kustomize.model import Location, Precision

MAX_CONTENT = 1 << 20
"""Bytes that are read of a file for a generator; a ConfigMap or Secret holds at most as many."""

PLUGINS = ("generators", "transformers", "validators", "helmCharts", "helmChartInflationGenerator")
"""Fields whose effect only the engine can work out."""

CURRENT_KUSTOMIZE = (5, 8)
"""What is taken for the engine's version where it was not asked."""

COMPONENTS_AFTER_GENERATORS = (5, 1)
"""The Kustomize version that moved components behind generators (kubernetes-sigs/kustomize#5170)."""


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
    could not be followed, and where.
    """

    file: str
    kustomizations: tuple[Kustomization, ...]
    objects: tuple[Source, ...]
    steps: tuple[Step, ...]
    files: frozenset[Path]
    incomplete: tuple[Location, ...]
    specs: FieldSpecs
    name_references: tuple[FieldSpec, ...]

    def reads(self, file: str) -> bool:
        """Whether the build reads a file, given as locations name it."""
        return resolved(file) in self.files


class SourceTree:
    """Reads the sources of a run; every file is read once, every base is worked out once.

    `kustomize` is the engine's Kustomize version. `texts` are the files read, by their name in locations.
    """

    def __init__(self, kustomize: tuple[int, ...] = CURRENT_KUSTOMIZE) -> None:
        self.kustomize = kustomize
        self.texts: dict[str, str] = {}
        self._documents: dict[Path, tuple[Document, ...]] = {}
        self._graphs: dict[Path, SourceGraph] = {}
        self._open: list[Path] = []

    def graph(self, directory: Path) -> SourceGraph:
        """Return the graph behind the kustomization in a directory."""
        directory = resolved(directory)
        if directory not in self._graphs:
            build = _Build(self)
            self._open.append(directory)
            try:
                build.add_directory(directory)
            finally:
                self._open.pop()
            self._graphs[directory] = build.graph(directory)
        return self._graphs[directory]

    def forget(self, directory: Path) -> None:
        """Let go of an overlay's graph; those of a thousand would fill the memory."""
        self._graphs.pop(resolved(directory), None)

    def documents(self, path: Path) -> tuple[Document, ...]:
        """Read a YAML file once. Raises OSError, UnicodeDecodeError or DocumentError."""
        if path not in self._documents:
            yes_is_true = path.name in KUSTOMIZATION_NAMES
            self._documents[path] = read_documents(
                self.text(path), display_path(path), yes_is_true=yes_is_true, later=True
            )
        return self._documents[path]

    def text(self, path: Path) -> str:
        """Read a text file once. Raises OSError or UnicodeDecodeError."""
        name = display_path(path)
        if name not in self.texts:
            if not is_there(path, folder=False):
                raise FileNotFoundError(path)
            self.texts[name] = read_text(path)
        return self.texts[name]


def kustomize_version(engine: str) -> tuple[int, ...]:
    """Read the version out of an engine's words, such as `kubectl v1.37.1, kustomize v5.8.1`."""
    found = re.search(r"kustomize v(\d+)\.(\d+)", engine)
    return (int(found[1]), int(found[2])) if found else CURRENT_KUSTOMIZE


class _Build:
    """Works out one kustomization and all that it includes."""

    def __init__(self, tree: SourceTree) -> None:
        self.tree = tree
        self.kustomizations: list[Kustomization] = []
        self.objects: list[Source] = []
        self.steps: list[Step] = []
        self.files: set[Path] = set()
        self.incomplete: list[Location] = []
        self.specs = FIELD_SPECS
        self.name_references: list[FieldSpec] = []

    def graph(self, directory: Path) -> SourceGraph:
        return SourceGraph(
            display_path(kustomization_in(directory) or directory),
            tuple(self.kustomizations),
            tuple(self.objects),
            tuple(self.steps),
            frozenset(self.files),
            tuple(self.incomplete),
            self.specs,
            tuple(self.name_references),
        )

    def add_directory(self, directory: Path, entry: Node | None = None, changes: Path | None = None) -> None:
        """Apply the kustomization in a directory to the objects so far, which are those of `changes`."""
        path = kustomization_in(directory)
        if path is None:
            if entry is not None:
                self.leave_out(entry, f"{entry.value} has no kustomization.yaml")
            return
        documents = self.read(path, None)
        if not documents or not isinstance(documents[0].root.value, dict):
            return
        kustomization = Kustomization(
            directory, display_path(path), documents[0].root, entry, changes or directory
        )
        self.kustomizations.append(kustomization)
        root = kustomization.root
        for entry in [*root.items("resources"), *root.items("bases")]:
            self.add_resource(directory, entry)
        self.add_configurations(directory, root)
        if self.tree.kustomize >= COMPONENTS_AFTER_GENERATORS:
            self.run_generators(kustomization)
            self.add_components(kustomization)
        else:
            self.add_components(kustomization)
            self.run_generators(kustomization)
        self.run_transformers(kustomization)
        for field in PLUGINS:
            for entry in root.items(field):
                self.leave_out(entry, f"`{field}:` is known to the engine alone")
                if isinstance(entry.value, str) and "\n" not in entry.value:
                    self.use(directory / entry.value)

    def add_resource(self, directory: Path, entry: Node) -> None:
        if not isinstance(entry.value, str):
            return
        path = directory / entry.value
        if is_there(path, folder=True):
            self.use(kustomization_in(path) or path)  # as it is written, in case a link leads there
            self.add_base(resolved(path), entry)
        elif is_there(path, folder=False):
            for document in self.read(path, entry, within=directory):
                self.add_document(document.root)
        else:
            self.leave_out(entry, f"{entry.value} is not on this machine")

    def add_document(self, root: Node) -> None:
        if root.text("kind").endswith("List") and root.items("items"):
            for item in root.items("items"):
                self.add_document(item)
        elif isinstance(root.value, dict) and root.value:
            self.objects.append(Source(root, root.file))

    def add_base(self, directory: Path, entry: Node) -> None:
        """Add what another kustomization comes to on its own."""
        if self.is_open(directory):
            self.leave_out(entry, f"{entry.value} includes itself")
            return
        if kustomization_in(directory) is None:
            self.leave_out(entry, f"{entry.value} has no kustomization.yaml")
            return
        base = self.tree.graph(directory)
        self.kustomizations += base.kustomizations
        self.objects += base.objects
        self.steps += base.steps
        self.files |= base.files
        self.incomplete += base.incomplete
        self.name_references += base.name_references
        if base.specs is not self.specs:
            self.specs = _merged(self.specs, base.specs)

    def is_open(self, directory: Path) -> bool:
        """Whether a kustomization in or below a directory is being worked out; the engine allows neither."""
        return any(directory == path or directory in path.parents for path in self.tree._open)

    def add_components(self, kustomization: Kustomization) -> None:
        directory = kustomization.directory
        for entry in kustomization.root.items("components"):
            path = directory / str(entry.value)
            if not is_there(path, folder=True):
                self.leave_out(entry, f"{entry.value} is not on this machine")
            elif self.is_open(resolved(path)):
                self.leave_out(entry, f"{entry.value} includes itself")
            else:
                self.use(kustomization_in(path) or path)
                self.tree._open.append(resolved(path))
                try:
                    self.add_directory(resolved(path), entry, kustomization.changes)
                finally:
                    self.tree._open.pop()

    def add_configurations(self, directory: Path, root: Node) -> None:
        for entry in root.items("configurations"):
            for document in self.read(directory / str(entry.value), entry, within=directory):
                added = {
                    name: tuple(field_spec(item) for item in document.root.items(name)) for name in self.specs
                }
                self.specs = _merged(self.specs, added)
                for reference in document.root.items("nameReference"):
                    self.name_references += [field_spec(item) for item in reference.items("fieldSpecs")]
        for entry in root.items("crds"):
            self.use(directory / str(entry.value))
        openapi = root.get("openapi")
        if openapi is not None and openapi.text("path"):
            self.use(directory / openapi.text("path"))
            self.leave_out(openapi, "`openapi:` changes how lists are merged")

    def run_generators(self, kustomization: Kustomization) -> None:
        root, directory = kustomization.root, kustomization.directory

        def read(entry: Node, name: str) -> tuple[str, bytes]:
            path = directory / name
            if not _inside(path, directory) or not self.use(path) or path.stat().st_size > MAX_CONTENT:
                self.leave_out(entry, f"{name} cannot be read")
                return "", b""
            return display_path(path), read_bytes(path)

        options, text = root.get("generatorOptions"), self.tree.texts[kustomization.file]
        for field, kind in (("configMapGenerator", "ConfigMap"), ("secretGenerator", "Secret")):
            for entry in root.items(field):
                self.add_generated(generate(kind, entry, options, text, read))

    def add_generated(self, new: Source) -> None:
        for index, old in enumerate(self.objects):
            if any(new.id.same(identity) for identity in old.ids):
                if new.behavior in ("merge", "replace"):
                    self.objects[index] = merge_generated(old, new)
                return
        self.objects.append(new)

    def run_transformers(self, kustomization: Kustomization) -> None:
        """Apply the kustomization's own settings, in the order of kusttarget_configplugin.go."""
        root = kustomization.root
        for setting in ("patchesStrategicMerge", "patches"):
            self.run_patches(kustomization, setting)
        for setting in ("namespace", "namePrefix", "nameSuffix"):
            if (value := root.get(setting)) and value.value:
                self.run(kustomization, setting, value)
        for entry in _mappings(root, "labels"):
            self.run(kustomization, "labels", entry)
        for setting in ("commonLabels", "commonAnnotations"):
            if pairs := root.get(setting):
                self.run(kustomization, setting, pairs)
        self.run_patches(kustomization, "patchesJson6902")
        for setting in ("replicas", "images"):
            for entry in _mappings(root, setting):
                self.run(kustomization, setting, entry)
        for entry in _mappings(root, "replacements"):
            for replacement in self.replacements(kustomization.directory, entry):
                before = tuple(self.objects)
                try:
                    self.objects = replace_fields(before, replacement)
                except SelectorError as error:
                    self.leave_out(replacement, str(error))
                self.steps.append(
                    Step("replacements", replacement, kustomization, before, _changes(before, self.objects))
                )

    def replacements(self, directory: Path, entry: Node) -> Iterator[Node]:
        """The replacements of an entry: itself, or those of the file that it names."""
        if not (path := entry.text("path")):
            yield entry
            return
        for document in self.read(directory / path, entry, within=directory):
            root = document.root
            yield from root.value if isinstance(root.value, list) else [root]

    def run(self, kustomization: Kustomization, setting: str, entry: Node) -> None:
        before = tuple(self.objects)
        specs = label_specs(entry, self.specs) if setting == "labels" else self.specs[setting]
        try:
            self.objects = TRANSFORMERS[setting](before, entry, specs)
        except SelectorError as error:
            self.leave_out(entry, str(error))
        changes = _changes(before, self.objects)
        self.steps.append(Step(setting, entry, kustomization, before, changes, specs))

    def run_patches(self, kustomization: Kustomization, setting: str) -> None:
        for patch in self.patches(kustomization, setting):
            before = tuple(self.objects)
            self.objects, changes, problem = apply_patch(before, patch)
            self.steps.append(Step(setting, patch.entry, kustomization, before, changes, (), patch, problem))

    def patches(self, kustomization: Kustomization, setting: str) -> Iterator[Patch]:
        for entry in kustomization.root.items(setting):
            options, target = entry.get("options"), entry.get("target")
            allowed = [
                options is not None and (node := options.get(name)) is not None and node.value is True
                for name in ("allowNameChange", "allowKindChange")
            ]
            for document in self.patch_documents(kustomization, entry):
                if document.root.value:
                    yield Patch(entry, document.root, target, *allowed)

    def patch_documents(self, kustomization: Kustomization, entry: Node) -> tuple[Document, ...]:
        directory = kustomization.directory
        if isinstance(entry.value, str):
            if "\n" not in entry.value and is_there(directory / entry.value, folder=False):
                return self.read(directory / entry.value, entry, within=directory)
            inline: Node | None = entry
        else:
            inline = entry.get("patch")
        if inline is not None and isinstance(inline.value, str) and inline.value.strip():
            path = kustomization_in(directory)
            assert path is not None
            try:
                return read_inline(inline, self.tree.text(path))
            except DocumentError as error:
                self.incomplete.append(error.location)
                return ()
        path_text = entry.text("path")
        return self.read(directory / path_text, entry, within=directory) if path_text else ()

    def read(self, path: Path, entry: Node | None, within: Path | None = None) -> tuple[Document, ...]:
        """Read a YAML file that the build reads; nothing where it cannot be read."""
        if within is not None and not _inside(path, within):
            if entry is not None:
                self.leave_out(entry, f"{entry.value} is outside of the kustomization's folder")
            return ()
        self.use(path)
        try:
            return self.tree.documents(path)
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
        self.incomplete.append(entry.location(Precision.EXACT, reason))


def _merged(specs: FieldSpecs, added: FieldSpecs) -> FieldSpecs:
    return {name: tuple(dict.fromkeys(own + added[name])) for name, own in specs.items()}


def _mappings(root: Node, setting: str) -> list[Node]:
    """The entries of a setting that are of the form it asks for; the engine refuses all others."""
    return [entry for entry in root.items(setting) if isinstance(entry.value, dict)]


def _changes(before: Sequence[Source], after: Sequence[Source]) -> tuple[Change, ...]:
    return tuple(Change(old, new) for old, new in zip(before, after, strict=True) if new.root is not old.root)


def _inside(path: Path, directory: Path) -> bool:
    try:
        real = os.path.realpath(path)
    except ValueError:  # a name that no file can have
        return False
    return real.startswith(os.path.realpath(directory).rstrip(os.sep) + os.sep)
