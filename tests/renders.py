"""What is rendered into golden files: every overlay, every combination, every set of GitOps objects."""

from __future__ import annotations

from pathlib import Path

REPO = Path(__file__).resolve().parent.parent
GOLDEN = REPO / "tests/golden"
ROOTS = tuple(REPO / root for root in ("overlays", "tests/combinations", "gitops"))


def is_overlay(kustomization: Path) -> bool:
    """Whether a kustomization is built by itself; a Component, such as multi-node's own part, is not."""
    return "kind: Kustomization" in kustomization.read_text(encoding="utf-8")


RENDERS = {
    "-".join(file.parent.relative_to(root).parts): file.parent
    for root in ROOTS
    for file in sorted(root.rglob("kustomization.yaml"))
    if is_overlay(file)
}
"""The name of each render's golden file, without `.yaml`, and the folder that it is built from."""
