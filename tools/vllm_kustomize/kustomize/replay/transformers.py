"""What a kustomization's own settings do to objects: images, replicas, labels, namespace, names.

Each function takes the objects and one setting, and returns the objects as they are afterwards, in order.
Source: api/filters and api/internal/builtins of kubernetes-sigs/kustomize.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence

from vllm_kustomize.kubernetes import regex
from vllm_kustomize.kustomize.replay.fields import FieldSpec, created, set_fields
from vllm_kustomize.kustomize.replay.objects import Source
from vllm_kustomize.kustomize.replay.selectors import SelectorError
from vllm_kustomize.kustomize.replay.sharing import Shared
from vllm_kustomize.kustomize.yaml.nodes import Node, written_over

Write = Callable[[Node | None], Node | None]

_UNPREFIXED = frozenset({"CustomResourceDefinition", "APIService", "Namespace"})
_TAG_AND_DIGEST = r"(:[a-zA-Z0-9_.{}-]*)?(@[a-zA-Z0-9]+([.+_-][a-zA-Z0-9]+)*:[a-zA-Z0-9_.{}-]*)?"


def set_image(objects: Sequence[Source], entry: Node, specs: Sequence[FieldSpec]) -> list[Source]:
    """Apply one entry of `images:` to every list of containers and every image field."""

    def write(image: Node | None) -> Node | None:
        if image is None or not names_image(entry, image.value):
            return None
        return _new_image(image, entry)

    def update(source: Source) -> Source:
        if source.id.kind == "CustomResourceDefinition":
            return source
        root = _in_containers(source.root, write)
        for spec in specs:
            if spec.selects(source.id):
                root = set_fields(root, spec.path, write, False)
        return _changed(source, root)

    return [update(source) for source in objects]


def names_image(entry: Node, image: object) -> bool:
    """Tell whether an entry's `name`, which Kustomize takes for a regular expression, is that of an image.

    Raises SelectorError where it cannot be read.
    """
    name = entry.text("name")
    try:
        return isinstance(image, str) and regex.matches(f"^{name}{_TAG_AND_DIGEST}$", image)
    except regex.UnknownSyntax:
        raise SelectorError(name) from None


def selects_image(source: Source, entry: Node, specs: Sequence[FieldSpec]) -> bool:
    """Tell whether an entry of `images:` names an image of the object, even one that it leaves unchanged."""
    marked = entry.replace({**entry.value, "newTag": created("", entry), "tagSuffix": created("?", entry)})
    return set_image([source], marked, specs)[0].root is not source.root


def _new_image(image: Node, entry: Node) -> Node | None:
    name, tag, digest = split_image(image.value)
    new = {key: entry.get(key) for key in ("newName", "newTag", "digest", "tagSuffix")}
    given = {key: node for key, node in new.items() if node is not None and node.value not in (None, "")}
    text = {key: str(node.value) for key, node in given.items()}
    name = text.get("newName", name)
    if "newTag" in text or "digest" in text:
        tag, digest = text.get("newTag", ""), text.get("digest", "")
    elif "tagSuffix" in text:
        tag, digest = tag + text["tagSuffix"], ""
    value = name + (f":{tag}" if tag else "") + (f"@{digest}" if digest else "")
    writer = next((given[key] for key in ("newTag", "digest", "newName", "tagSuffix") if key in given), None)
    if writer is None or value == image.value:
        return None
    return written_over(writer.replace(value), image)


def split_image(image: str) -> tuple[str, str, str]:
    """Split an image reference into name, tag and digest as Kustomize does: not as a registry would.

    Source: Split in api/pkg/util/image of kustomize.
    """
    name, _, digest = image.partition("@")
    slash = name.find("/")
    colon = name.find(":", slash if slash > 0 else 0)
    return (name, "", digest) if colon < 0 else (name[:colon], name[colon + 1 :], digest)


def _in_containers(node: Node, write: Write) -> Node:
    if isinstance(node.value, list):
        items = [_in_containers(item, write) for item in node.value]
        same = all(new is old for new, old in zip(items, node.value, strict=True))
        return node if same else node.replace(items)
    if not isinstance(node.value, dict):
        return node
    fields = {}
    for name, child in node.value.items():
        new = _in_containers(child, write) if isinstance(child.value, dict | list) else child
        if name in ("containers", "initContainers") and isinstance(new.value, list):
            new = set_fields(new, "image", write, False)
        if new is not child:
            fields[name] = new
    return node.replace({**node.value, **fields}) if fields else node


def set_replicas(objects: Sequence[Source], entry: Node, specs: Sequence[FieldSpec]) -> list[Source]:
    """Apply one entry of `replicas:` to the objects that have, or ever had, its name."""
    name, count = entry.text("name"), entry.get("count")

    def update(source: Source) -> Source:
        root = source.root
        if count is not None and any(identity.name == name for identity in source.ids):
            for spec in specs:
                if spec.selects(source.id):
                    root = set_fields(root, spec.path, lambda old: written_over(count, old), spec.create)
        return _changed(source, root)

    return [update(source) for source in objects]


def set_labels(objects: Sequence[Source], entry: Node, specs: Sequence[FieldSpec]) -> list[Source]:
    """Apply one entry of `labels:`."""
    pairs = entry.get("pairs")
    return list(objects) if pairs is None else set_entries(objects, pairs, specs)


def set_entries(objects: Sequence[Source], pairs: Node, specs: Sequence[FieldSpec]) -> list[Source]:
    """Write labels or annotations, a mapping of strings, into every map that `specs` name."""
    values = {
        name: Shared.of(node.replace(str(node.value)) if isinstance(node.value, int | float) else node)
        for name, node in (pairs.value.items() if isinstance(pairs.value, dict) else ())
    }

    def write(old: Node | None) -> Node | None:
        if old is None or old.value is None:
            return created(dict(values), pairs)
        if not isinstance(old.value, dict):
            return None
        merged = {name: written_over(node, old.value.get(name)) for name, node in values.items()}
        return old.replace({**old.value, **merged})

    chosen = tuple(dict.fromkeys(specs))

    def update(source: Source) -> Source:
        root = source.root
        written = [spec for spec in chosen if spec.selects(source.id)]
        for spec in written:
            root = set_fields(root, spec.path, write, spec.create)
        if root is source.root:
            return source
        paths = dict.fromkeys((*source.shared, *(spec.path for spec in written)))
        return source.changed(root, shared=tuple(paths))

    return [update(source) for source in objects] if values else list(objects)


def set_namespace(objects: Sequence[Source], namespace: Node, specs: Sequence[FieldSpec]) -> list[Source]:
    """Put every object that can have a namespace into this one."""

    def write(old: Node | None) -> Node:
        return written_over(namespace, old)

    def default_subject(subject: Node) -> Node:
        if subject.text("name") != "default":
            return subject
        return subject.replace({**subject.value, "namespace": write(subject.get("namespace"))})

    def update(source: Source) -> Source:
        identity, root = source.id, source.root
        if not identity.cluster_scoped:
            root = set_fields(root, "metadata/namespace", write, True)
        if identity.kind in ("RoleBinding", "ClusterRoleBinding"):
            subjects = root.get("subjects")
            if subjects is not None and isinstance(subjects.value, list):
                changed = subjects.replace([default_subject(subject) for subject in subjects.value])
                root = root.replace({**root.value, "subjects": changed})
        for spec in specs:
            if spec.selects(identity) and spec.path != "metadata/namespace":
                root = set_fields(root, spec.path, write, spec.create)
        return source.changed(root, renamed=True)

    return [update(source) for source in objects]


def add_prefix(objects: Sequence[Source], text: Node, specs: Sequence[FieldSpec]) -> list[Source]:
    """Apply `namePrefix`; the name itself stays where it was written."""
    return _rename(objects, text, specs, "namePrefix", f"{text.value}{{}}")


def add_suffix(objects: Sequence[Source], text: Node, specs: Sequence[FieldSpec]) -> list[Source]:
    """Apply `nameSuffix`; the name itself stays where it was written."""
    return _rename(objects, text, specs, "nameSuffix", f"{{}}{text.value}")


def _rename(
    objects: Sequence[Source], text: Node, specs: Sequence[FieldSpec], setting: str, form: str
) -> list[Source]:
    added = Node(text.value, text.file, text.line, text.column, note=f"{setting} is added here")

    def write(name: Node | None) -> Node | None:
        if name is None or not isinstance(name.value, str | int):
            return None
        return name.replace(form.replace("{}", str(name.value)), past=(added, *name.past))

    def update(source: Source) -> Source:
        if source.original.kind in _UNPREFIXED:
            return source
        root = source.root
        for spec in specs:
            if spec.selects(source.original):
                root = set_fields(root, spec.path, write, False)
        return source.changed(root, renamed=True)

    return [update(source) for source in objects]


Transformer = Callable[[Sequence[Source], Node, Sequence[FieldSpec]], list[Source]]
"""Applies one setting, or one entry of it, to the fields that it writes."""


def _changed(source: Source, root: Node) -> Source:
    return source if root is source.root else source.changed(root)
