"""The KV cache that a server offloads to main memory, where that is a file in /dev/shm."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, TypeGuard

from vllm_kustomize.model import FieldPath
from vllm_kustomize.vllm.server import Server
from vllm_kustomize.vllm.sizing.memory import GIB

CHECKED_SINCE = (0, 28)
"""The release from which on vLLM compares the free space first (kv_offload/cpu/shared_offload_region.py)."""

_RELEASES = {"cuda": ((0, 27), (999,)), "xpu": ((0, 32), (999,)), "rocm": ((0, 27), (0, 31))}
"""From which release on, and before which, CPUOffloadingSpec puts its region there, by accelerator.

`_uses_shared_region` in v1/kv_offload/cpu/spec.py of the releases; before, it was each rank's own memory.
"""

_TIERING_SINCE = (0, 22)
"""TieringOffloadingSpec shares it between ranks and scheduler on every accelerator (kv_offload/tiering)."""


@dataclass(frozen=True, slots=True)
class Region:
    """What the engines of a container create in /dev/shm: `size` in bytes, `shown` as a message quotes it."""

    size: int
    path: FieldPath
    shown: str


def region(server: Server) -> Region | None:
    """The offloading region of a server's engines, or None where there is none or only the cluster knows.

    `--kv-offloading-size` counts GiB over all ranks of an engine, and `cpu_bytes_to_use` of the connector's
    own configuration bytes (_post_init_kv_transfer_config in vllm/config/vllm.py). Each data-parallel engine
    has a region of its own.
    """
    config = _mapping(server.value("kv_transfer_config"))
    extra = _mapping(config.get("kv_connector_extra_config"))
    option = "kv_offloading_size" if "kv_offloading_size" in server.options else "kv_transfer_config"
    if option == "kv_offloading_size":
        size, unit = server.value(option), GIB
        native = server.value("kv_offloading_backend") in (None, "native")
        offloads = native and "VLLM_USE_SIMPLE_KV_OFFLOAD" not in server.env
    else:
        size, unit = extra.get("cpu_bytes_to_use"), 1
        offloads = config.get("kv_connector") == "OffloadingConnector"
    if not offloads or not _is_amount(size) or not _in_shared_memory(server, extra):
        return None
    written = server.shown(option) if unit == GIB else f"cpu_bytes_to_use={size}"
    return Region(int(size * unit) * server.local_engines, server.place(option), written)


def _in_shared_memory(server: Server, extra: Mapping[str, Any]) -> bool:
    spec = extra.get("spec_name", "CPUOffloadingSpec")
    if spec == "TieringOffloadingSpec":
        return server.version >= _TIERING_SINCE
    since, before = _RELEASES.get(server.accelerator or "", ((999,), ()))
    return spec == "CPUOffloadingSpec" and since <= server.version < before


def _is_amount(value: object) -> TypeGuard[float]:
    return isinstance(value, int | float) and not isinstance(value, bool) and 0 < value < 1 << 62


def _mapping(value: object) -> Mapping[str, Any]:
    return value if isinstance(value, dict) else {}
