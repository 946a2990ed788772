"""etcd, kube-apiserver and what else is there, on loopback, and a kubectl that talks to them.

Differs from a cluster that people run: no ServiceAccount admission (no kubelet could use the tokens), one
administrator's token, nodes that kwok plays.
"""

from __future__ import annotations

import contextlib
import json
import os
import shutil
import signal
import socket
import subprocess
import time
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, TypeVar

from vllm_kustomize.kustomize.engine import find_engine

T = TypeVar("T")
TOKEN = "administrator"
CONTROLLERS = ("kube-controller-manager", "kube-scheduler")


@dataclass(frozen=True)
class Binaries:
    """Where the control plane (`kubernetes`) and the other controllers (`others`) are."""

    kubernetes: Path
    others: Path

    @classmethod
    def from_environment(cls) -> Binaries:
        """From $KUBEBUILDER_ASSETS and $CLUSTER_BIN; the second is the first where it is not given."""
        kubernetes = Path(os.environ.get("KUBEBUILDER_ASSETS", "/usr/local/kubebuilder/bin"))
        return cls(kubernetes, Path(os.environ.get("CLUSTER_BIN", kubernetes)))

    def find(self, name: str) -> Path | None:
        """The binary of that name, or None."""
        candidates = (folder / name for folder in (self.kubernetes, self.others))
        return next((path for path in candidates if os.access(path, os.X_OK)), None)

    def missing(self, *names: str) -> list[str]:
        """Those of the names that no folder has."""
        return [name for name in names if not self.find(name)]

    def manifests(self, name: str) -> Path:
        """The folder with what a controller's project says to install beside its binary."""
        return self.others / "manifests" / name


@dataclass(frozen=True)
class Applied:
    """What one apply printed: a line for each object, and the API server's warnings."""

    lines: list[str]
    warnings: list[str]


@dataclass
class Cluster:
    """A control plane that runs, and the processes beside it."""

    directory: Path
    binaries: Binaries
    address: str
    version: str = ""
    stack: contextlib.ExitStack = field(default_factory=contextlib.ExitStack)

    @property
    def kubeconfig(self) -> Path:
        """The administrator's."""
        return self.directory / "kubeconfig"

    def start(self, name: str, *command: str | Path, env: Mapping[str, str] | None = None) -> None:
        """Start a process that ends with the cluster; its output goes to NAME.log."""
        log = (self.directory / f"{name}.log").open("w")
        environment = {**os.environ, "KUBECONFIG": str(self.kubeconfig), **(env or {})}
        process = subprocess.Popen(
            [str(part) for part in command],
            stdout=log, stderr=log, stdin=subprocess.DEVNULL,
            cwd=self.directory, env=environment, start_new_session=True,
        )  # fmt: skip
        self.stack.callback(stop, process)

    def kubectl(self, *arguments: str | Path, text: str | None = None, check: bool = True) -> str:
        """What kubectl prints; raises AssertionError with its message where it fails."""
        result = self.run(*arguments, text=text)
        assert not check or result.returncode == 0, (
            f"kubectl {' '.join(map(str, arguments))}: {result.stderr}"
        )
        return result.stdout

    def run(self, *arguments: str | Path, text: str | None = None) -> subprocess.CompletedProcess[str]:
        """One kubectl, whatever comes of it."""
        command = [str(find_engine(None)), "--kubeconfig", str(self.kubeconfig), *map(str, arguments)]
        return subprocess.run(command, input=text, capture_output=True, text=True, timeout=600)

    def apply(self, manifests: str, *options: str) -> Applied:
        """Apply a stream of objects."""
        result = self.run("apply", *options, "-f", "-", text=manifests)
        assert result.returncode == 0, result.stderr
        warnings = [line for line in result.stderr.splitlines() if line.startswith("Warning:")]
        return Applied(result.stdout.splitlines(), warnings)

    def get(self, *arguments: str) -> dict[str, Any]:
        """An object, or a list of them, as kubectl gets it; empty where there is none."""
        result = self.run("get", *arguments, "--output", "json", "--ignore-not-found")
        return json.loads(result.stdout) if result.stdout else {}

    def items(self, *arguments: str) -> list[dict[str, Any]]:
        """The objects of a list."""
        return list(self.get(*arguments).get("items", []))

    def namespace(self, name: str, **labels: str) -> str:
        """Make a namespace, with labels such as a Pod Security level."""
        self.kubectl("create", "namespace", name)
        for key, value in labels.items():
            label = f"pod-security.kubernetes.io/{key}={value}"
            self.kubectl("label", "namespace", name, label)
        return name

    def wait(self, what: str, condition: Callable[[], T | bool | None], seconds: float = 60) -> T:
        """Ask until there is an answer; raises AssertionError after some seconds."""
        end = time.monotonic() + seconds
        while True:
            found = condition()
            if found:
                return found  # type: ignore[return-value]
            assert time.monotonic() < end, f"not within {seconds:.0f} s: {what}; logs in {self.directory}"
            time.sleep(0.5)

    def install(self, *folders: Path) -> None:
        """Apply the definitions in some folders, those of later ones over those of earlier ones."""
        for folder in folders:
            self.kubectl("apply", "--server-side", "--force-conflicts", "--filename", folder)
        self.wait("every definition is served", self._all_established, 300)

    def _all_established(self) -> bool:
        return all(
            any(
                condition["type"] == "Established" and condition["status"] == "True"
                for condition in item.get("status", {}).get("conditions") or ()
            )
            for item in self.items("customresourcedefinitions")
        )


def stop(process: subprocess.Popen[Any]) -> None:
    """End a process and its children; a second is enough for what keeps nothing."""
    with contextlib.suppress(ProcessLookupError):
        os.killpg(process.pid, signal.SIGTERM)
        with contextlib.suppress(subprocess.TimeoutExpired):
            process.wait(2)
        os.killpg(process.pid, signal.SIGKILL)
    process.wait()


def free_port() -> int:
    """A port that nothing listens on."""
    with socket.socket() as listener:
        listener.bind(("127.0.0.1", 0))
        return int(listener.getsockname()[1])


@contextlib.contextmanager
def control_plane(directory: Path, binaries: Binaries) -> Iterator[Cluster]:
    """Run etcd and kube-apiserver; raises AssertionError where they do not become ready within a minute."""
    etcd, peer, port = free_port(), free_port(), free_port()
    cluster = Cluster(directory, binaries, f"https://127.0.0.1:{port}")
    _write_credentials(cluster)
    with cluster.stack:
        urls = (f"http://127.0.0.1:{etcd}", f"http://127.0.0.1:{peer}")
        cluster.start(
            "etcd", _need(binaries, "etcd"),
            "--data-dir", "etcd", "--unsafe-no-fsync", "--log-level", "error",
            "--listen-client-urls", urls[0], "--advertise-client-urls", urls[0],
            "--listen-peer-urls", urls[1], "--initial-advertise-peer-urls", urls[1],
            "--initial-cluster", f"default={urls[1]}",
        )  # fmt: skip
        cluster.start(
            "kube-apiserver", _need(binaries, "kube-apiserver"),
            f"--etcd-servers={urls[0]}", f"--secure-port={port}", "--bind-address=127.0.0.1",
            "--cert-dir=certs",
            "--service-account-issuer=https://kubernetes.default.svc",
            "--service-account-key-file=accounts.pub", "--service-account-signing-key-file=accounts.key",
            "--token-auth-file=tokens.csv", "--authorization-mode=RBAC", "--allow-privileged=true",
            "--service-cluster-ip-range=10.96.0.0/16", "--disable-admission-plugins=ServiceAccount",
            "--enable-priority-and-fairness=false",
        )  # fmt: skip
        cluster.wait(
            "kube-apiserver is ready", lambda: cluster.run("get", "--raw", "/readyz").stdout == "ok", 90
        )
        cluster.version = json.loads(cluster.kubectl("get", "--raw", "/version"))["gitVersion"]
        yield cluster


def start_controllers(cluster: Cluster) -> None:
    """Run kube-controller-manager, kube-scheduler and kwok, with nodes for every overlay."""
    common = (
        "--kubeconfig=kubeconfig",
        "--bind-address=127.0.0.1",
        "--cert-dir=certs",
        "--leader-elect=false",
    )
    cluster.start(
        "kube-controller-manager", _need(cluster.binaries, "kube-controller-manager"), *common,
        f"--secure-port={free_port()}", "--service-account-private-key-file=accounts.key",
        "--horizontal-pod-autoscaler-sync-period=2s", "--node-monitor-grace-period=12s",
    )  # fmt: skip
    cluster.start(
        "kube-scheduler", _need(cluster.binaries, "kube-scheduler"), *common, f"--secure-port={free_port()}"
    )
    stages = sorted(cluster.binaries.manifests("kwok").glob("*.yaml"))
    cluster.start(
        "kwok", _need(cluster.binaries, "kwok"), "--kubeconfig=kubeconfig", "--manage-all-nodes=true",
        "--node-ip=127.0.0.1", "--node-lease-duration-seconds=10",
        *(f"--config={stage}" for stage in stages if stage.name != "storage-class.yaml"),
    )  # fmt: skip
    cluster.apply((cluster.binaries.manifests("kwok") / "storage-class.yaml").read_text())
    cluster.apply((Path(__file__).parent / "nodes.yaml").read_text(), "--server-side")
    cluster.kubectl("wait", "--for=condition=Ready", "nodes", "--all", "--timeout=60s")


def _need(binaries: Binaries, name: str) -> Path:
    found = binaries.find(name)
    assert found, f"no {name} in {binaries.kubernetes} or {binaries.others}"
    return found


def _write_credentials(cluster: Cluster) -> None:
    """The keys that ServiceAccounts' tokens are signed with, the administrator's token and kubeconfig."""
    directory = cluster.directory
    openssl = shutil.which("openssl")
    assert openssl, "openssl is not on PATH"
    for command in (
        ("genrsa", "-out", "accounts.key"),
        ("rsa", "-in", "accounts.key", "-pubout", "-out", "accounts.pub"),
    ):
        subprocess.run([openssl, *command], cwd=directory, check=True, capture_output=True)
    (directory / "tokens.csv").write_text(f"{TOKEN},admin,admin,system:masters\n")
    config = {
        "apiVersion": "v1",
        "kind": "Config",
        "clusters": [
            {"name": "test", "cluster": {"server": cluster.address, "insecure-skip-tls-verify": True}}
        ],
        "users": [{"name": "admin", "user": {"token": TOKEN}}],
        "contexts": [{"name": "test", "context": {"cluster": "test", "user": "admin"}}],
        "current-context": "test",
    }
    cluster.kubeconfig.write_text(json.dumps(config))
