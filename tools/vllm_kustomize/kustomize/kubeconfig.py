"""Which cluster kubectl would ask: the context of a kubeconfig, and the namespace in it."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from vllm_kustomize.kubernetes.fields import items, text
from vllm_kustomize.model import Cluster, Error
from vllm_kustomize.wording import did_you_mean, join

IN_CLUSTER = "in-cluster"
"""What stands for the service account of the pod, which kubectl takes where there is no kubeconfig."""


def find_cluster(config: Mapping[str, Any], context: str, namespace: str, only: str) -> Cluster:
    """The cluster of a context, or of the current one where none is named.

    `config` is a kubeconfig as `kubectl config view` prints it. Raises `Error` where it has no such context,
    and where `only` is given and another one would be asked.
    """
    contexts = {text(each, "name"): each for _, each in items(config.get("contexts"), ())}
    chosen = context or text(config, "current-context")
    if chosen and chosen not in contexts:
        known = f"; it has {join(sorted(contexts))}" if contexts else ""
        hint = did_you_mean(chosen, contexts) or known
        raise Error(f"the kubeconfig has no context '{chosen}'{hint}")
    if only and chosen != only:
        asked = f"'{chosen}' is not" if chosen else "there is no current context to be"
        raise Error(
            f"{asked} the context '{only}' of the settings, and no other cluster is asked: "
            f"name it with --context {only}"
        )
    if not chosen:
        return Cluster(IN_CLUSTER, namespace or "default")
    return Cluster(chosen, namespace or text(contexts[chosen], "context", "namespace", default="default"))
