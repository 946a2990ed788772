"""Start a pod's container in namespaces of its own, run commands in it, and end it."""

from __future__ import annotations

import json
import os
import shutil
import signal
import subprocess
import sys
import time
from collections.abc import Sequence
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

from e2e.kubelet import init
from e2e.kubelet.objects import POD_IP
from e2e.kubelet.pod import Pod
from e2e.kubelet.volumes import Mount

KILL_TIME = 10.0
"""Seconds that the kernel may take to end the processes of a container."""


@dataclass(frozen=True, slots=True)
class Image:
    """What stands in for the container image: folders of this machine, and the variables the image sets."""

    folders: tuple[str, ...]
    environment: dict[str, str]


class Sandbox:
    """One container, from its first process to its last."""

    def __init__(self, pod: Pod, image: Image, directory: Path, claims: Path, log: Path) -> None:
        """`directory` is for this container alone, `claims` holds the volumes that outlive it."""
        self._environment = {**image.environment, "HOSTNAME": pod.identity.name, **pod.variables}
        self._user = asdict(pod.user)
        plan = self._plan(pod, image, directory, claims)
        file = directory / "plan.json"
        file.write_text(json.dumps(plan))
        with log.open("wb") as output:
            self._process = subprocess.Popen(
                [
                    *("unshare", "--mount", "--uts", "--ipc", "--pid", "--fork", "--kill-child"),
                    *("--propagation", "private", sys.executable, init.__file__, str(file)),
                ],
                stdin=subprocess.DEVNULL,
                stdout=output,
                stderr=subprocess.STDOUT,
                start_new_session=True,
            )

    @property
    def exit_code(self) -> int | None:
        """The code that the container ended with, 128 + the signal where one ended it; None while it runs."""
        code = self._process.poll()
        return code if code is None or code >= 0 else 128 - code

    def wait(self, seconds: float) -> int | None:
        """Wait for the container to end; None where it has not ended after `seconds`."""
        try:
            self._process.wait(seconds)
        except subprocess.TimeoutExpired:
            return None
        return self.exit_code

    def send(self, number: signal.Signals) -> None:
        """Send a signal to the container's process 1."""
        pid = self._first_process()
        if pid is not None:
            os.kill(pid, number)

    def kill(self) -> None:
        """End the container at once; with process 1 all others of its PID namespace end."""
        self.send(signal.SIGKILL)
        if self.wait(KILL_TIME) is None:
            self._process.kill()
            self._process.wait()

    def run(self, command: Sequence[str], seconds: float) -> subprocess.CompletedProcess[str]:
        """Run a command in the container, as its user; raises `subprocess.TimeoutExpired`."""
        enter = shutil.which("nsenter") or "nsenter"
        namespaces = ["--mount", "--uts", "--ipc", "--pid", "--root", "--wd"]
        return subprocess.run(
            [
                enter,
                "--target",
                str(self._first_process()),
                *namespaces,
                *init.privileges(self._user),
                *command,
            ],
            env=self._environment,
            capture_output=True,
            text=True,
            timeout=seconds,
            check=False,
        )

    def memory(self) -> int:
        """The bytes that the container's processes use together, shared pages counted once."""
        namespace = self._namespace(self._first_process())
        return sum(
            _proportional_size(process)
            for process in Path("/proc").glob("[0-9]*")
            if namespace and self._namespace(int(process.name)) == namespace
        )

    @staticmethod
    def _namespace(pid: int | None) -> str:
        try:
            return str(Path(f"/proc/{pid}/ns/pid").readlink())
        except OSError:
            return ""

    def _first_process(self) -> int | None:
        """The container's process 1, by its number outside: the only child of unshare(1)."""
        children = Path(f"/proc/{self._process.pid}/task/{self._process.pid}/children")
        for _ in range(50):
            if self._process.poll() is not None:
                return None
            if found := children.read_text().split():
                return int(found[0])
            time.sleep(0.1)
        return None

    def _plan(self, pod: Pod, image: Image, directory: Path, claims: Path) -> dict[str, Any]:
        """What `init.py` reads."""
        layer = directory / "layer"
        layer.mkdir()
        return {
            "hostname": pod.identity.name,
            "hosts": f"127.0.0.1 localhost\n{POD_IP} {pod.identity.name}\n",
            "layer": str(layer),
            "keep": image.folders,
            "mounts": [_mount(mount, pod, directory, claims) for mount in pod.mounts],
            "memory_limit": pod.memory_limit,
            "read_only_root": pod.read_only_root,
            "working_directory": pod.working_directory,
            "user": self._user,
            "environment": self._environment,
            "command": pod.command,
        }


def _mount(mount: Mount, pod: Pod, directory: Path, claims: Path) -> dict[str, Any]:
    source = mount.source(directory, claims)
    source.mkdir(parents=True, exist_ok=True)
    if mount.kind == "folder" and source.is_relative_to(directory):
        # An emptyDir is open to every user.
        source.chmod(0o777)
    for name, file in mount.files.items():
        path = source / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(file.content)
        path.chmod(file.mode)
    if pod.user.fs_group is not None:
        _hand_over(source, pod.user.fs_group, 0o040 if mount.kind == "files" else 0o060)
    return {
        "source": str(source),
        "target": mount.target,
        "kind": mount.kind,
        "size": mount.size,
        "sub_path": mount.sub_path,
        "read_only": mount.read_only,
    }


def _proportional_size(process: Path) -> int:
    """Bytes of a process in `/proc`, a page that n processes share as an n-th; 0 for one that has gone."""
    try:
        lines = (process / "smaps_rollup").read_text().splitlines()
    except OSError:
        return 0
    return sum(int(line.split()[1]) * 1024 for line in lines if line.startswith("Pss:"))


def _hand_over(volume: Path, group: int, mode: int) -> None:
    """Give a volume to the pod's `fsGroup`, as pkg/volume/volume_linux.go of Kubernetes does."""
    for path in (volume, *volume.rglob("*")):
        if not path.is_symlink():
            os.chown(path, -1, group)
            path.chmod(path.stat().st_mode | (0o2070 if path.is_dir() else mode))
