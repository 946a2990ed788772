"""What kube-apiserver rejects, a module a family."""

from __future__ import annotations

from collections.abc import Iterator

from vllm_kustomize.model import KubernetesVersion, Manifest, Problem


def check(manifest: Manifest, version: KubernetesVersion) -> Iterator[Problem]:
    """Yield what a kube-apiserver of that version would reject or warn of in one object."""
    return iter(())
