"""A pod on the host's network calls a Service by name that it cannot resolve.

With hostNetwork and the default dnsPolicy a pod gets the node's resolver, which knows no Service of the
cluster. Pods that call none do not need one.

Bad:   hostNetwork: true
Good:  hostNetwork: true, dnsPolicy: ClusterFirstWithHostNet

Source: https://kubernetes.io/docs/concepts/services-networking/dns-pod-service/#pod-s-dns-policy
"""

from __future__ import annotations

import re
from collections.abc import Iterator

from vllm_kustomize.kubernetes.fields import texts
from vllm_kustomize.kubernetes.pods import pods
from vllm_kustomize.model import Problem, Related, Resource, Severity

SEVERITY = Severity.WARNING
HELP = "Set dnsPolicy: ClusterFirstWithHostNet."


_SERVICE = re.compile(r"(?<![a-z0-9-])[a-z0-9-]+\.[a-z0-9-]+\.svc\b")


def check(resource: Resource) -> Iterator[Problem]:
    """Yield pods on the host's network that name a Service and use the node's DNS."""
    for pod in pods(resource):
        if (
            pod.spec.get("hostNetwork") is True
            and pod.spec.get("dnsPolicy", "ClusterFirst") == "ClusterFirst"
            and any(_SERVICE.search(text) for _, text in texts(dict(pod.spec), ()))
        ):
            yield Problem(
                (*pod.spec_path, "dnsPolicy"),
                "the pod is on the host's network and resolves no Service: its dnsPolicy is ClusterFirst",
                related=(Related((*pod.spec_path, "hostNetwork"), "the host's network is chosen here"),),
            )
