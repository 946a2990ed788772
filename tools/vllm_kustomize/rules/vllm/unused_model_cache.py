"""The volume for models is not mounted where the server looks for them.

Downloads go to $HF_HOME, or else to .cache/huggingface in the home of the user that the container runs as:
/root for vLLM's images, /home/vllm for user 2000 of the CUDA image. A volume anywhere else stays empty, and
every restart downloads the model again.

Bad:   runAsUser: 2000, with the volume at /root/.cache/huggingface
Good:  runAsUser: 2000, with the volume at /home/vllm/.cache/huggingface

Source: huggingface_hub/constants.py, docs/deployment/docker.md of vLLM
"""

from __future__ import annotations

from collections.abc import Iterator

from vllm_kustomize.model import Problem, Severity
from vllm_kustomize.vllm.server import Server

SEVERITY = Severity.WARNING
HELP = "Mount the volume at the cache's directory, or point HF_HOME at the volume."


def check_server(server: Server) -> Iterator[Problem]:
    """Yield persistent volumes at a cache's path that is not the server's."""
    for path, mounted in server.files.unused_caches():
        yield Problem(
            (*path, "mountPath"),
            f"the volume at {mounted} stays empty: "
            f"{server} downloads to {server.files.hugging_face_cache}{_why(server)}",
        )


def _why(server: Server) -> str:
    for name in ("HF_HUB_CACHE", "HF_HOME", "XDG_CACHE_HOME", "HOME"):
        if name in server.env:
            return f" ({server.env[name].shown})"
    if "download_dir" in server.options:
        return f" ({server.shown('download_dir')})"
    return f" (the home of user {server.files.user})"
