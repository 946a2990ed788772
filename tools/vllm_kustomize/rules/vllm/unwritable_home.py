"""The server's user has no home that it may write to.

vLLM, PyTorch, Triton and Hugging Face keep caches below HOME. A user that the image does not know gets
HOME=/, where only root may write: the server stops with "PermissionError: '/.cache'" or "'/.triton'". The
CUDA image knows user 2000 (home /home/vllm, writable for group 0); the CPU and ROCm images know root alone.

Bad:   runAsUser: 1000 with vllm/vllm-openai, and no HOME
Good:  runAsUser: 2000, runAsGroup: 0 with vllm/vllm-openai
Good:  runAsUser: 1000 with env: [{name: HOME, value: /home/server}] and an emptyDir there

Source: docs/deployment/docker.md, docker/Dockerfile of vLLM
"""

from __future__ import annotations

from collections.abc import Iterator

from vllm_kustomize.model import Problem, Severity
from vllm_kustomize.vllm.server import Server
from vllm_kustomize.wording import join

SEVERITY = Severity.ERROR
HELP = "Use the image's own user, or set HOME to a directory on a volume that the user may write to."

_OWN_CACHES = frozenset({"HOME", "XDG_CACHE_HOME", "VLLM_CACHE_ROOT"})
"""Variables that take vLLM's caches elsewhere."""


def check_server(server: Server) -> Iterator[Problem]:
    """Yield users without a home in the image, and homes of a group that the user is not in."""
    image, user = server.image, server.files.user
    if image is None or user in (0, None) or _OWN_CACHES & set(server.env):
        return
    if server.files.volume_under("/.cache") is not None:
        return
    place = server.files.user_path
    if server.files.home is None:
        if image.user == 0:
            known = join([f"user {number}" for number, _ in image.users], "or")
            yield Problem(
                place, f"{server} runs as user {user}, whose HOME is /: set HOME, or use {known} of the image"
            )
    elif image.group is not None and user != image.user and image.group != server.files.group:
        files = server.files
        message = f"{server} runs as user {user} with group {files.group}, but {files.home} is writable for"
        yield Problem(place, f"{message} its owner and group {image.group}", severity=Severity.WARNING)
