"""Process 1 of the container: make its mounts, take its user, become its command.

Started by `sandbox.py` as root in new mount, PID, UTS and IPC namespaces, with a file that holds a `Plan`.
The root is the machine's own under a writable layer in memory, which is gone with the container.
"""

from __future__ import annotations

import json
import os
import socket
import subprocess
import sys
from pathlib import Path
from typing import Any

DEVICES = ("null", "zero", "full", "random", "urandom", "tty")


def mount(*arguments: str | Path) -> None:
    """Run mount(8); a failure ends the container."""
    subprocess.run(["mount", *map(str, arguments)], check=True)


def build_root(layer: Path) -> Path:
    """The machine's root below a layer of the container's own."""
    mount("-t", "tmpfs", "tmpfs", layer)
    upper, work, root = (layer / name for name in ("upper", "work", "root"))
    for directory in (upper, work, root):
        directory.mkdir()
    upper.chmod(0o755)
    mount("-t", "overlay", "overlay", "-o", f"lowerdir=/,upperdir={upper},workdir={work}", root)
    return root


def mount_system(root: Path, memory_limit: int, own_shm: bool) -> None:
    """/proc, /sys and /dev as a container has them."""
    mount("-t", "proc", "proc", root / "proc")
    mount("--bind", "-o", "ro", "/sys", root / "sys")
    cgroup = root / "sys/fs/cgroup"
    mount("-t", "tmpfs", "tmpfs", cgroup)
    (cgroup / "memory.max").write_text(f"{memory_limit or 'max'}\n")
    devices = root / "dev"
    mount("-t", "tmpfs", "-o", "mode=755", "tmpfs", devices)
    for name in DEVICES:
        (devices / name).touch()
        mount("--bind", f"/dev/{name}", devices / name)
    for name, target in {"fd": "", "stdin": "/0", "stdout": "/1", "stderr": "/2"}.items():
        (devices / name).symlink_to(f"/proc/self/fd{target}")
    (devices / "shm").mkdir()
    if not own_shm:
        mount("--bind", "/dev/shm", devices / "shm")


def mount_volume(root: Path, volume: dict[str, Any]) -> None:
    """Mount one volume; a tmpfs that several mounts share is made once."""
    source = Path(volume["source"])
    if volume["kind"] == "tmpfs" and not os.path.ismount(source):
        mount("-t", "tmpfs", "-o", f"mode=1777,size={volume['size']}", "tmpfs", source)
    source /= volume["sub_path"]
    target = root / volume["target"].lstrip("/")
    if source.is_file():
        target.parent.mkdir(parents=True, exist_ok=True)
        target.touch()
    else:
        source.mkdir(parents=True, exist_ok=True)
        target.mkdir(parents=True, exist_ok=True)
    mount("--bind", source, target)
    if volume["read_only"]:
        mount("-o", "remount,bind,ro", target)


def keep(root: Path, path: str) -> None:
    """Show a folder of the image that a volume, a file system or a closed folder above it would hide."""
    target = root / path.lstrip("/")
    target.mkdir(parents=True, exist_ok=True)
    for parent in target.parents:
        if parent == root:
            break
        parent.chmod(parent.stat().st_mode | 0o111)
    mount("--bind", "-o", "ro", path, target)


def privileges(user: dict[str, Any]) -> list[str]:
    """The setpriv(1) command line of a user."""
    groups = ",".join(map(str, user["groups"]))
    bounding = ",".join(["-all", *(f"+{name}" for name in user["capabilities"])])
    return [
        "setpriv",
        f"--reuid={user['uid']}",
        f"--regid={user['gid']}",
        f"--groups={groups}" if groups else "--clear-groups",
        f"--bounding-set={bounding}",
        "--inh-caps=-all",
        *(["--no-new-privs"] if user["no_new_privileges"] else []),
    ]


def main(file: Path) -> None:
    """Become the container that the plan in `file` describes."""
    plan = json.loads(file.read_text())
    socket.sethostname(plan["hostname"])
    root = build_root(Path(plan["layer"]))
    (root / "etc/hosts").write_text(plan["hosts"])
    home = root / plan["environment"]["HOME"].lstrip("/")
    if not home.exists():
        home.mkdir(parents=True)
        # vLLM's images let group 0 write to the home directory.
        home.chmod(0o775)
    targets = [volume["target"] for volume in plan["mounts"]]
    mount_system(root, plan["memory_limit"], "/dev/shm" in targets)
    for volume in plan["mounts"]:
        mount_volume(root, volume)
    for path in plan["keep"]:
        keep(root, path)
    if plan["read_only_root"]:
        mount("-o", "remount,ro", root)
    os.chroot(root)
    os.chdir(plan["working_directory"])
    command = [*privileges(plan["user"]), *plan["command"]]
    os.execvpe(command[0], command, plan["environment"])


if __name__ == "__main__":
    main(Path(sys.argv[1]))
