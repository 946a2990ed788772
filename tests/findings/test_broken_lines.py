"""Breaking one line of this repo's manifests is found, by name.

Each row changes one line in a copy of the manifests and names the rule that has to report something new.
"""

from __future__ import annotations

import json
import shutil
from collections import Counter
from pathlib import Path

import pytest

from conftest import REPO, RunCli

BASE = "base/deployment.yaml"
NVIDIA = "overlays/nvidia/patches/deployment"
AMD = "overlays/amd/patches/deployment"
CPU = "overlays/cpu/patches/deployment"

ROWS = [
    # overlay, file, what stands there, what it becomes, rule
    ("nvidia", BASE, "vllm-openai:v", "vllm-openai:latest # ", "unpinned-image"),
    ("nvidia", BASE, "- vllm\n            - serve\n", "- sh\n            - -c\n            - vllm serve x\n", "shell-without-exec"),
    ("nvidia", BASE, "- name: http\n", "- name: web\n", "unknown-port-name"),
    ("nvidia", "base/service.yaml", "targetPort: http", "targetPort: web", "unknown-port-name"),
    ("nvidia", BASE, "name: hf-token-secret", "name: hf-token-secrets", "missing-secret-key"),
    ("nvidia", BASE, "automountServiceAccountToken: false", "automountServiceAccountToken: true", "mounted-api-token"),
    ("nvidia", BASE, "type: Recreate", "type: RollingUpdate", "rollout-deadlock"),
    ("nvidia", BASE, "startupProbe:", "startProbe:", "schema"),
    ("nvidia", BASE, "failureThreshold: 360", "failureThreshold: 9", "short-startup-probe"),
    ("nvidia", BASE, "progressDeadlineSeconds: 3900", "progressDeadlineSeconds: 600", "short-progress-deadline"),
    ("nvidia", BASE, "terminationGracePeriodSeconds: 75", "terminationGracePeriodSeconds: 30", "short-grace-period"),
    ("nvidia", BASE, "--shutdown-timeout=45", "--shutdown-timeout=90", "short-grace-period"),
    ("nvidia", BASE, '- "15"', '- "60"', "short-grace-period"),
    ("nvidia", BASE, "- ALL", "- NET_RAW", "added-capabilities"),
    ("nvidia", BASE, "allowPrivilegeEscalation: false", "allowPrivilegeEscalation: true", "privilege-escalation"),
    ("nvidia", BASE, "allowPrivilegeEscalation: false", "privileged: true", "privileged-container"),
    ("nvidia", BASE, "type: RuntimeDefault", "type: Unconfined", "seccomp-disabled"),
    ("cpu", f"{CPU}.shm.yaml", "sizeLimit: 4Gi", "sizeLimit: 256Mi", "shared-memory-for-ranks"),
    ("cpu", BASE, "mountPath: /dev/shm", "mountPath: /dev/shmem", "missing-shared-memory"),
    ("nvidia", f"{NVIDIA}.shm.yaml", "sizeLimit: 2Gi", "sizeLimit: 64Gi", "shared-memory-over-limit"),
    ("nvidia", f"{NVIDIA}.resources.yaml", 'nvidia.com/gpu: "1"', 'nvidia.com/gpu: "2"', "api-quantity"),
    ("nvidia", f"{NVIDIA}.tolerations.yaml", "key: nvidia.com/gpu", "key: gpu", "missing-gpu-toleration"),
    ("nvidia", "base/service.yaml", "selector:\n    app.kubernetes.io/name: vllm", "selector:\n    app.kubernetes.io/name: vlm", "service-selects-nothing"),
    ("nvidia", "base/secret.yaml", "type: Opaque", "stringData: {token: REPLACE_WITH_TOKEN}", "literal-secret"),
    ("nvidia", BASE, "type: Recreate", "type: Replace", "api-workloads"),
    ("nvidia", "base/pvc.yaml", "storage: 50Gi", "storage: 50GB", "api-storage"),
    ("nvidia", BASE, "claimName: vllm-models", 'claimName: ""', "api-volumes"),
    ("cpu", f"{CPU}.resources.yaml", "limits:\n              memory: 12Gi", "limits:\n              memory: 4Gi", "shared-memory-over-limit"),
    ("amd", f"{AMD}.host-access.yaml", "hostIPC: true", "hostIPC: true\n      hostPID: true", "host-namespaces"),
    ("amd", "overlays/amd/kustomization.yaml", "deployment.shm.yaml", "deployment.shmem.yaml", "build-failed"),
    ("nvidia", f"{NVIDIA}.model.json6902.yaml", "--max-num-batched-tokens=1024", "--tensor-parallel-size=4", "tensor-parallel-mismatch"),
    ("nvidia", BASE, "vllm/vllm-openai:", "vllm/vllm-openai-rocm:", "image-accelerator-mismatch"),
    ("nvidia", BASE, "path: /health", "path: /healthy", "unknown-probe-path"),
    ("amd", f"{AMD}.model.json6902.yaml", "--port=8000", "--port=9000", "server-port-mismatch"),
    ("cpu", f"{CPU}.kv-cache.yaml", 'value: "5"', 'value: "50"', "cpu-memory"),
]  # fmt: skip


def findings(run_cli: RunCli, root: Path, overlay: str) -> Counter[tuple[str, str]]:
    groups = "correctness,vllm,kustomize,hardening,pedantic"  # a copy of the overlays has no settings
    result = run_cli("validate", "--select", groups, "--format", "json", f"overlays/{overlay}", cwd=root)
    assert result.errors == ""
    found = json.loads(result.output)["findings"]
    assert result.code == (1 if any(finding["severity"] == "error" for finding in found) else 0)
    return Counter((finding["rule"], finding["message"]) for finding in found)


@pytest.fixture(scope="module")
def before() -> dict[str, Counter[tuple[str, str]]]:
    """What is found before anything is broken, by overlay."""
    return {}


@pytest.mark.parametrize(
    ("overlay", "file", "old", "new", "rule"), ROWS, ids=lambda value: value.strip()[:40].replace("\n", " ")
)
def test_a_broken_line_is_found(
    overlay: str,
    file: str,
    old: str,
    new: str,
    rule: str,
    tmp_path: Path,
    run_cli: RunCli,
    before: dict[str, Counter[tuple[str, str]]],
) -> None:
    if overlay not in before:
        before[overlay] = findings(run_cli, REPO, overlay)
    for folder in ("base", "overlays"):
        shutil.copytree(REPO / folder, tmp_path / folder)
    broken = tmp_path / file
    text = broken.read_text()
    assert old in text
    broken.write_text(text.replace(old, new, 1))
    new_ones = findings(run_cli, tmp_path, overlay) - before[overlay]
    assert rule in {name for name, _ in new_ones}, dict(new_ones)
