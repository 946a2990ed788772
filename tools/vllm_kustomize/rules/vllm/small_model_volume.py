"""The claim for models is smaller than the model.

A download that does not fit ends with "No space left on device", after which every restart begins it again.

Bad:   meta-llama/Llama-3.3-70B-Instruct (141 GB), with storage: 50Gi
Good:  meta-llama/Llama-3.3-70B-Instruct (141 GB), with storage: 200Gi
"""

from __future__ import annotations

from collections.abc import Iterator

from vllm_kustomize.kubernetes import quantity
from vllm_kustomize.kubernetes.fields import get, mapping, text
from vllm_kustomize.kubernetes.lookup import find
from vllm_kustomize.model import Outcome, Problem, Resource, Severity
from vllm_kustomize.vllm import missing
from vllm_kustomize.vllm.server import Server
from vllm_kustomize.vllm.sizing.memory import GIB, weight_bytes
from vllm_kustomize.vllm.sizing.sizing import volume_for

SEVERITY = Severity.WARNING
HELP = "Raise resources.requests.storage of the claim; `vllm-kustomize size` says what to ask for."


def check_server(server: Server) -> Iterator[Outcome]:
    """Yield claims in the build that a known model does not fit into."""
    claim = _claim(server)
    if claim is None:
        return
    if server.architecture is None:
        yield missing.model(server)
        return
    path = ("spec", "resources", "requests", "storage")
    storage = get(claim.manifest, path)
    size = quantity.of(storage) if storage is not None else None
    weights = weight_bytes(server.architecture)
    if size is not None and size < weights:
        yield Problem(
            path,
            f"{storage} is too little for {server.model}: its weights are {weights / GIB:.0f} GiB, "
            f"ask for {volume_for(weights) // GIB}Gi",
            resource=claim,
            related=(server.related_model("the model is set here"),),
        )


def _claim(server: Server) -> Resource | None:
    cache = server.files.hugging_face_cache
    mount = server.files.volume_under(cache) if cache is not None and server.downloads else None
    if mount is None:
        return None
    name = mapping(mount[1].get("persistentVolumeClaim")).get("claimName")
    return find(server.build, "PersistentVolumeClaim", server.resource.namespace, text(name))
