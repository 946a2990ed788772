"""The pod's network: loopback only, and the Service in front of the pod."""

from __future__ import annotations

import contextlib
import fcntl
import socket
import struct
import subprocess
import threading
from collections.abc import Callable, Iterable
from pathlib import Path

from e2e.kubelet.objects import POD_IP, SERVICE_IP
from e2e.kubelet.pod import ServicePort

SIOCSIFFLAGS = 0x8914
IFF_UP = 0x1


def bring_up_loopback() -> None:
    """Switch on `lo`, which is down in a new network namespace; all of 127.0.0.0/8 answers then."""
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as any_socket:
        fcntl.ioctl(any_socket, SIOCSIFFLAGS, struct.pack("16sH14x", b"lo", IFF_UP))


def own_host_names(file: Path) -> None:
    """Give this mount namespace an /etc/hosts of its own, kept in `file`."""
    file.touch()
    subprocess.run(["mount", "--bind", str(file), "/etc/hosts"], check=True)


def name_services(ports: Iterable[ServicePort]) -> None:
    """What the cluster's DNS does: every Service has a name. Overwrites /etc/hosts; see `own_host_names`."""
    names = {f"{port.service}.{port.namespace}.svc.cluster.local" for port in ports}
    Path("/etc/hosts").write_text(f"127.0.0.1 localhost\n{SERVICE_IP} {' '.join(sorted(names))}\n")


def listening() -> list[int]:
    """The TCP ports on which something listens in this network, but those that the system chose itself."""
    ports = set()
    first_ephemeral = int(Path("/proc/sys/net/ipv4/ip_local_port_range").read_text().split()[0])
    for table in ("tcp", "tcp6"):
        for line in Path(f"/proc/self/net/{table}").read_text().splitlines()[1:]:
            fields = line.split()
            if fields[3] == "0A":
                ports.add(int(fields[1].rpartition(":")[2], 16))
    return sorted(port for port in ports if port < first_ephemeral)


class ServiceProxy:
    """What kube-proxy does: connections to the Service's address go to the pod while it is ready."""

    def __init__(self, ports: Iterable[ServicePort], is_ready: Callable[[], bool]) -> None:
        self._is_ready = is_ready
        self._sockets = [self._listen(port) for port in ports]

    def close(self) -> None:
        """Take no more connections; those that stand go on."""
        for listener in self._sockets:
            # shutdown() wakes the thread that waits in accept().
            with contextlib.suppress(OSError):
                listener.shutdown(socket.SHUT_RDWR)
            listener.close()

    def _listen(self, port: ServicePort) -> socket.socket:
        listener = socket.create_server((SERVICE_IP, port.port))
        threading.Thread(target=self._accept, args=(listener, port.pod_port), daemon=True).start()
        return listener

    def _accept(self, listener: socket.socket, pod_port: int) -> None:
        while True:
            try:
                client, _ = listener.accept()
            except OSError:
                return
            threading.Thread(target=self._forward, args=(client, pod_port), daemon=True).start()

    def _forward(self, client: socket.socket, pod_port: int) -> None:
        with client:
            if not self._is_ready():
                return
            try:
                server = socket.create_connection((POD_IP, pod_port))
            except OSError:
                return
            with server:
                back = threading.Thread(target=_copy, args=(server, client), daemon=True)
                back.start()
                _copy(client, server)
                back.join()


def _copy(source: socket.socket, target: socket.socket) -> None:
    with contextlib.suppress(OSError):
        while data := source.recv(65536):
            target.sendall(data)
    with contextlib.suppress(OSError):
        target.shutdown(socket.SHUT_WR)
