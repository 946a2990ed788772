"""An API server that knows two kinds and says what its objects are called: enough for the real kubectl."""

from __future__ import annotations

import json
import threading
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any
from urllib.parse import urlsplit

RESOURCES = {"/api/v1": ("configmaps", "ConfigMap"), "/apis/example.com/v1": ("widgets", "Widget")}
GROUP = {"groupVersion": "example.com/v1", "version": "v1"}
RESOURCE_LISTS: dict[str, dict[str, Any]] = {
    path: {
        "kind": "APIResourceList",
        "apiVersion": "v1",
        "groupVersion": path.partition("/")[2].partition("/")[2],
        "resources": [
            {"name": plural, "kind": kind, "namespaced": True, "verbs": ["create", "get", "patch"]}
        ],
    }
    for path, (plural, kind) in RESOURCES.items()
}
DISCOVERY: dict[str, dict[str, Any]] = {
    **RESOURCE_LISTS,
    "/api": {"kind": "APIVersions", "versions": ["v1"]},
    "/apis": {
        "kind": "APIGroupList",
        "apiVersion": "v1",
        "groups": [{"name": "example.com", "versions": [GROUP], "preferredVersion": GROUP}],
    },
}
FAILURE = {"kind": "Status", "apiVersion": "v1", "status": "Failure"}
IMMUTABLE = "Forbidden: field is immutable when `immutable` is set"
STATUSES = {
    "changed": {
        "code": 422,
        "reason": "Invalid",
        "message": f'ConfigMap "changed" is invalid: data: {IMMUTABLE}',
        "details": {
            "kind": "ConfigMap",
            "name": "changed",
            "causes": [{"reason": "FieldValueForbidden", "message": IMMUTABLE, "field": "data"}],
        },
    },
    "forbidden": {
        "code": 403,
        "reason": "Forbidden",
        "message": 'configmaps "forbidden" is forbidden: User "me" cannot patch resource "configmaps"',
    },
}
"""What it says of objects, by their names."""
WARNING = '299 - "metadata.name: this is only a warning"'


class FakeApiServer:
    """Serves on a port of its own; `asked` are the places of the objects that it was asked about."""

    def __init__(self) -> None:
        self.asked: list[str] = []
        self.lets_in = True
        self._server = ThreadingHTTPServer(("127.0.0.1", 0), self._handler())
        self.address = f"http://127.0.0.1:{self._server.server_port}"

    def __enter__(self) -> FakeApiServer:
        threading.Thread(target=self._server.serve_forever, args=(0.01,), daemon=True).start()
        return self

    def __exit__(self, *_: object) -> None:
        self._server.shutdown()
        self._server.server_close()

    def _handler(self) -> type[BaseHTTPRequestHandler]:
        fake = self

        class Handler(BaseHTTPRequestHandler):
            def do_GET(self) -> None:
                found = DISCOVERY.get(urlsplit(self.path).path)
                self._answer(found or {"code": 404, "reason": "NotFound", "message": "not found"})

            def do_PATCH(self) -> None:
                manifest = json.loads(self.rfile.read(int(self.headers["Content-Length"])))
                asked = urlsplit(self.path)
                assert "dryRun=All" in asked.query
                fake.asked.append(asked.path)
                name = manifest["metadata"]["name"]
                self._answer(STATUSES.get(name, manifest), WARNING if name == "warned" else "")

            def _answer(self, body: dict[str, Any], warning: str = "") -> None:
                if not fake.lets_in:
                    body = {"code": 401, "reason": "Unauthorized", "message": "Unauthorized"}
                content = json.dumps({**FAILURE, **body} if "code" in body else body).encode()
                self.send_response(body.get("code", 200))
                self.send_header("Content-Type", "application/json")
                self.send_header("Content-Length", str(len(content)))
                if warning:
                    self.send_header("Warning", warning)
                self.end_headers()
                self.wfile.write(content)

            def log_message(self, *_: object) -> None:
                """Say nothing."""

        return Handler
