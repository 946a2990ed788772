"""docs/tokens.md: who keeps a token that came into the Secret, and how; the columns of kubectl."""

from __future__ import annotations

import base64

import pytest

from cluster.control_plane import Cluster
from conftest import REPO
from vllm_kustomize import pipeline

SECRET = "hf-token-secret"
TOKEN = "hf_of_the_user"


def token(cluster: Cluster, namespace: str) -> str | None:
    """The token in the cluster, or None."""
    data = cluster.get("secret", SECRET, "--namespace", namespace).get("data", {})
    return base64.b64decode(data["token"]).decode() if "token" in data else None


def patched(cluster: Cluster, namespace: str) -> None:
    patch = f'{{"stringData": {{"token": "{TOKEN}"}}}}'
    cluster.kubectl("patch", "secret", SECRET, "--namespace", namespace, "--type=merge", "--patch", patch)


def create(cluster: Cluster, namespace: str, *options: str) -> str:
    literal = f"--from-literal=token={TOKEN}"
    return cluster.kubectl("create", "secret", "generic", SECRET, "--namespace", namespace, literal, *options)


def created(cluster: Cluster, namespace: str) -> None:
    """As before the first apply: whatever is there goes first."""
    cluster.kubectl("delete", "secret", SECRET, "--namespace", namespace, "--ignore-not-found")
    create(cluster, namespace)


def applied(cluster: Cluster, namespace: str) -> None:
    cluster.apply(create(cluster, namespace, "--dry-run=client", "--output=yaml"))


WAYS = {"patch": patched, "create": created, "create | apply": applied}


@pytest.mark.parametrize("options", [(), ("--server-side", "--force-conflicts")], ids=["client", "server"])
@pytest.mark.parametrize(("way", "kept"), [("patch", True), ("create", True), ("create | apply", False)])
def test_kubectl_keeps_a_token(cluster: Cluster, way: str, options: tuple[str, ...], kept: bool) -> None:
    namespace = cluster.namespace(f"token-{way.split()[-1]}-{len(options)}-{kept}".lower())
    overlay = pipeline.build(str(REPO / "overlays/nvidia")).decode()
    cluster.apply(overlay, "--namespace", namespace, *options)
    WAYS[way](cluster, namespace)
    assert token(cluster, namespace) == TOKEN
    cluster.apply(overlay, "--namespace", namespace, *options)
    assert token(cluster, namespace) == (TOKEN if kept else None)
