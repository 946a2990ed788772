"""A Kubernetes API server to ask: etcd and kube-apiserver started here, or one that a kubeconfig names."""

from __future__ import annotations

import contextlib
import os
import socket
import ssl
import subprocess
import tempfile
import time
from collections.abc import Iterator
from pathlib import Path

import yaml

from record.client import Client

ASSETS_VARIABLE = "KUBEBUILDER_ASSETS"
"""Names the folder with etcd and kube-apiserver, as controller-runtime's envtest does."""
OTHERS_VARIABLE = "CLUSTER_BIN"
"""Names the folder where `make cluster-binaries` puts etcd, which is not of one release."""
TOKEN = "recorder"
SECONDS_TO_START = 60.0


class RecordError(Exception):
    """Nothing can be recorded; the message says why."""


@contextlib.contextmanager
def open_cluster(kubernetes: str = "") -> Iterator[Client]:
    """Give a client of the API server to record, and end what was started for it.

    With `$KUBEBUILDER_ASSETS` a control plane is started from the binaries there: default feature gates and
    admission plugins, less ServiceAccount's, which would want a controller. Else it is the server of
    `$KUBECONFIG`. Raises `RecordError` where there is neither, or where the release is not `kubernetes`.
    """
    with contextlib.ExitStack() as stack:
        if assets := os.environ.get(ASSETS_VARIABLE):
            client = stack.enter_context(_control_plane(Path(assets)))
        elif config := os.environ.get("KUBECONFIG"):
            client = _from_kubeconfig(Path(config))
        else:
            raise RecordError(
                f"no cluster to record: set {ASSETS_VARIABLE} to a folder with etcd and kube-apiserver, "
                "or KUBECONFIG to a cluster that may be written to"
            )
        found = client.version()
        if kubernetes and not f"{found}.".startswith(f"v{kubernetes.removeprefix('v')}."):
            raise RecordError(f"the server is Kubernetes {found}, not {kubernetes}")
        yield client


@contextlib.contextmanager
def _control_plane(assets: Path) -> Iterator[Client]:
    binaries = {name: _find(name, assets) for name in ("etcd", "kube-apiserver")}
    with tempfile.TemporaryDirectory(prefix="record-") as folder, contextlib.ExitStack() as stack:
        etcd_port, peer_port, port = _free_ports(3)
        etcd = f"http://127.0.0.1:{etcd_port}"
        home = Path(folder)
        _make_keys(home)
        stack.enter_context(
            _process(
                home / "etcd.log",
                binaries["etcd"],
                f"--data-dir={home / 'etcd'}",
                f"--listen-client-urls={etcd}",
                f"--advertise-client-urls={etcd}",
                f"--listen-peer-urls=http://127.0.0.1:{peer_port}",
                f"--initial-advertise-peer-urls=http://127.0.0.1:{peer_port}",
                f"--initial-cluster=default=http://127.0.0.1:{peer_port}",
                "--unsafe-no-fsync",
                "--log-level=error",
            )
        )
        server = stack.enter_context(
            _process(
                home / "kube-apiserver.log",
                binaries["kube-apiserver"],
                f"--etcd-servers={etcd}",
                f"--secure-port={port}",
                "--bind-address=127.0.0.1",
                f"--cert-dir={home / 'certificates'}",
                "--service-account-issuer=https://kubernetes.default.svc",
                f"--service-account-key-file={home / 'sa.pub'}",
                f"--service-account-signing-key-file={home / 'sa.key'}",
                f"--token-auth-file={home / 'tokens.csv'}",
                "--authorization-mode=RBAC",
                "--service-cluster-ip-range=10.96.0.0/16",
                "--allow-privileged=true",
                "--disable-admission-plugins=ServiceAccount",
                "--enable-priority-and-fairness=false",
            )
        )
        client = Client("127.0.0.1", port, _trusting(), {"Authorization": f"Bearer {TOKEN}"})
        _wait(client, server, home / "kube-apiserver.log")
        yield client


def _find(name: str, assets: Path) -> str:
    for folder in (assets, Path(os.environ.get(OTHERS_VARIABLE, assets))):
        if os.access(folder / name, os.X_OK):
            return str(folder / name)
    raise RecordError(f"there is no {name} in ${ASSETS_VARIABLE} ({assets}), nor in ${OTHERS_VARIABLE}")


def _make_keys(home: Path) -> None:
    """The key that signs ServiceAccounts' tokens, and the one user."""
    key, public = home / "sa.key", home / "sa.pub"
    try:
        subprocess.run(["openssl", "genrsa", "-out", key, "2048"], check=True, capture_output=True)
        subprocess.run(
            ["openssl", "rsa", "-in", key, "-pubout", "-out", public], check=True, capture_output=True
        )
    except (OSError, subprocess.CalledProcessError) as error:
        raise RecordError(f"openssl, which makes the server's key, fails: {error}") from None
    (home / "tokens.csv").write_text(f"{TOKEN},recorder,recorder,system:masters\n", encoding="utf-8")


@contextlib.contextmanager
def _process(log: Path, *command: str) -> Iterator[subprocess.Popen[bytes]]:
    with log.open("wb") as output, subprocess.Popen(command, stdout=output, stderr=output) as process:
        try:
            yield process
        finally:
            process.terminate()


def _wait(client: Client, server: subprocess.Popen[bytes], log: Path) -> None:
    deadline = time.monotonic() + SECONDS_TO_START
    while time.monotonic() < deadline and server.poll() is None:
        with contextlib.suppress(OSError):
            if client.call("GET", "/readyz").status == 200:
                return
        time.sleep(0.2)
    lines = log.read_text(encoding="utf-8", errors="replace").splitlines()
    raise RecordError("kube-apiserver did not start: " + (lines[-1] if lines else "it says nothing"))


def _free_ports(count: int) -> list[int]:
    with contextlib.ExitStack() as stack:
        sockets = [stack.enter_context(socket.socket()) for _ in range(count)]
        for each in sockets:
            each.bind(("127.0.0.1", 0))
        return [int(each.getsockname()[1]) for each in sockets]


def _trusting() -> ssl.SSLContext:
    """The server has just made its own certificate, on this machine."""
    context = ssl.create_default_context()
    context.check_hostname = False
    context.verify_mode = ssl.CERT_NONE
    return context


def _from_kubeconfig(path: Path) -> Client:
    """A client of the current context, with a token or a client certificate in files."""
    config = yaml.safe_load(path.read_text(encoding="utf-8"))
    named = {
        section: {item["name"]: item[section[:-1]] for item in config.get(section) or ()}
        for section in ("contexts", "clusters", "users")
    }
    context = named["contexts"][config["current-context"]]
    cluster, user = named["clusters"][context["cluster"]], named["users"][context["user"]]
    host, _, port = cluster["server"].removeprefix("https://").partition(":")
    trust = _trusting() if cluster.get("insecure-skip-tls-verify") else ssl.create_default_context()
    if "certificate-authority" in cluster:
        trust.load_verify_locations(cluster["certificate-authority"])
    if "client-certificate" in user:
        trust.load_cert_chain(user["client-certificate"], user["client-key"])
    token = {"Authorization": f"Bearer {user['token']}"} if "token" in user else {}
    return Client(host, int(port.rstrip("/") or 443), trust, token)
