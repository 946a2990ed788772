"""An entry of `images:` names no image of the build.

Kustomize ignores an entry whose name no container has. The usual cause is a component or base that has
already renamed the image: from then on it goes by its new name. A Component may name images that only some
builds have; there the rule speaks up where the image was renamed.

Bad:   images: [{name: vllm/vllm-openai, newTag: v0.33.0}], after a component renamed that image
Good:  images: [{name: registry.example/vllm, newTag: v0.33.0}]
"""

from __future__ import annotations

from collections.abc import Iterator

from vllm_kustomize.kustomize.replay.graph import SourceGraph, Step
from vllm_kustomize.kustomize.replay.transformers import names_image, selects_image
from vllm_kustomize.kustomize.yaml.nodes import Node
from vllm_kustomize.model import Location, Severity, SourceProblem

SEVERITY = Severity.WARNING
HELP = "Use the image's name as it is at this point of the build, or remove the entry."


def check_source(graph: SourceGraph) -> Iterator[SourceProblem]:
    """Yield each entry that no image matches, with the place that renamed it."""
    if graph.incomplete:
        return
    steps = [step for step in graph.steps if step.setting == "images"]
    used = {step.entry.location() for step in steps if _is_used(step)}
    for step in steps:
        if step.entry.location() in used:  # a component's entry may be of use in another place
            continue
        name = step.entry.get("name") or step.entry
        renamed = tuple(_renamed(step))
        if step.kustomization.is_component and not renamed:
            continue
        why = " by that name any more" if renamed else ""
        yield SourceProblem(name.location(), f"no container uses the image '{name.value}'{why}", renamed)


def _is_used(step: Step) -> bool:
    return bool(step.changes) or any(selects_image(source, step.entry, step.specs) for source in step.objects)


def _renamed(step: Step) -> Iterator[Location]:
    for source in step.objects:
        for image in _images(source.root):
            if any(names_image(step.entry, past.value) for past in image.past):
                yield image.location(note=f"renamed to {image.value} here")


def _images(node: Node) -> Iterator[Node]:
    if isinstance(node.value, dict):
        for name, child in node.value.items():
            if name == "image" and isinstance(child.value, str):
                yield child
            else:
                yield from _images(child)
    elif isinstance(node.value, list):
        for item in node.value:
            yield from _images(item)
