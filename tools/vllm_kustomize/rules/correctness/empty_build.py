"""An overlay or a file of rendered YAML holds no object.

An empty result is almost always a lost `resources:` entry; with pruning switched on, Argo CD and Flux
would delete everything that was there.

Bad:   resources: []
Good:  resources: [../../base]
"""

from __future__ import annotations

from vllm_kustomize.model import Severity

SEVERITY = Severity.ERROR
HELP = "List what the overlay should deploy under resources:."
