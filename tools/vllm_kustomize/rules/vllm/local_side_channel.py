"""Servers that hand each other the KV cache through NIXL have an address that only they reach.

The handshake goes to VLLM_NIXL_SIDE_CHANNEL_HOST, which is `localhost` unless set: a decode pod then asks
itself instead of the prefill pod.

Bad:   --kv-transfer-config={"kv_connector":"NixlConnector","kv_role":"kv_both"} alone
Good:  and VLLM_NIXL_SIDE_CHANNEL_HOST from status.podIP

Source: VLLM_NIXL_SIDE_CHANNEL_HOST in vllm/envs.py, docs/features/nixl_connector_usage.md
"""

from __future__ import annotations

from collections.abc import Iterator

from vllm_kustomize.model import Problem, Severity
from vllm_kustomize.vllm.server import Server

SEVERITY = Severity.WARNING
HELP = "Set VLLM_NIXL_SIDE_CHANNEL_HOST with valueFrom.fieldRef.fieldPath: status.podIP."

_HOST = "VLLM_NIXL_SIDE_CHANNEL_HOST"


def check_server(server: Server) -> Iterator[Problem]:
    """Yield servers whose handshake address is their own pod."""
    config = server.value("kv_transfer_config")
    connector = config.get("kv_connector") if isinstance(config, dict) else None
    if connector != "NixlConnector" or _HOST in server.env or _may_have_more(server):
        return
    message = f"{server} uses NIXL without {_HOST}: other pods are told to find it at localhost"
    yield Problem(server.place("kv_transfer_config"), message)


def _may_have_more(server: Server) -> bool:
    """Whether variables come from where the build does not show them."""
    return "envFrom" in server.container.spec or server.pod.may_have("containers.env", server.container)
