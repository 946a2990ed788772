"""Probes and the Service against a small server on the pod's address."""

from __future__ import annotations

import http.client
import socket
import sys
import threading
from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler, HTTPServer
from typing import Any, cast

import pytest

from e2e.kubelet.handlers import handle
from e2e.kubelet.network import ServiceProxy
from e2e.kubelet.objects import POD_IP, SERVICE_IP
from e2e.kubelet.pod import Pod, ServicePort, vllm_pod
from e2e.kubelet.sandbox import Sandbox
from vllm_kustomize.model import Build, Resource

pytestmark = pytest.mark.skipif(sys.platform != "linux", reason=f"only Linux answers on all of {POD_IP}/8")


class Status(BaseHTTPRequestHandler):
    """Answers `/503` with that status."""

    def do_GET(self) -> None:
        self.send_response(int(self.path[1:]))
        self.send_header("Content-Length", "0")
        self.end_headers()

    def log_message(self, *_: object) -> None:
        pass


@pytest.fixture
def port() -> Iterator[int]:
    """The port of a server in the pod."""
    with HTTPServer((POD_IP, 0), Status) as server:
        threading.Thread(target=server.serve_forever, args=(0.01,), daemon=True).start()
        yield server.server_port
        server.shutdown()


def free_port() -> int:
    with socket.create_server((SERVICE_IP, 0)) as unused:
        return int(unused.getsockname()[1])


def pod(port: int) -> Pod:
    container = {
        "name": "vllm",
        "image": "vllm/vllm-openai:v0.33.0",
        "ports": [{"name": "http", "containerPort": port}],
    }
    template = {"spec": {"containers": [container]}}
    deployment = {"kind": "Deployment", "metadata": {"name": "vllm"}, "spec": {"template": template}}
    return vllm_pod(Build((Resource(deployment),)))


def get(port: int) -> int:
    connection = http.client.HTTPConnection(SERVICE_IP, port, timeout=5)
    try:
        connection.request("GET", "/200")
        return connection.getresponse().status
    finally:
        connection.close()


def probe(handler: dict[str, Any], port: int) -> str:
    return handle(handler, pod(port), cast(Sandbox, None), seconds=2)


@pytest.mark.parametrize(("status", "passes"), [(200, True), (302, True), (404, False), (503, False)])
def test_a_probe_takes_any_status_from_200_to_399(port: int, status: int, passes: bool) -> None:
    error = "" if passes else f"{POD_IP}:{port}/{status} answered {status}"
    assert probe({"httpGet": {"path": f"/{status}", "port": "http"}}, port) == error


def test_a_probe_that_nobody_answers() -> None:
    unused = free_port()
    refused = f"{POD_IP}:{unused}: Connection refused"
    assert probe({"httpGet": {"path": "/", "port": unused}}, 8000) == refused
    assert probe({"tcpSocket": {"port": unused}}, 8000) == refused
    assert probe({"httpGet": {"port": "web"}}, 8000) == "the container has no port called web"


def test_an_open_port_is_enough_for_tcp(port: int) -> None:
    assert probe({"tcpSocket": {"port": port}}, 8000) == ""


def test_the_service_leads_to_the_pod_while_it_is_ready(port: int) -> None:
    ready = [True]
    service = ServicePort("vllm", "default", free_port(), port)
    proxy = ServiceProxy([service], lambda: ready[0])
    assert get(service.port) == 200

    ready[0] = False
    with pytest.raises(ConnectionError):
        get(service.port)

    proxy.close()
    with pytest.raises(ConnectionRefusedError):
        get(service.port)
