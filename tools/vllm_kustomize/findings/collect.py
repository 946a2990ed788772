"""Collect what is secret in a build, for the mask of everything that is said about it."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from functools import lru_cache
from typing import Any

from vllm_kustomize.findings.mask import Mask
from vllm_kustomize.findings.secrets import in_env_file, in_file, in_source, in_value
from vllm_kustomize.findings.shapes import is_secret
from vllm_kustomize.kubernetes.names import config_key
from vllm_kustomize.kustomize.discover import display_path
from vllm_kustomize.kustomize.replay.graph import Kustomization, SourceGraph
from vllm_kustomize.kustomize.replay.kustomization import MAX_CONTENT
from vllm_kustomize.kustomize.replay.tree import SourceTree
from vllm_kustomize.kustomize.yaml.nodes import Document, DocumentError
from vllm_kustomize.kustomize.yaml.reader import read_text
from vllm_kustomize.model import Resource

_NAMES = ("kind", "name", "namespace", "generateName")


def mask_of_overlay(
    graph: SourceGraph, tree: SourceTree, resources: Iterable[Resource], more: Iterable[str]
) -> Mask:
    """The mask for an overlay: its sources, what its generators read, its objects, and `more`."""
    secrets = set(more)
    broken: set[str] = set()
    for name, path in {display_path(path): path for path in graph.files}.items():
        text = tree.texts.get(name)
        if text is None:
            continue
        try:
            secrets.update(*map(_in_document, tree.documents(path)))
        except DocumentError:
            broken.add(name)
        secrets |= _in_text(text, broken=name in broken)
    for kustomization in graph.kustomizations:
        secrets.update(_in_generators(kustomization))
    return _mask(secrets, resources, broken)


def mask_of_file(name: str, text: str, resources: Sequence[Resource], more: Iterable[str]) -> Mask:
    """The mask for a file of objects, and for `more`; without any object it is taken for no YAML."""
    broken = {name} if not resources else set()
    return _mask({*more, *in_source(text, broken=bool(broken))}, resources, broken)


def _mask(secrets: set[str], resources: Iterable[Resource], broken: set[str]) -> Mask:
    objects = [resource.manifest for resource in resources]
    for manifest in objects:
        secrets.update(in_value(manifest))
    ordinary = {word for manifest in objects for word in _names(manifest)} if secrets else set()
    return Mask(secrets, ordinary, broken)


@lru_cache(maxsize=1 << 10)  # overlays share their bases
def _in_document(document: Document) -> frozenset[str]:
    if document.root.text("kind") == "CustomResourceDefinition":
        return frozenset()
    return frozenset(in_value(document.data))


@lru_cache(maxsize=1 << 10)
def _in_text(text: str, *, broken: bool) -> frozenset[str]:
    return frozenset(in_source(text, broken=broken))


def _in_generators(kustomization: Kustomization) -> Iterator[str]:
    """What the files hold that a kustomization makes Secrets of."""
    for entry in kustomization.root.items("secretGenerator"):
        for item in [*entry.items("envs"), *filter(None, [entry.get("env")])]:
            yield from in_env_file(_content(kustomization, str(item.value)))
        for item in entry.items("files"):
            key, equals, path = str(item.value).partition("=")
            yield from in_file(_content(kustomization, path if equals else key))


def _content(kustomization: Kustomization, name: str) -> str:
    try:
        return read_text(kustomization.directory / name, MAX_CONTENT)
    except (OSError, UnicodeDecodeError):
        return ""


def _names(value: Any) -> Iterator[str]:
    """What objects, and the parts of them, are called."""
    if isinstance(value, Mapping):
        secret = is_secret(str(value.get("kind")))
        for key, child in value.items():
            yield str(key)
            if key in _NAMES and isinstance(child, str):
                yield child
            elif secret and key in ("data", "stringData"):
                keys = child if isinstance(child, Mapping) else ()
                yield from (name for name in keys if isinstance(name, str) and not config_key(name))
            else:
                yield from _names(child)
    elif isinstance(value, list):
        for child in value:
            yield from _names(child)
