"""The manifests are a template: variables in them still have to be filled in.

envsubst, Flux and others replace `${NAME}` by its value before the cluster sees the objects. What the
API server would say of such a field depends on the value, and is not reported; one finding says so.

Bad:   metadata: {name: "${PROJECT}-server"}
Good:  metadata: {name: vllm-server}, and namePrefix: or replacements: where it has to change
"""

from __future__ import annotations

from vllm_kustomize.model import Severity

SEVERITY = Severity.INFO
HELP = "Validate what comes out of the template: envsubst < file | vllm-kustomize validate -"
