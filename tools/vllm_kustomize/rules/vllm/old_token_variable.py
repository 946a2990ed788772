"""The Hugging Face token is in a variable of an old name.

HUGGING_FACE_HUB_TOKEN is the name of years ago, which huggingface_hub reads for backward compatibility only;
vLLM's documentation uses HF_TOKEN.

Bad:   env: [{name: HUGGING_FACE_HUB_TOKEN, ...}]
Good:  env: [{name: HF_TOKEN, ...}]

Source: huggingface_hub/utils/_auth.py, docs/deployment/k8s.md of vLLM
"""

from __future__ import annotations

from collections.abc import Iterator

from vllm_kustomize.model import Problem, Severity
from vllm_kustomize.vllm.server import Server

SEVERITY = Severity.INFO
HELP = "Rename the variable to HF_TOKEN."

_OLD = "HUGGING_FACE_HUB_TOKEN"


def check_server(server: Server) -> Iterator[Problem]:
    """Yield servers with the old variable alone."""
    if _OLD in server.env and "HF_TOKEN" not in server.env:
        path = (*server.env[_OLD].path[: len(server.container.path) + 2], "name")
        yield Problem(path, f"{server} has the token in {_OLD}, which HF_TOKEN has replaced")
