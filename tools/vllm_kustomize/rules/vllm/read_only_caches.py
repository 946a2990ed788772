"""The root file system is read-only, and a directory that vLLM writes to is on no volume.

vLLM writes to /tmp (sockets and compiled kernels), the Hugging Face cache, and its own cache below HOME. Any
of them on the read-only root stops the server with "Read-only file system". A model that lies on a read-only
mount already is read from there.

Bad:   readOnlyRootFilesystem: true, with a volume at /root/.cache/huggingface alone
Good:  readOnlyRootFilesystem: true, with volumes at /root/.cache and /tmp

Source: VLLM_RPC_BASE_PATH and VLLM_CACHE_ROOT in vllm/envs.py
"""

from __future__ import annotations

from collections.abc import Iterator

from vllm_kustomize.kubernetes.fields import get, mapping
from vllm_kustomize.model import FieldPath, Problem, Severity
from vllm_kustomize.vllm.server import Server

SEVERITY = Severity.ERROR
HELP = "Mount an emptyDir at the directory, or move it to a volume with TMPDIR, HF_HOME or VLLM_CACHE_ROOT."


def check_server(server: Server) -> Iterator[Problem]:
    """Yield the directories that stay read-only."""
    context = mapping(server.container.spec.get("securityContext"))
    if context.get("readOnlyRootFilesystem") is not True:
        return
    for what, directory in server.files.written_directories.items():
        mount = server.files.volume_under(directory)
        if mount is None:
            yield Problem(
                (*server.container.path, "securityContext", "readOnlyRootFilesystem"),
                f"{server} writes {what} to {directory}, which is on the read-only root file system",
            )
        elif _is_read_only(server, mount[0]):
            yield Problem(
                (*mount[0], "readOnly"),
                f"{server} writes {what} to {directory}, on a read-only mount",
                severity=Severity.WARNING if what == "models" else None,
            )


def _is_read_only(server: Server, path: FieldPath) -> bool:
    return get(server.resource.manifest, (*path, "readOnly")) is True
