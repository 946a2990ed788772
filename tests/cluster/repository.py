"""A git repository with this one's overlays, and a server that Flux and Argo CD fetch it from."""

from __future__ import annotations

import shutil
import subprocess
import sys
from dataclasses import dataclass
from pathlib import Path

from cluster.control_plane import Cluster, free_port
from conftest import REPO

FOLDERS = ("base", "components", "overlays")


@dataclass(frozen=True)
class Repository:
    """The work tree, and where it is served."""

    directory: Path
    url: str

    def git(self, *arguments: str) -> str:
        """Run git in the work tree."""
        identity = ("-c", "user.name=test", "-c", "user.email=test@example.com")
        command = ["git", "-C", str(self.directory), *identity, *arguments]
        return subprocess.run(command, check=True, capture_output=True, text=True).stdout.strip()

    def push(self, message: str) -> str:
        """Commit everything and push it; returns the revision."""
        self.git("add", "--all")
        self.git("commit", "--quiet", "--message", message)
        self.git("push", "--quiet", "origin", "main")
        return self.git("rev-parse", "HEAD")

    def edit(self, file: str, old: str, new: str) -> None:
        """Replace a text that has to be there."""
        path = self.directory / file
        text = path.read_text()
        assert old in text, f"no {old!r} in {file}"
        path.write_text(text.replace(old, new))


def serve(cluster: Cluster, directory: Path) -> Repository:
    """Make the repository and serve it while the cluster runs."""
    port = free_port()
    bare, tree = directory / "served/vllm.git", directory / "tree"
    subprocess.run(["git", "init", "--quiet", "--bare", "--initial-branch=main", str(bare)], check=True)
    tree.mkdir()
    for folder in FOLDERS:
        shutil.copytree(REPO / folder, tree / folder)
    repository = Repository(tree, f"http://127.0.0.1:{port}/vllm.git")
    repository.git("init", "--quiet", "--initial-branch=main")
    repository.git("remote", "add", "origin", str(bare))
    repository.push("First")
    server = Path(__file__).with_name("git_server.py")
    cluster.start("git-server", sys.executable, server, str(port), str(bare.parent))
    return repository
