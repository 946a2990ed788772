"""A comment that accepts findings names no known rule, or gives no reason.

A comment that does neither accepts nothing. It names the rules in brackets, may say until which day it holds,
and the rest is the reason.

Bad:   hostIPC: true  # vllm-kustomize: allow[host-namespaces]
Good:  hostIPC: true  # vllm-kustomize: allow[host-namespaces] until 2027-03-01 RCCL needs it
"""

from __future__ import annotations

from vllm_kustomize.model import Severity

SEVERITY = Severity.ERROR
HELP = "Write # vllm-kustomize: allow[rule] reason; `vllm-kustomize rules` lists the rules."
