"""Where sources name a release of vLLM: references of images, tags beside a repository, version labels."""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass

from vllm_kustomize.kubernetes import images
from vllm_kustomize.kustomize.yaml.nodes import Node
from vllm_kustomize.model import Location
from vllm_kustomize.vllm.container.release import version_in

_REPOSITORIES = ("newName", "repository", "name", "image")
"""Keys beside a tag that say whose it is, the one that counts first: Kustomize's `images:`, Helm values."""

_TAGS = ("newTag", "tag", "imageTag", "version")
_DIGESTS = ("digest", "sha", "sha256")
_REFERENCE = re.compile(r"[\w.:/-]*vllm[\w./-]*:[\w.-]+(?:@sha256:[0-9a-f]+)?")
"""A reference inside of a longer text: a patch in a string, a script."""


@dataclass(frozen=True, slots=True)
class Named:
    """A release that a source names: `version` inside of `tag`, inside of the scalar at `location`.

    `by_hand` says why a tool cannot put another one there, or is empty.
    """

    location: Location
    tag: str
    version: str
    by_hand: str = ""

    def bumped(self, version: str) -> str:
        """The tag of another release."""
        return self.tag.replace(self.version, version)


def named_in(node: Node) -> Iterator[Named]:
    """Every place at or below a node that names a release of vLLM."""
    if isinstance(node.value, dict):
        yield from _beside_repository(node)
        for child in node.value.values():
            yield from named_in(child)
    elif isinstance(node.value, list):
        for child in node.value:
            yield from named_in(child)
    elif isinstance(node.value, str) and "vllm" in node.value:
        for reference in dict.fromkeys(_REFERENCE.findall(node.value)):
            yield from _named(node, reference, images.parse(reference).digest)


def _beside_repository(node: Node) -> Iterator[Named]:
    repository = next((text for key in _REPOSITORIES if (text := node.text(key))), "")
    digest = next((text for key in _DIGESTS if (text := node.text(key))), "")
    for key in _TAGS:
        tag = node.get(key)
        if tag is not None and isinstance(tag.value, str) and repository:
            reference = f"{images.parse(repository).repository}:{tag.value}"
            yield from _named(tag, reference, digest)


def _named(node: Node, reference: str, digest: str) -> Iterator[Named]:
    tag = images.parse(reference).tag
    version, _ = version_in(reference)
    if not version:
        return
    if digest:
        yield Named(node.location(), tag, version, "a digest says which image it is, whatever the tag")
    elif version not in tag:
        yield Named(node.location(), tag, version, "the distribution has releases of its own")
    elif "-" in (rest := tag.partition(version)[2]) and not rest.startswith(_VARIANTS):
        yield Named(
            node.location(), tag, version, f"whether there is such an image with '{rest}' is not known"
        )
    else:
        yield Named(node.location(), tag, version)


_VARIANTS = ("-cu", "-x86_64", "-aarch64", "-ubuntu", "-nonroot")
"""What vLLM's own tags have behind the release (hub.docker.com/r/vllm/vllm-openai/tags)."""
