"""LoRA adapters are given to a server that has LoRA switched off.

The server loads what --lora-modules names when it starts, and without --enable-lora the engine answers that
LoRA is not enabled.

Bad:   args: [model, --lora-modules=sql=/adapters/sql]
Good:  args: [model, --enable-lora, --lora-modules=sql=/adapters/sql]

Source: LoRAModelRunnerMixin.set_active_loras and add_lora in vllm/v1/worker/lora_model_runner_mixin.py
"""

from __future__ import annotations

from collections.abc import Iterator

from vllm_kustomize.model import Problem, Severity
from vllm_kustomize.vllm.server import Server

SEVERITY = Severity.ERROR
HELP = "Add --enable-lora."


def check_server(server: Server) -> Iterator[Problem]:
    """Yield adapters that the engine will refuse."""
    modules = server.options.get("lora_modules")
    off = server.value("enable_lora") in (False, None) and not server.unknown("enable_lora")
    if modules is not None and modules.value and off:
        message = f"--lora-modules needs --enable-lora ({server.vllm})"
        yield Problem(modules.path, message, severity=None if server.exact else Severity.WARNING)
