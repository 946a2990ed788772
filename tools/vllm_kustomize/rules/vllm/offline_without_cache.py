"""A server that may not ask the Hub has no volume to find its model on.

With HF_HUB_OFFLINE=1 vLLM looks for the model in the Hugging Face cache alone, which is empty in vLLM's own
images.

Bad:   HF_HUB_OFFLINE=1 with the model Qwen/Qwen3-8B, and no volume at /root/.cache/huggingface
Good:  the same with a claim that holds the model mounted there

Source: huggingface_hub/constants.py (HF_HUB_OFFLINE), docker/Dockerfile of vLLM
"""

from __future__ import annotations

from collections.abc import Iterator

from vllm_kustomize.model import Problem, Severity
from vllm_kustomize.vllm.server import Server

SEVERITY = Severity.WARNING
HELP = "Mount the volume with the model at the cache, or remove HF_HUB_OFFLINE."


def check_server(server: Server) -> Iterator[Problem]:
    """Yield offline servers whose cache is on no volume."""
    offline = server.env.get("HF_HUB_OFFLINE")
    if offline is None or str(offline.value).upper() not in ("1", "ON", "YES", "TRUE"):
        return
    model, cache = server.model, server.files.hugging_face_cache
    if model is None or model.startswith(("/", "./", "../", "~")) or "://" in model or cache is None:
        return
    if server.image is None or server.image.releases is not None or server.pod.may_have("volumes"):
        return
    if server.files.volume_under(cache) is None:
        yield Problem(offline.path, f"{server} may not download {model}, and no volume is mounted at {cache}")
