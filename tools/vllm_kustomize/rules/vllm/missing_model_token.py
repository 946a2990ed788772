"""A gated model is downloaded without a token.

The Hub answers 401 for gated repositories, such as those of meta-llama and google/gemma, unless a token of
someone who accepted the licence is sent. The server then stops after a restart or two without a word on why.
A model that is on the volume already is served without one.

Bad:   meta-llama/Llama-3.1-8B-Instruct without HF_TOKEN
Good:  env: [{name: HF_TOKEN, valueFrom: {secretKeyRef: {name: hf-token-secret, key: token}}}]

Source: https://huggingface.co/docs/hub/models-gated
"""

from __future__ import annotations

from collections.abc import Iterator

from vllm_kustomize.kubernetes.fields import items
from vllm_kustomize.model import Problem, Severity
from vllm_kustomize.vllm.server import Server
from vllm_kustomize.vllm.sizing.models import is_gated

SEVERITY = Severity.ERROR
HELP = "Set HF_TOKEN from a Secret, and accept the model's licence on huggingface.co with that account."

_TOKENS = ("HF_TOKEN", "HUGGING_FACE_HUB_TOKEN", "HF_TOKEN_PATH", "HF_ENDPOINT")
"""What brings a token, or leads to a mirror that may ask for none."""


def check_server(server: Server) -> Iterator[Problem]:
    """Yield gated models that are downloaded without any token."""
    model = server.model or ""
    if not is_gated(model) or server.pod.partial or not server.downloads:
        return
    from_elsewhere = any(True for _ in items(server.container.spec.get("envFrom"), ()))
    if from_elsewhere or "hf_token" in server.options or any(name in server.env for name in _TOKENS):
        return
    message = f"{model} is gated, but {server} has no HF_TOKEN to download it with"
    severity = Severity.WARNING if _may_be_there(server) else None
    yield Problem(server.model_path, message, severity=severity)


def _may_be_there(server: Server) -> bool:
    """Whether the model, or a token, may lie on a volume that someone has filled."""
    cache = server.files.hugging_face_cache
    return cache is None or server.files.volume_under(cache) is not None
