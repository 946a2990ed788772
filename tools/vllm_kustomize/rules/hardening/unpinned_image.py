"""A container image is not pinned to a version or a digest.

A floating tag such as `latest` changes the server on a pod restart that nobody planned: vLLM's flags and
defaults differ between releases, and two replicas may run different ones.

Bad:   image: vllm/vllm-openai
Good:  image: vllm/vllm-openai:v0.33.0
"""

from __future__ import annotations

from collections.abc import Iterator

from vllm_kustomize.kubernetes.images import parse
from vllm_kustomize.kubernetes.pods import pods
from vllm_kustomize.model import Problem, Resource, Severity

SEVERITY = Severity.WARNING
HELP = "Set newTag or digest under images: in the overlay's kustomization.yaml."

_FLOATING = frozenset({"latest", "nightly", "main", "master", "dev", "edge", "stable"})


def check(resource: Resource) -> Iterator[Problem]:
    """Yield the images that are not pinned."""
    for pod in pods(resource):
        for container in pod.all_containers:
            image = parse(container.image)
            tag = image.digest or image.tag
            if container.image and (not tag or tag in _FLOATING or tag.endswith("-nightly")):
                what = f"has the floating tag '{tag}'" if tag else "has no tag, which means 'latest'"
                yield Problem((*container.path, "image"), f"the image of {container} {what}")
