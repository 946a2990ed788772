"""The smoke test's script against servers that work and servers that do not."""

from __future__ import annotations

import json
import os
import subprocess
import sys
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler
from socketserver import TCPServer
from typing import Any

import pytest

from conftest import REPO

SCRIPT = REPO / "components/smoke-test/smoke_test.py"
MODEL = "mistralai/Mistral-7B-Instruct-v0.3"
Answers = dict[str, tuple[int, Any]]
WORKING: Answers = {
    "/health": (200, None),
    "/v1/models": (200, {"data": [{"id": MODEL}]}),
    "/v1/completions": (200, {"choices": [{"text": " city"}]}),
    "/v1/chat/completions": (200, {"choices": [{"message": {"content": "Hello!"}}]}),
}


@contextmanager
def server(answers: Answers, key: str = "") -> Iterator[str]:
    """A server that gives fixed answers, and 401 below /v1 to who lacks its key."""

    class Handler(BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            code, body = answers[self.path]
            if key and self.path.startswith("/v1") and self.headers["Authorization"] != f"Bearer {key}":
                code, body = 401, {"error": "Unauthorized"}
            self.send_response(code)
            self.end_headers()
            self.wfile.write(b"" if body is None else json.dumps(body).encode())

        def do_POST(self) -> None:
            asked = json.loads(self.rfile.read(int(self.headers["Content-Length"])))
            assert asked["model"] == MODEL
            self.do_GET()

        def log_message(self, *_: object) -> None:
            pass

    # Not HTTPServer: that asks DNS for the name of its address, which may take seconds.
    running = TCPServer(("127.0.0.1", 0), Handler)
    threading.Thread(target=running.serve_forever, kwargs={"poll_interval": 0.01}, daemon=True).start()
    try:
        yield f"127.0.0.1:{running.server_address[1]}"
    finally:
        running.shutdown()
        running.server_close()


def run(answers: Answers, key: str = "", sent: str = "") -> tuple[int, str, str]:
    with server(answers, key) as address:
        environment = {**os.environ, "SERVICE": address, "API_KEY": sent}
        command = [sys.executable, "-I", str(SCRIPT)]
        done = subprocess.run(command, env=environment, capture_output=True, text=True, timeout=60)
        return done.returncode, done.stdout, done.stderr.replace(address, "SERVER")


@pytest.mark.parametrize("key", ["", "secret"])
def test_a_working_server_passes(key: str) -> None:
    code, output, errors = run(WORKING, key, key)
    assert (code, errors) == (0, "")
    assert output.splitlines()[1:] == [f"model: {MODEL}", "completion: ' city'", "chat: 'Hello!'", "passed"]


def test_a_base_model_need_not_chat() -> None:
    refusal = {"error": {"message": "no chat template is defined for this tokenizer"}}
    code, output, errors = run({**WORKING, "/v1/chat/completions": (400, refusal)})
    assert (code, errors) == (0, "")
    assert "chat: not asked for, the model has no chat template" in output


@pytest.mark.parametrize(
    ("broken", "message"),
    [
        ({"/v1/models": (200, {"data": []})}, 'FAILED: no model in {"data": []}\n'),
        (
            {"/v1/completions": (200, {"choices": [{"text": ""}]})},
            'FAILED: no text in {"choices": [{"text": ""}]}\n',
        ),
        (
            {"/v1/chat/completions": (200, {"choices": []})},
            'FAILED: no text in {"choices": []}\n',
        ),
        (
            {"/v1/chat/completions": (500, {"error": "engine"})},
            'FAILED: http://SERVER/v1/chat/completions: HTTP 500: {"error": "engine"}\n',
        ),
        ({"/v1/models": (200, "text")}, 'FAILED: no model in "text"\n'),
    ],
)
def test_a_broken_server_fails_loudly(broken: Answers, message: str) -> None:
    code, output, errors = run({**WORKING, **broken})
    assert (code, errors) == (1, message)
    assert "passed" not in output


def test_a_missing_key_fails_and_shows_no_key() -> None:
    code, output, errors = run(WORKING, key="secret", sent="guess")
    assert code == 1
    assert "HTTP 401" in errors
    assert "guess" not in output + errors
