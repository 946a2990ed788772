"""A pod on the host's network still finds Services by name.

With hostNetwork and the default dnsPolicy a pod gets the node's resolver, which knows no Service of the
cluster.

Bad:   hostNetwork: true
Good:  hostNetwork: true, dnsPolicy: ClusterFirstWithHostNet

Source: https://kubernetes.io/docs/concepts/services-networking/dns-pod-service/#pod-s-dns-policy
"""

from __future__ import annotations

from collections.abc import Iterator

from vllm_kustomize.kubernetes.pods import pods
from vllm_kustomize.model import Problem, Related, Resource, Severity

SEVERITY = Severity.WARNING
HELP = "Set dnsPolicy: ClusterFirstWithHostNet."


def check(resource: Resource) -> Iterator[Problem]:
    """Yield pods on the host's network whose DNS policy falls back to the node's."""
    for pod in pods(resource):
        if (
            pod.spec.get("hostNetwork") is True
            and pod.spec.get("dnsPolicy", "ClusterFirst") == "ClusterFirst"
        ):
            yield Problem(
                (*pod.spec_path, "dnsPolicy"),
                "the pod is on the host's network and resolves no Service: its dnsPolicy is ClusterFirst",
                related=(Related((*pod.spec_path, "hostNetwork"), "the host's network is chosen here"),),
            )
