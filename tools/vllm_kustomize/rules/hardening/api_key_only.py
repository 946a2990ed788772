"""A NetworkPolicy stands before a server that relies on an API key.

The key guards /v1, /v2, /inference and /cohere alone. Whoever reaches the port can still call /tokenize,
/pooling, /score, /invocations, /metrics and, where switched on, endpoints that pause the engine or change its
weights.

Bad:   VLLM_API_KEY, and no NetworkPolicy that selects the pod
Good:  VLLM_API_KEY, and a NetworkPolicy that admits the gateway only

Source: docs/usage/security.md of vLLM, AuthenticationMiddleware in vllm/entrypoints
"""

from __future__ import annotations

from collections.abc import Iterator

from vllm_kustomize.kubernetes import selectors
from vllm_kustomize.kubernetes.fields import get, mapping
from vllm_kustomize.kubernetes.lookup import of_kind
from vllm_kustomize.model import Manifest, Problem, Resource, Severity
from vllm_kustomize.vllm.server import Server

SEVERITY = Severity.WARNING
HELP = "Add a NetworkPolicy that selects the pod, and let a gateway pass on only the paths it should."

_POLICIES = ("NetworkPolicy", "CiliumNetworkPolicy", "AuthorizationPolicy")


def check_server(server: Server) -> Iterator[Problem]:
    """Yield servers with a key that no policy of the build selects."""
    key = server.api_key
    if (
        key is None
        or server.pod.partial
        or any(_selects(server, policy.manifest) for policy in _policies(server))
    ):
        return
    message = f"the API key of {server} guards /v1 alone, and no NetworkPolicy of this build selects the pod"
    yield Problem(key.path, f"{message} ({server.vllm})")


def _policies(server: Server) -> Iterator[Resource]:
    for resource in of_kind(server.build, *_POLICIES):
        if resource.namespace == server.resource.namespace:
            yield resource


def _selects(server: Server, manifest: Manifest) -> bool:
    spec = mapping(get(manifest, ("spec",)))
    for key in ("podSelector", "endpointSelector", "selector"):
        if key in spec:
            return selectors.matches(mapping(spec[key]), server.pod.labels)
    return True
