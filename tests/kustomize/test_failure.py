"""A build that fails is reported at the line that makes it fail."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from conftest import RunCli

OBJECT = "apiVersion: v1\nkind: ConfigMap\nmetadata:\n  name: model\ndata:\n  name: mistral\n"
RESOURCES = "resources:\n  - model.yaml\n"


@pytest.mark.parametrize(
    ("files", "place"),
    [
        ({"kustomization.yaml": RESOURCES + "  - gone.yaml\n"}, "kustomization.yaml:3:5"),
        ({"kustomization.yaml": RESOURCES + "patches:\n  - path: gone.yaml\n"}, "kustomization.yaml:4:5"),
        ({"kustomization.yaml": RESOURCES + "components:\n  - gone\n"}, "kustomization.yaml:4:5"),
        ({"kustomization.yaml": RESOURCES + "resource:\n  - x\n"}, "kustomization.yaml:3:1"),
        (
            {
                "kustomization.yaml": RESOURCES
                + "replacements:\n  - targets:\n      - select: {}\n        also: x\n"
            },
            "kustomization.yaml:6:9",
        ),
        ({"kustomization.yaml": RESOURCES + "namePrefix: 5\n"}, "kustomization.yaml:3:13"),
        (
            {"kustomization.yaml": RESOURCES + "labels:\n  - pairs:\n      a: b\n      enabled: yes\n"},
            "kustomization.yaml:6:16",
        ),
        (
            {"kustomization.yaml": RESOURCES + "replicas:\n  - name: gone\n    count: 2\n"},
            "kustomization.yaml:4:5",
        ),
        ({"kustomization.yaml": RESOURCES + "  - again.yaml\n", "again.yaml": OBJECT}, "again.yaml:1:1"),
        ({"kustomization.yaml": RESOURCES, "model.yaml": OBJECT + "  size: [1\n"}, "model.yaml:8:1"),
        ({"kustomization.yaml": RESOURCES + "  - sub\n"}, "kustomization.yaml:3:5"),
        ({"kustomization.yaml": "resources:\n\t- model.yaml\n"}, "kustomization.yaml:2:1"),
        (
            {
                "kustomization.yaml": RESOURCES + "patches:\n  - path: patch.yaml\n",
                "patch.yaml": OBJECT.replace("name: model", "name: modle"),
            },
            "patch.yaml:4:9",
        ),
        (
            {
                "kustomization.yaml": RESOURCES + "patches:\n  - target:\n      kind: ConfigMap\n"
                "    patch: |-\n      - op: remove\n        path: /data/gone\n"
            },
            "kustomization.yaml:7:7",
        ),
        (
            {
                "kustomization.yaml": RESOURCES
                + "patches:\n  - target:\n      kind: ConfigMap\n    path: patch.yaml\n",
                "patch.yaml": "# No name.\nkind: ConfigMap\ndata:\n  a: b\n",
            },
            "patch.yaml:2:1",
        ),
        ({"kustomization.yaml": "resources:\n  - ..\n"}, "kustomization.yaml:2:5"),
    ],
)
def test_build_failure_is_located(files: dict[str, str], place: str, tmp_path: Path, run_cli: RunCli) -> None:
    for name, text in {"model.yaml": OBJECT, **files}.items():
        (tmp_path / name).write_text(text, encoding="utf-8")
    (tmp_path / "sub").mkdir()
    result = run_cli("validate", ".", "--select", "build-failed", "--format", "json", cwd=tmp_path)
    (finding,) = json.loads(result.output)["findings"]
    found = finding["location"]
    assert f"{found['file']}:{found['line']}:{found['column']}" == place
