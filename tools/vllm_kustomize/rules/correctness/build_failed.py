"""The engine cannot build an overlay.

An overlay that does not build cannot be applied: kubectl, Argo CD and Flux all stop at the same message.

Bad:   resources: [deployment.yml]    # the file is called deployment.yaml
Good:  resources: [deployment.yaml]
"""

from __future__ import annotations

from vllm_kustomize.model import Severity

SEVERITY = Severity.ERROR
HELP = "Run the build by hand to try changes: kubectl kustomize <overlay>."
