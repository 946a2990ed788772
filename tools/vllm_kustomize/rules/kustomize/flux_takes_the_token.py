"""A Secret that is filled in the cluster is emptied by Flux.

kustomize-controller takes back what kubectl added to an object that it applies. A token that was put into
a Secret without data with kubectl patch is gone after the next reconciliation, and a gated model stops
loading at its next restart. An annotation tells Flux to leave the fields of others alone.

Bad:   kind: Secret, without data and without the annotation
Good:  metadata: {annotations: {kustomize.toolkit.fluxcd.io/ssa: Merge}}

Source: Flux, kustomize-controller, "Controlling the apply behavior of resources"
"""

from __future__ import annotations

from collections.abc import Iterator

from vllm_kustomize.kubernetes.fields import mapping
from vllm_kustomize.model import Problem, Resource, Severity

SEVERITY = Severity.INFO
HELP = "Without Flux nothing happens. With it add the annotation kustomize.toolkit.fluxcd.io/ssa: Merge."

_FLUX = "kustomize.toolkit.fluxcd.io"
_KEEPS = {f"{_FLUX}/ssa": ("Merge", "IfNotPresent", "Ignore"), f"{_FLUX}/reconcile": ("disabled",)}


def check(resource: Resource) -> Iterator[Problem]:
    """Yield Secrets without data that Flux would take the data from."""
    if resource.kind != "Secret" or resource.api_version != "v1":
        return
    if resource.manifest.get("data") or resource.manifest.get("stringData"):
        return
    annotations = mapping(resource.metadata.get("annotations"))
    if not any(annotations.get(name) in values for name, values in _KEEPS.items()):
        yield Problem(("kind",), "Flux would take away what kubectl puts into this Secret")
