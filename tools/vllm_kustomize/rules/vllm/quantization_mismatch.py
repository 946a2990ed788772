"""--quantization names another method than the model's checkpoint has.

A checkpoint says itself how it is quantised, and vLLM stops at another method: "Quantization method specified
in the model config (awq) does not match". Methods such as awq and gptq also stop at a checkpoint that is not
quantised: "Cannot find the config file for awq". Others (fp8, bitsandbytes) quantise while they load.

Bad:   Qwen/Qwen3-8B with --quantization=awq
Good:  Qwen/Qwen3-8B-AWQ without --quantization: vLLM takes the checkpoint's

Source: ModelConfig._verify_quantization, get_quant_config in vllm/model_executor/model_loader/weight_utils.py
and get_config_filenames of each method, in 0.8.5, 0.10.2 and 0.33.0
"""

from __future__ import annotations

import re
from collections.abc import Iterator

from vllm_kustomize.model import Outcome, Problem, Severity
from vllm_kustomize.vllm import missing
from vllm_kustomize.vllm.server import Server
from vllm_kustomize.vllm.sizing.models import quantization_of

SEVERITY = Severity.ERROR
HELP = "Leave --quantization out, or name a checkpoint that is quantised so."

_FAMILIES = {
    "awq": frozenset({"awq", "awq_marlin", "auto_awq"}),
    "gptq": frozenset({"gptq", "gptq_marlin", "gptq_marlin_24", "gptq_bitblas", "auto_gptq"}),
    "fp8": frozenset({"fp8"}),
    "bitsandbytes": frozenset({"bitsandbytes"}),
    "modelopt": frozenset({"modelopt", "modelopt_fp4"}),
}
"""Methods that read the same checkpoints; of the methods that are not here nothing is said."""
_READ_A_CHECKPOINT = ("awq", "gptq", "modelopt")
"""Families that cannot quantise while they load."""
_INSISTED_ON = ("awq", "gptq", "fp8")
"""Checkpoints at which another method stops; those of mxfp4 and modelopt overrule what was asked for."""
_NAMED = re.compile(r"-(AWQ|GPTQ-Int[48])$")


def check_server(server: Server) -> Iterator[Outcome]:
    """Yield methods that the checkpoint of a known model is not for."""
    setting = server.options.get("quantization")
    wanted = setting.value.lower() if setting is not None and isinstance(setting.value, str) else ""
    family = next((name for name, methods in _FAMILIES.items() if wanted in methods), "")
    if setting is None or not family or "hf_overrides" in server.options:
        return
    model = server.model or ""
    is_, certain = quantization_of(model), server.exact
    if is_ is None:
        named = _NAMED.search(model)
        if named is None:
            yield missing.model(server)
            return
        is_, certain = named[1].partition("-")[0].lower(), False
    if is_ == "" and family in _READ_A_CHECKPOINT:
        message = f"{setting.shown}, but the checkpoint of {model} is not quantised"
    elif is_ in _INSISTED_ON and is_ != family:
        message = f"{setting.shown}, but the checkpoint of {model} is quantised with {is_}"
    else:
        return
    related = (server.related_model("the model is set here"),)
    severity = None if certain else Severity.WARNING
    yield Problem(setting.path, f"{message} ({server.vllm})", severity=severity, related=related)
