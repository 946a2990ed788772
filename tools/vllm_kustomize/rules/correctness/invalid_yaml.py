"""A file of rendered YAML cannot be read.

No deployer could read it either.

Bad:   image: "vllm
Good:  image: "vllm/vllm-openai:v0.33.0"
"""

from __future__ import annotations

from vllm_kustomize.model import Severity

SEVERITY = Severity.ERROR
HELP = "Correct the file at the place that is named."
