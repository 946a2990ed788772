"""A user other than root may not write to the model volume.

A fresh volume belongs to root. fsGroup makes the kubelet hand it to a group that the server's processes are
in; without it the first download fails with "Permission denied".

Bad:   runAsUser: 2000 and a PersistentVolumeClaim, without fsGroup
Good:  securityContext: {runAsUser: 2000, runAsGroup: 0, fsGroup: 0}

Source: https://kubernetes.io/docs/tasks/configure-pod-container/security-context/
"""

from __future__ import annotations

from collections.abc import Iterator

from vllm_kustomize.kubernetes.fields import mapping
from vllm_kustomize.model import Problem, Severity
from vllm_kustomize.vllm.server import Server

SEVERITY = Severity.WARNING
HELP = "Set securityContext.fsGroup of the pod to a group of the server's user."


def check_server(server: Server) -> Iterator[Problem]:
    """Yield non-root servers with a claimed cache volume and no fsGroup."""
    cache = server.files.hugging_face_cache
    context = mapping(server.pod.spec.get("securityContext"))
    if (
        cache is None
        or server.pod.partial
        or server.files.user in (0, None)
        or "fsGroup" in context
        or not server.downloads
    ):
        return
    mount = server.files.volume_under(cache)
    if mount is not None and "persistentVolumeClaim" in mount[1]:
        message = f"{server} runs as user {server.files.user} and downloads to a volume of root's: no fsGroup"
        yield Problem((*server.pod.spec_path, "securityContext"), message)
