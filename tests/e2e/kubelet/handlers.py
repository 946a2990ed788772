"""Do what a probe or a lifecycle hook says."""

from __future__ import annotations

import http.client
import socket
import ssl
import subprocess
import time

from e2e.kubelet.objects import POD_IP
from e2e.kubelet.pod import HANDLERS, Pod
from e2e.kubelet.sandbox import Sandbox
from vllm_kustomize.model import Manifest


def handle(handler: Manifest, pod: Pod, sandbox: Sandbox, seconds: float) -> str:
    """Carry out one of `HANDLERS` within `seconds`; return why it failed, or an empty string."""
    kind = next(name for name in HANDLERS if name in handler)
    action = handler[kind]
    try:
        if kind == "exec":
            done = sandbox.run(action["command"], seconds)
            return "" if done.returncode == 0 else f"exit code {done.returncode}: {done.stderr.strip()}"
        if kind == "sleep":
            time.sleep(min(action["seconds"], seconds))
            return ""
        host, port = action.get("host") or POD_IP, pod.find_port(action["port"])
        if port is None:
            return f"the container has no port called {action['port']}"
        if kind == "tcpSocket":
            socket.create_connection((host, port), seconds).close()
            return ""
        return _get(action, host, port, seconds)
    except subprocess.TimeoutExpired:
        return f"not done after {seconds:g} s"
    except (OSError, http.client.HTTPException) as error:
        return f"{host}:{port}: {error.strerror if isinstance(error, OSError) and error.strerror else error}"


def _get(action: Manifest, host: str, port: int, seconds: float) -> str:
    """Like the kubelet, take any status from 200 to 399, and any certificate."""
    if action.get("scheme") == "HTTPS":
        context = ssl._create_unverified_context()
        connection: http.client.HTTPConnection = http.client.HTTPSConnection(
            host, port, timeout=seconds, context=context
        )
    else:
        connection = http.client.HTTPConnection(host, port, timeout=seconds)
    try:
        headers = {header["name"]: header["value"] for header in action.get("httpHeaders") or ()}
        connection.request("GET", action.get("path") or "/", headers=headers)
        status = connection.getresponse().status
    finally:
        connection.close()
    return "" if 200 <= status < 400 else f"{host}:{port}{action.get('path') or '/'} answered {status}"
