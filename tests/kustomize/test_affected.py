"""`validate --changed`: the overlays that changed files belong to, no fewer and hardly more."""

from __future__ import annotations

from pathlib import Path

import pytest

from conftest import RunCli
from vllm_kustomize.pipeline import targets
from vllm_kustomize.settings import Settings

CONFIG_MAP = "apiVersion: v1\nkind: ConfigMap\nmetadata:\n  name: c\n"
FILES = {
    "base/kustomization.yaml": "resources: [config.yaml]\n",
    "base/config.yaml": CONFIG_MAP,
    "base/README.md": "",
    "component/kustomization.yaml": "kind: Component\napiVersion: kustomize.config.k8s.io/v1alpha1\n"
    "configMapGenerator:\n  - name: g\n    files: [settings.ini]\n",
    "component/settings.ini": "x = 1\n",
    "overlays/a/kustomization.yaml": "resources: [../../base]\n",
    "overlays/b/kustomization.yaml": "resources: [../../base]\ncomponents: [../../component]\n",
    "overlays/c/kustomization.yaml": "resources: [c.yaml]\n",
    "overlays/c/c.yaml": CONFIG_MAP,
    "crds/crd.yaml": "",
    "other.yaml": CONFIG_MAP,
}


@pytest.fixture
def repo(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    for name, text in FILES.items():
        file = tmp_path / name
        file.parent.mkdir(parents=True, exist_ok=True)
        file.write_text(text, encoding="utf-8")
    monkeypatch.chdir(tmp_path)
    return tmp_path


@pytest.mark.parametrize(
    ("changed", "overlays"),
    [
        (("README.md", "other.yaml", "base/README.md"), ""),
        (("base/config.yaml",), "ab"),
        (("base/kustomization.yaml",), "ab"),
        (("component/settings.ini",), "b"),
        (("overlays/c/c.yaml", "overlays/a/kustomization.yaml"), "ac"),
        (("overlays/c/not-listed-yet.yaml",), "c"),
        (("base/deleted.txt",), "ab"),
        (("crds/crd.yaml",), "abc"),
        (("gone/kustomization.yaml",), "abc"),
    ],
)
def test_changed_files_name_overlays(changed: tuple[str, ...], overlays: str, repo: Path) -> None:
    settings = Settings(schema_locations=(repo / "crds",), changed=True)
    found = targets.discover(changed, settings)
    assert "".join(overlay.name[-1] for overlay in found.overlays) == overlays


def test_only_affected_overlays_are_validated(repo: Path, run_cli: RunCli) -> None:
    (repo / "overlays/c/c.yaml").write_text(CONFIG_MAP + "oops: 1\n", encoding="utf-8")
    result = run_cli("validate", "--changed", "base/config.yaml", "--select", "schema", cwd=repo)
    assert result.code == 0
    assert result.output.startswith("2 overlays, ")
    result = run_cli(
        "validate", "--changed", "overlays/c/c.yaml", "--concise", "--select", "schema", cwd=repo
    )
    assert (result.code, result.output) == (
        1,
        "overlays/c/c.yaml:5:7: error[schema] ConfigMap/c: oops: unknown field\n",
    )
    result = run_cli("validate", "--changed", "other.yaml", cwd=repo)
    assert (result.code, result.output) == (0, "no overlay uses the changed files: nothing to validate\n")
