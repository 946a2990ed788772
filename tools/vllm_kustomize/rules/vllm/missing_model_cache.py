"""Downloaded models do not survive a restart.

Without a volume at the Hugging Face cache every restart and every rescheduling downloads the model again:
minutes to an hour in which the server is down, and the node's disk fills up.

Bad:   no volume at /root/.cache/huggingface
Good:  a PersistentVolumeClaim mounted at /root/.cache

Source: huggingface_hub/constants.py
"""

from __future__ import annotations

from collections.abc import Iterator

from vllm_kustomize.model import Problem, Severity
from vllm_kustomize.vllm.container.files import is_persistent
from vllm_kustomize.vllm.server import Server

SEVERITY = Severity.WARNING
HELP = "Mount a PersistentVolumeClaim at the cache, or bring the model in an image volume."


def check_server(server: Server) -> Iterator[Problem]:
    """Yield servers that download to the container's own disk or to an emptyDir."""
    cache = server.files.hugging_face_cache
    if cache is None or server.pod.partial or not server.downloads or any(server.files.unused_caches()):
        return
    mount = server.files.volume_under(cache)
    if mount is None:
        message = f"{server} downloads {server.model} to {cache}, which is on no volume"
        yield Problem((*server.container.path, "volumeMounts"), f"{message}: a restart downloads it again")
    elif not is_persistent(mount[1]):
        message = f"{server} downloads {server.model} to {cache}, on a volume that ends with the pod"
        yield Problem(mount[0], message)
