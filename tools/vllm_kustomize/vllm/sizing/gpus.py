"""The memory of GPUs by the product labels that device plugins put on nodes (`data/gpus.json`)."""

from __future__ import annotations

import json
import re
from dataclasses import dataclass
from functools import cache
from pathlib import Path

from vllm_kustomize.model import Error

PRODUCT_LABELS = (
    "nvidia.com/gpu.product",
    "amd.com/gpu.product-name",
    "beta.amd.com/gpu.product-name",
    "cloud.google.com/gke-accelerator",
    "karpenter.k8s.aws/instance-gpu-name",
)
"""Node labels whose value names the GPU."""

_TABLE = Path(__file__).parent.parent / "data" / "gpus.json"


@dataclass(frozen=True, slots=True)
class Gpu:
    """One GPU product; `memory` in bytes of one device."""

    product: str
    vendor: str
    memory: int

    @property
    def resource(self) -> str:
        """The extended resource that its device plugin offers."""
        return f"{self.vendor}.com/gpu"


@cache
def known_gpus() -> tuple[Gpu, ...]:
    """Every GPU in the table."""
    table = json.loads(_TABLE.read_text(encoding="utf-8"))
    return tuple(
        Gpu(product, vendor, mebibytes << 20)
        for vendor in ("nvidia", "amd")
        for product, mebibytes in table[vendor].items()
    )


def find_gpu(name: str) -> Gpu:
    """The GPU that a product label or a short name such as `H100-80GB`, `l4` or `MI300X` means.

    A bare size such as `24Gi` is a GPU of so many GiB, for hardware that the table does not have.

    A label's suffix `-SHARED` (time slicing) is dropped; `-MIG-1g.10gb`, or the resource
    `nvidia.com/mig-1g.10gb`, is a slice of that memory (k8s-device-plugin, gpu-feature-discovery/README.md).

    Raises:
        Error: no product, or products of different memory, have that name.
    """
    product = name.strip().removesuffix("-SHARED")
    if slice_ := re.fullmatch(r"(?:.*[-/])?MIG-\d+g\.(\d{1,4})gb(?:\.me)?", product, re.IGNORECASE):
        return Gpu(name, "nvidia", int(slice_[1]) << 30)
    if plain := re.fullmatch(r"(\d{1,6})\s*Gi?B?", product, re.IGNORECASE):
        return Gpu(f"GPU of {plain[1]} GiB", "nvidia", int(plain[1]) << 30)
    wanted = set(_words(product)) - _OF_ALL
    matches = [gpu for gpu in known_gpus() if wanted and wanted <= set(_words(gpu.product))]
    exact = [gpu for gpu in matches if gpu.product.lower() == product.lower()]
    shortest = exact or matches
    if not shortest:
        raise Error(f"unknown GPU {name!r}; known: {', '.join(gpu.product for gpu in known_gpus())}, or 24Gi")
    if len({gpu.memory for gpu in shortest}) > 1:
        raise Error(f"GPU {name!r} may be any of {', '.join(gpu.product for gpu in shortest)}; say which")
    return min(shortest, key=lambda gpu: len(gpu.product))


_OF_ALL = {"nvidia", "tesla"}
"""Words that tell no product from another; GKE writes `nvidia-tesla-t4`."""


def _words(product: str) -> list[str]:
    """Lower-case words; `H100-80GB` and `h100 80gb` have the same."""
    return [word for word in re.split(r"[^a-z0-9]+", product.lower()) if word]
