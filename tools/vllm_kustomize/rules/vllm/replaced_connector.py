"""Offloading takes the place of the connector that --kv-transfer-config names.

--kv-offloading-size writes its own connector and size over those given and says nothing: a server that should
hand its KV cache to another, or take it from a shared store, keeps it to itself. MultiConnector can do both.

Bad:   --kv-transfer-config={"kv_connector":"NixlConnector",...} and --kv-offloading-size=8
Good:  MultiConnector with NixlConnector and OffloadingConnector, and cpu_bytes_to_use for the latter

Source: _post_init_kv_transfer_config in vllm/config/vllm.py
"""

from __future__ import annotations

from collections.abc import Iterator

from vllm_kustomize.kubernetes.fields import mapping
from vllm_kustomize.model import Problem, Related, Severity
from vllm_kustomize.vllm.server import Server

SEVERITY = Severity.WARNING
HELP = "Drop one of the two, or join two connectors in a MultiConnector."


def check_server(server: Server) -> Iterator[Problem]:
    """Yield servers whose connector is replaced."""
    config = mapping(server.value("kv_transfer_config"))
    named, extra = config.get("kv_connector"), mapping(config, "kv_connector_extra_config")
    if not named or server.value("kv_offloading_size") is None:
        return
    given = f"cpu_bytes_to_use={extra['cpu_bytes_to_use']}" if "cpu_bytes_to_use" in extra else ""
    if named != _offloading(server):
        message = f"of {server} uses {_offloading(server)} instead of {named}"
    elif given:
        message = f"of {server} is used instead of the connector's {given}"
    else:
        return
    yield Problem(
        server.place("kv_offloading_size"),
        f"{server.shown('kv_offloading_size')} {message} ({server.vllm})",
        related=(Related(server.place("kv_transfer_config"), "the connector is named here"),),
    )


def _offloading(server: Server) -> str:
    if server.value("kv_offloading_backend") == "lmcache":
        return "LMCache's connector"
    simple = "VLLM_USE_SIMPLE_KV_OFFLOAD" in server.env
    return "SimpleCPUOffloadConnector" if simple else "OffloadingConnector"
