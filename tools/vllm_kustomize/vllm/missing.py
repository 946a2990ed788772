"""Why a rule cannot judge a server: what the manifests leave open, in the same words everywhere."""

from __future__ import annotations

from vllm_kustomize.model import Undecided
from vllm_kustomize.vllm.server import Server


def release(server: Server) -> Undecided:
    """The image does not say which release of vLLM it holds."""
    return Undecided(f"the image {server.container.image} names no release of vLLM that is known")


def model(server: Server) -> Undecided:
    """The model's figures are not in the table, or its name is not in the manifests."""
    if server.model is None:
        return Undecided("the model is known only in the cluster")
    return Undecided(f"the figures of the model {server.model} are not known")


def gpu(server: Server) -> Undecided:
    """The pod may land on any GPU, or on one that the table does not have."""
    if server.gpu_products:
        products = ", ".join(server.gpu_products)
        return Undecided(f"the memory of a GPU that the pod accepts is not known ({products})")
    return Undecided("the pod selects no GPU product")


def value(server: Server, *options: str) -> Undecided:
    """One of these options has a value that only the cluster knows, or that no server starts with."""
    unknown = next((option for option in options if server.unknown(option)), options[0])
    if server.value(unknown) is not None:
        return Undecided(f"no server starts with {server.shown(unknown)}")
    return Undecided(f"the value of --{unknown.replace('_', '-')} is known only in the cluster")
