"""Ask a vLLM server for its models, a completion and a chat answer; exit 1 if one of them is wrong.

It needs Python's standard library alone. SERVICE names the Service, API_KEY the key if there is one.
"""

from __future__ import annotations

import json
import os
import sys
import time
import urllib.error
import urllib.request
from typing import Any

READY_TIMEOUT = 3600.0  # seconds: what the server's startup probe allows
REQUEST_TIMEOUT = 120.0  # seconds: a first request may compile kernels


class Failed(Exception):
    """An answer was not what a working server gives."""


def call(url: str, body: dict[str, Any] | None = None, timeout: float = REQUEST_TIMEOUT) -> Any:
    """The JSON that the server answers; raises `Failed` with what it said instead."""
    data = None if body is None else json.dumps(body).encode()
    request = urllib.request.Request(url, data, {"Content-Type": "application/json"})
    if key := os.environ.get("API_KEY"):
        request.add_header("Authorization", f"Bearer {key}")
    try:
        with urllib.request.urlopen(request, timeout=timeout) as response:
            return json.loads(response.read() or b"null")
    except urllib.error.HTTPError as error:
        raise Failed(f"{url}: HTTP {error.code}: {error.read(2000).decode(errors='replace')}") from None
    except (OSError, ValueError) as error:
        raise Failed(f"{url}: {error}") from None


def wait_until_ready(server: str) -> None:
    """Return once /health answers; raises `Failed` when the hour is over."""
    deadline = time.monotonic() + READY_TIMEOUT
    while True:
        try:
            call(f"{server}/health", timeout=10)
            return
        except Failed as error:
            if time.monotonic() > deadline:
                raise Failed(f"not ready after {READY_TIMEOUT:.0f} s: {error}") from None
        time.sleep(5)


def text_of(answer: Any, *path: str) -> str:
    """The text of an answer's first choice; raises `Failed` where there is none."""
    try:
        value = answer["choices"][0]
        for key in path:
            value = value[key]
    except (KeyError, IndexError, TypeError):
        value = None
    if not isinstance(value, str) or not value:
        raise Failed(f"no text in {json.dumps(answer)[:2000]}")
    return value


def check(server: str) -> None:
    """Run the three requests; raises `Failed` at the first wrong answer."""
    answer = call(f"{server}/v1/models")
    try:
        model = answer["data"][0]["id"]
    except (KeyError, IndexError, TypeError):
        raise Failed(f"no model in {json.dumps(answer)[:2000]}") from None
    print(f"model: {model}", flush=True)

    prompt = {"model": model, "prompt": "San Francisco is a", "max_tokens": 7, "temperature": 0}
    print("completion:", repr(text_of(call(f"{server}/v1/completions", prompt), "text")), flush=True)

    question = {"model": model, "messages": [{"role": "user", "content": "Say hello."}], "max_tokens": 16}
    try:
        answer = call(f"{server}/v1/chat/completions", question)
    except Failed as error:
        # A base model, such as the amd overlay's, completes text and cannot chat.
        if "HTTP 400" not in str(error) or "chat template" not in str(error):
            raise
        print("chat: not asked for, the model has no chat template", flush=True)
        return
    print("chat:", repr(text_of(answer, "message", "content")), flush=True)


def main() -> int:
    """Wait, check, and say how it went."""
    server = f"http://{os.environ.get('SERVICE', 'vllm-server')}"
    try:
        print(f"waiting for {server}", flush=True)
        wait_until_ready(server)
        check(server)
    except Failed as error:
        print(f"FAILED: {error}", file=sys.stderr, flush=True)
        return 1
    print("passed", flush=True)
    return 0


if __name__ == "__main__":
    sys.exit(main())
