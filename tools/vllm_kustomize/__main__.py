"""`python -m vllm_kustomize`, and the `vllm-kustomize` command."""

from __future__ import annotations

import sys


def main() -> None:
    """Run the command; Ctrl-C ends it quietly, even while it still loads."""
    try:
        from vllm_kustomize import cli

        cli.main()
    except KeyboardInterrupt:
        sys.exit(130)


if __name__ == "__main__":
    main()
