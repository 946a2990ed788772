"""What deletes an object once it is no longer rendered."""

from __future__ import annotations

from vllm_kustomize.kubernetes.fields import text
from vllm_kustomize.model import Resource


def pruned_by(resource: Resource) -> str:
    """The tools that delete an object when it is gone from what they sync; empty where it says no to both.

    Sources: "Resource Pruning" (Sync Options) in the documentation of Argo CD; `prune` in that of Flux's
    Kustomization, which also skips objects whose `reconcile` is disabled.
    """
    annotations = resource.metadata
    options = text(annotations, "annotations", "argocd.argoproj.io/sync-options").replace(" ", "").split(",")
    tools = [] if "Prune=false" in options else ["Argo CD"]
    disabled = (
        text(annotations, "annotations", f"kustomize.toolkit.fluxcd.io/{word}") == "disabled"
        for word in ("prune", "reconcile")
    )
    return " or ".join([*tools, *([] if any(disabled) else ["Flux"])])
