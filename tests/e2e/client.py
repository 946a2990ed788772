"""Requests to the server: the documented `curl`, a chat, and a long answer that streams."""

from __future__ import annotations

import http.client
import json
import subprocess
import threading
import time
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

PATIENCE = 120
"""Seconds that a request may take."""


@dataclass(frozen=True, slots=True)
class Answer:
    """What came back: `error` is empty for a good answer, `tokens` counts what the server generated."""

    tokens: int = 0
    seconds: float = 0
    error: str = ""

    def __str__(self) -> str:
        return self.error or f"{self.tokens} tokens"


@dataclass(frozen=True, slots=True)
class Client:
    """A client of one server behind a Service."""

    host: str
    port: int
    model: str
    key: str

    def curl(self) -> Answer:
        """The `curl` of vLLM's page "Using Kubernetes", by the Service's name in the cluster."""
        body = {"model": self.model, "prompt": "San Francisco is a", "max_tokens": 7, "temperature": 0}
        address = f"http://{self.host}{'' if self.port == 80 else f':{self.port}'}/v1/completions"
        headers = [part for name, value in self._headers().items() for part in ("-H", f"{name}: {value}")]
        begin = time.monotonic()
        done = subprocess.run(
            ["curl", "-sS", "--max-time", str(PATIENCE), address, *headers, "-d", json.dumps(body)],
            capture_output=True,
            text=True,
            check=False,
        )
        if done.returncode:
            return Answer(error=done.stderr.strip())
        return _answer(done.stdout, time.monotonic() - begin, expected=7)

    def chat(self) -> Answer:
        """A chat request, which needs the model's chat template."""
        body = {
            "model": self.model,
            "messages": [{"role": "user", "content": "Where is San Francisco?"}],
            "max_tokens": 16,
        }
        begin = time.monotonic()
        connection = http.client.HTTPConnection(self.host, self.port, timeout=PATIENCE)
        try:
            connection.request("POST", "/v1/chat/completions", json.dumps(body), self._headers())
            text = connection.getresponse().read().decode()
        except (OSError, http.client.HTTPException) as error:
            return Answer(error=f"no answer: {error}")
        finally:
            connection.close()
        return _answer(text, time.monotonic() - begin, expected=1)

    def stream(self, tokens: int) -> Stream:
        """Begin an answer of exactly `tokens` tokens that comes one by one."""
        return Stream(self, tokens)

    def _headers(self) -> Mapping[str, str]:
        key = {"Authorization": f"Bearer {self.key}"} if self.key else {}
        return {"Content-Type": "application/json", **key}


class Stream:
    """A request in flight."""

    def __init__(self, client: Client, tokens: int) -> None:
        self._wanted = tokens
        self._received = 0
        self._first = threading.Event()
        self._error = ""
        self._begin = time.monotonic()
        self._end = self._begin
        self._thread = threading.Thread(target=self._read, args=(client,), daemon=True)
        self._thread.start()

    @property
    def is_running(self) -> bool:
        """Whether tokens are still to come."""
        return self._thread.is_alive()

    def wait_for_first_token(self) -> None:
        """Return once the answer has begun, or failed."""
        self._first.wait(PATIENCE)

    def result(self) -> Answer:
        """Wait for the end."""
        self._thread.join(PATIENCE)
        error = self._error
        if self._received < self._wanted:
            error = f"cut off after {self._received} of {self._wanted} tokens" + (
                f" ({error})" if error else ""
            )
        return Answer(self._received, self._end - self._begin, error)

    def _read(self, client: Client) -> None:
        body = {
            "model": client.model,
            "prompt": "San Francisco is a",
            "max_tokens": self._wanted,
            "ignore_eos": True,
            "stream": True,
            "stream_options": {"include_usage": True, "continuous_usage_stats": True},
        }
        connection = http.client.HTTPConnection(client.host, client.port, timeout=PATIENCE)
        try:
            connection.request("POST", "/v1/completions", json.dumps(body), client._headers())
            response = connection.getresponse()
            if response.status != 200:
                self._error = f"status {response.status}"
                return
            for line in response:
                if line.startswith(b"data: {"):
                    usage = json.loads(line[6:]).get("usage") or {}
                    self._received = max(self._received, usage.get("completion_tokens", 0))
                    self._first.set()
        except (OSError, http.client.HTTPException) as error:
            self._error = type(error).__name__
        finally:
            self._end = time.monotonic()
            self._first.set()
            connection.close()


def _answer(text: str, seconds: float, expected: int) -> Answer:
    """Read an answer, which has to hold a choice and at least `expected` generated tokens."""
    try:
        body: Any = json.loads(text)
        if body["choices"] and body["usage"]["completion_tokens"] >= expected:
            return Answer(body["usage"]["completion_tokens"], seconds)
    except (ValueError, KeyError, TypeError):
        pass
    return Answer(error=f"not a valid answer: {text[:200]}")
