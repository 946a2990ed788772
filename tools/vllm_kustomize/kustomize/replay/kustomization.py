"""What each field of a kustomization does to a build: one table, in the engine's order.

Source: kusttarget.go and kusttarget_configplugin.go of kubernetes-sigs/kustomize (api/internal/target).
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import suppress
from pathlib import Path

from vllm_kustomize.kustomize.discover import (
    PLUGINS,
    display_path,
    is_there,
    kustomization_in,
    resolved,
)
from vllm_kustomize.kustomize.replay import transformers
from vllm_kustomize.kustomize.replay.build import Build, is_inside
from vllm_kustomize.kustomize.replay.fields import field_spec, label_specs
from vllm_kustomize.kustomize.replay.generators import generate, merge_generated
from vllm_kustomize.kustomize.replay.graph import Kustomization, Step
from vllm_kustomize.kustomize.replay.inline import read_inline
from vllm_kustomize.kustomize.replay.objects import Source
from vllm_kustomize.kustomize.replay.patches import Patch, apply_patch
from vllm_kustomize.kustomize.replay.replacements import replace_fields
from vllm_kustomize.kustomize.replay.selectors import SelectorError
from vllm_kustomize.kustomize.replay.transformers import Transformer
from vllm_kustomize.kustomize.yaml.nodes import Document, DocumentError, Node
from vllm_kustomize.kustomize.yaml.reader import read_bytes, read_text

Apply = Callable[[Build, Kustomization, str], None]
"""Applies one field of a kustomization, given by its name."""

MAX_CONTENT = 1 << 20
"""Bytes that are read of a file for a generator; a ConfigMap or Secret holds at most as many."""

COMPONENTS_AFTER_GENERATORS = (5, 1)
"""The Kustomize version that moved components behind generators (kubernetes-sigs/kustomize#5170)."""


def apply(build: Build, directory: Path, entry: Node | None = None, changes: Path | None = None) -> None:
    """Apply the kustomization in a directory to the objects so far, which are those of `changes`.

    `entry` is what includes it in another one.
    """
    path = kustomization_in(directory)
    if path is None:
        if entry is not None:
            build.leave_out(entry, f"{entry.value} has no kustomization.yaml")
        return
    documents = build.read(path, None)
    if not documents or not isinstance(documents[0].root.value, dict):
        return
    kustomization = Kustomization(
        directory, display_path(path), documents[0].root, entry, changes or directory
    )
    build.kustomizations.append(kustomization)
    for field in _order(build.kustomize):
        if kustomization.root.get(field) is not None:
            FIELDS[field](build, kustomization, field)


def _order(kustomize: tuple[int, ...]) -> list[str]:
    fields = list(FIELDS)
    if kustomize < COMPONENTS_AFTER_GENERATORS:
        fields.remove("components")
        fields.insert(fields.index("configMapGenerator"), "components")
    return fields


def _resources(build: Build, kustomization: Kustomization, field: str) -> None:
    directory = kustomization.directory
    for entry in kustomization.root.items(field):
        if not isinstance(entry.value, str):
            continue
        path = directory / entry.value
        if is_there(path, folder=True):
            build.use(kustomization_in(path) or path)  # as it is written, in case a link leads there
            _base(build, resolved(path), entry)
        elif is_there(path, folder=False):
            for document in build.read(path, entry, within=directory):
                _document(build, document.root)
        else:
            build.leave_out(entry, f"{entry.value} is not on this machine")


def _document(build: Build, root: Node) -> None:
    if root.text("kind").endswith("List") and root.items("items"):
        for item in root.items("items"):
            _document(build, item)
    elif isinstance(root.value, dict) and root.value:
        build.objects.append(Source(root, root.file))


def _base(build: Build, directory: Path, entry: Node) -> None:
    if build.is_open(directory):
        build.leave_out(entry, f"{entry.value} includes itself")
    elif kustomization_in(directory) is None:
        build.leave_out(entry, f"{entry.value} has no kustomization.yaml")
    else:
        build.include(build.graph_of(directory))


def _components(build: Build, kustomization: Kustomization, field: str) -> None:
    for entry in kustomization.root.items(field):
        path = kustomization.directory / str(entry.value)
        if not is_there(path, folder=True):
            build.leave_out(entry, f"{entry.value} is not on this machine")
        elif build.is_open(resolved(path)):
            build.leave_out(entry, f"{entry.value} includes itself")
        else:
            build.use(kustomization_in(path) or path)
            with build.working_on(resolved(path)):
                apply(build, resolved(path), entry, kustomization.changes)


def _configurations(build: Build, kustomization: Kustomization, field: str) -> None:
    directory = kustomization.directory
    for entry in kustomization.root.items(field):
        for document in build.read(directory / str(entry.value), entry, within=directory):
            root = document.root
            build.extend_specs({name: tuple(map(field_spec, root.items(name))) for name in build.specs})
            for reference in root.items("nameReference"):
                build.name_references += map(field_spec, reference.items("fieldSpecs"))


def _definitions(build: Build, kustomization: Kustomization, field: str) -> None:
    for entry in kustomization.root.items(field):
        build.use(kustomization.directory / str(entry.value))


def _openapi(build: Build, kustomization: Kustomization, field: str) -> None:
    openapi = kustomization.root.get(field)
    if openapi is not None and openapi.text("path"):
        path = kustomization.directory / openapi.text("path")
        if build.use(path):
            with suppress(OSError, UnicodeDecodeError):
                build.schemas.append((openapi, read_text(path)))
        build.leave_out(openapi, "`openapi:` changes how lists are merged")


def _generator(kind: str) -> Apply:
    def run(build: Build, kustomization: Kustomization, field: str) -> None:
        root, directory = kustomization.root, kustomization.directory

        def read(entry: Node, name: str) -> tuple[str, bytes]:
            path = directory / name
            if not is_inside(path, directory) or not build.use(path) or path.stat().st_size > MAX_CONTENT:
                build.leave_out(entry, f"{name} cannot be read")
                return "", b""
            return display_path(path), read_bytes(path)

        options, text = root.get("generatorOptions"), build.sources.texts[kustomization.file]
        for entry in root.items(field):
            _generated(build, generate(kind, entry, options, text, read))

    return run


def _generated(build: Build, new: Source) -> None:
    for index, old in enumerate(build.objects):
        if any(new.id.same(identity) for identity in old.ids):
            if new.behavior in ("merge", "replace"):
                build.objects[index] = merge_generated(old, new)
            return
    build.objects.append(new)


def _value(transform: Transformer) -> Apply:
    """A setting that is applied as it stands."""

    def run(build: Build, kustomization: Kustomization, field: str) -> None:
        value = kustomization.root.get(field)
        if value is not None and value.value:
            specs = build.specs[field]
            build.change(field, value, kustomization, transform(build.objects, value, specs), specs)

    return run


def _entries(transform: Transformer) -> Apply:
    """A setting whose entries are applied one after the other."""

    def run(build: Build, kustomization: Kustomization, field: str) -> None:
        for entry in _mappings(kustomization.root, field):
            specs = label_specs(entry, build.specs) if field == "labels" else build.specs[field]
            try:
                objects = transform(build.objects, entry, specs)
            except SelectorError as error:
                build.leave_out(entry, str(error))
                continue
            build.change(field, entry, kustomization, objects, specs)

    return run


def _replacements(build: Build, kustomization: Kustomization, field: str) -> None:
    for entry in _mappings(kustomization.root, field):
        for replacement in _written_out(build, kustomization.directory, entry):
            objects = list(build.objects)
            try:
                objects = replace_fields(objects, replacement)
            except SelectorError as error:
                build.leave_out(replacement, str(error))
            build.change(field, replacement, kustomization, objects)


def _written_out(build: Build, directory: Path, entry: Node) -> Iterator[Node]:
    """The replacements of an entry: itself, or those of the file that it names."""
    if not (path := entry.text("path")):
        yield entry
        return
    for document in build.read(directory / path, entry, within=directory):
        root = document.root
        yield from root.value if isinstance(root.value, list) else [root]


def _patches(build: Build, kustomization: Kustomization, field: str) -> None:
    for entry in kustomization.root.items(field):
        options, target = entry.get("options"), entry.get("target")
        allowed = [
            options is not None and (node := options.get(name)) is not None and node.value is True
            for name in ("allowNameChange", "allowKindChange")
        ]
        for document in _patch_documents(build, kustomization, entry):
            if document.root.value:
                patch = Patch(entry, document.root, target, *allowed)
                before = tuple(build.objects)
                build.objects, changes, problem = apply_patch(before, patch)
                build.steps.append(
                    Step(field, patch.entry, kustomization, before, changes, (), patch, problem)
                )


def _patch_documents(build: Build, kustomization: Kustomization, entry: Node) -> tuple[Document, ...]:
    directory = kustomization.directory
    if isinstance(entry.value, str):
        if "\n" not in entry.value and is_there(directory / entry.value, folder=False):
            return build.read(directory / entry.value, entry, within=directory)
        inline: Node | None = entry
    else:
        inline = entry.get("patch")
    if inline is not None and isinstance(inline.value, str) and inline.value.strip():
        try:
            return read_inline(inline, build.sources.texts[kustomization.file])
        except DocumentError as error:
            build.incomplete.append(error.location)
            return ()
    path_text = entry.text("path")
    return build.read(directory / path_text, entry, within=directory) if path_text else ()


def _plugins(build: Build, kustomization: Kustomization, field: str) -> None:
    for entry in kustomization.root.items(field):
        build.leave_out(entry, f"`{field}:` is known to the engine alone")
        if isinstance(entry.value, str) and "\n" not in entry.value:
            build.use(kustomization.directory / entry.value)


def _mappings(root: Node, field: str) -> list[Node]:
    """The entries of a field that are of the form it asks for; the engine refuses all others."""
    return [entry for entry in root.items(field) if isinstance(entry.value, dict)]


FIELDS: dict[str, Apply] = {
    "resources": _resources,
    "bases": _resources,
    "configurations": _configurations,
    "crds": _definitions,
    "openapi": _openapi,
    "configMapGenerator": _generator("ConfigMap"),
    "secretGenerator": _generator("Secret"),
    "components": _components,
    "patchesStrategicMerge": _patches,
    "patches": _patches,
    "namespace": _value(transformers.set_namespace),
    "namePrefix": _value(transformers.add_prefix),
    "nameSuffix": _value(transformers.add_suffix),
    "labels": _entries(transformers.set_labels),
    "commonLabels": _value(transformers.set_entries),
    "commonAnnotations": _value(transformers.set_entries),
    "patchesJson6902": _patches,
    "replicas": _entries(transformers.set_replicas),
    "images": _entries(transformers.set_image),
    "replacements": _replacements,
    **dict.fromkeys(PLUGINS, _plugins),
}
"""The fields that change what a build comes to, in the order in which they are applied."""
