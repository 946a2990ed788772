"""The Common Expression Language as Kubernetes has it: parsed, compiled to closures, run with a budget."""

from __future__ import annotations

from vllm_kustomize.apiserver.custom.cel.program import Budget, Program, compile_expression
from vllm_kustomize.apiserver.custom.cel.values import CelError, Unsupported

__all__ = ["Budget", "CelError", "Program", "Unsupported", "compile_expression"]
