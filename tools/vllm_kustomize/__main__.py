"""`python -m vllm_kustomize`, and the `vllm-kustomize` command."""

from __future__ import annotations

from vllm_kustomize.cli import main

if __name__ == "__main__":
    main()
