"""Argo CD or Flux syncs a folder of this repository that is not there.

A `path:` that does not exist stops the sync: Flux reports "kustomization path not found", Argo CD "app path
does not exist", and the cluster stays as it was. A source whose URL is a remote of this repository is judged
for certain; of another one only a path that is close to a folder here.

Bad:   path: overlays/nvida, and the folder is called overlays/nvidia
Good:  path: overlays/nvidia

Source: Flux, kustomize-controller internal/controller/kustomization_controller.go; Argo CD,
util/app/path/path.go
"""

from __future__ import annotations

from vllm_kustomize.model import Severity

SEVERITY = Severity.ERROR
HELP = "Name a folder by its path from the repository's root."
