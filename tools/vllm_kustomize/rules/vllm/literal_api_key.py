"""The API key is written into the arguments.

Arguments stand in the manifest, in the pod's status and in the process list of the node, and what is
committed stays in the history.

Bad:   args: [model, --api-key=s3cret]
Good:  env: [{name: VLLM_API_KEY, valueFrom: {secretKeyRef: {name: api-key, key: key}}}]

Source: docs/usage/security.md of vLLM
"""

from __future__ import annotations

from collections.abc import Iterator

from vllm_kustomize.kubernetes.fields import get, text
from vllm_kustomize.model import FieldPath, Problem, Severity
from vllm_kustomize.vllm.server import Server

SEVERITY = Severity.WARNING
HELP = "Set VLLM_API_KEY from a Secret instead of --api-key."


def check_server(server: Server) -> Iterator[Problem]:
    """Yield keys among the arguments that come from no variable of the cluster; the key is never shown."""
    key = server.options.get("api_key")
    if key is None:
        return
    written = text(get(server.resource.manifest, key.path))
    following = text(get(server.resource.manifest, _next(key.path)))
    values = key.value if isinstance(key.value, list) else [key.value]
    if any(isinstance(value, str) and value in (written + following) for value in values):
        yield Problem(key.path, f"{server} has its API key among the arguments, in plain text")


def _next(path: FieldPath) -> FieldPath:
    """The argument behind one."""
    last = path[-1]
    return (*path[:-1], last + 1) if isinstance(last, int) else path
