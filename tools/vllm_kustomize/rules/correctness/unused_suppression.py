"""A comment accepts a finding that is not there any more.

Once the finding is gone, the comment hides the next one that comes up on the same line. It is judged where
everything that its file has a part in was validated.

Bad:   replicas: 1  # vllm-kustomize: allow[host-namespaces] RCCL needs the host's IPC namespace
Good:  hostIPC: true  # vllm-kustomize: allow[host-namespaces] RCCL needs the host's IPC namespace
"""

from __future__ import annotations

from vllm_kustomize.model import Severity

SEVERITY = Severity.WARNING
HELP = "Remove the comment, or move it to the line that the finding names."
