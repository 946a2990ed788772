"""The wheel works away from this repo: in an environment of its own, on a repo that is not ours."""

from __future__ import annotations

import subprocess
import sys
import venv
from pathlib import Path

from conftest import REPO

FOREIGN = {
    "app/kustomization.yaml": "resources: [deployment.yaml]\nnamespace: shop\n",
    "app/deployment.yaml": """\
apiVersion: apps/v1
kind: Deployment
metadata:
  name: shop
spec:
  replicas: two
  selector:
    matchLabels:
      app: shop
  template:
    metadata:
      labels:
        app: shop
    spec:
      containers:
        - name: shop
          image: shop:1.0
""",
}


def run(*command: str | Path, cwd: Path) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        [str(part) for part in command], cwd=cwd, capture_output=True, text=True, check=False
    )


def test_the_wheel_validates_a_foreign_repo(tmp_path: Path) -> None:
    pip = (sys.executable, "-m", "pip", "--quiet", "--disable-pip-version-check")
    built = run(*pip, "wheel", "--no-deps", "--no-build-isolation", "-w", tmp_path, REPO, cwd=tmp_path)
    assert built.returncode == 0, built.stderr
    # The environment's own packages serve as dependencies; only the tool itself comes from the wheel.
    environment = tmp_path / "environment"
    venv.create(environment, with_pip=False)
    site = next(environment.glob("lib/python*/site-packages"))
    installed = run(*pip, "install", "--no-deps", "--target", site, *tmp_path.glob("*.whl"), cwd=tmp_path)
    assert installed.returncode == 0, installed.stderr
    own = Path(sys.prefix) / "lib" / site.parent.name / "site-packages"
    (site / "dependencies.pth").write_text(f"{own}\n")
    for name, text in FOREIGN.items():
        file = tmp_path / "repo" / name
        file.parent.mkdir(parents=True, exist_ok=True)
        file.write_text(text)

    python = environment / "bin" / "python"
    engine = Path(sys.executable).parent / "kubectl"
    command = (python, "-m", "vllm_kustomize", "validate", "-q", "--select", "schema", "--engine", engine)
    result = run(*command, cwd=tmp_path / "repo")
    expected = "Deployment/shop: spec.replicas: must be of type integer, but is a string"
    assert expected in result.stdout, result.stderr
    assert result.returncode == 1
    where = run(python, "-c", "import vllm_kustomize; print(vllm_kustomize.__file__)", cwd=tmp_path)
    assert where.stdout.startswith(str(environment))
