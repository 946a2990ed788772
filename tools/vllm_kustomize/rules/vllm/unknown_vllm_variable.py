"""A VLLM_* variable is one that the release does not know.

vLLM warns "Unknown vLLM environment variable detected" and goes on without it, so that a mistyped or removed
variable silently does nothing; with --fail-on-environ-validation it stops.

Bad:   env: [{name: VLLM_CPU_KV_CACHE_SPACE, value: "4"}]
Good:  env: [{name: VLLM_CPU_KVCACHE_SPACE, value: "4"}]

Source: environment_variables in vllm/envs.py of each release
"""

from __future__ import annotations

from collections.abc import Iterator

from vllm_kustomize.model import Outcome, Problem, Severity
from vllm_kustomize.vllm import missing
from vllm_kustomize.vllm.names import environment_variables, last_with
from vllm_kustomize.vllm.server import Server
from vllm_kustomize.wording import did_you_mean

SEVERITY = Severity.WARNING
HELP = "Correct the name, or remove the variable: VLLM_ is vLLM's own prefix."

_OF_OTHERS = frozenset({"VLLM_ADDITIONAL_ARGS"})
"""Variables of the scripts around vLLM: this one is KServe's, for an LLMInferenceService."""

_OF_PLUGINS = ("VLLM_SPYRE_", "VLLM_NEURON_", "VLLM_ASCEND_", "VLLM_GAUDI_", "VLLM_HPU_", "VLLM_METAL_")
"""What the names begin with that platforms outside of vLLM's own repository read."""


def check_server(server: Server) -> Iterator[Outcome]:
    """Yield variables with vLLM's prefix that the release does not read."""
    if server.assumed and any(name.startswith("VLLM_") for name in server.env):
        yield missing.release(server)
    known = environment_variables(server.known_release)
    if not known:
        return
    fatal = server.switched_on("fail_on_environ_validation")
    for name, setting in server.env.items():
        if name.startswith(_OF_PLUGINS):
            continue
        if name.startswith("VLLM_") and name not in known | _OF_OTHERS:
            last = last_with("environment", name)
            hint = f"; {last} still did" if last else did_you_mean(name, known)
            yield Problem(
                (*setting.path[: len(server.container.path) + 2], "name"),
                f"{server} sets {name}, which {server.vllm} does not know{hint}",
                severity=Severity.ERROR if fatal else None,
            )
