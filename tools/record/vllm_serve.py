"""Record what the real `vllm serve` parser of a release says of many command lines.

`make record-vllm VLLM=0.34.0` writes tests/conformance/vllm-serve-0.34.0.jsonl.gz: a line has `argv` (what
follows `vllm serve`), `accepted` and `error`. The command lines are made of the parser's own options: each
under every name that it has, misspelt, abbreviated, in capitals and with underscores, with values of every
kind.

Usage: python -m record.vllm_serve VERSION
"""

from __future__ import annotations

import argparse
import contextlib
import gzip
import io
import json
import re
import sys
from collections.abc import Iterator
from pathlib import Path

from catalog import sources
from catalog.__main__ import BUILD
from catalog.extract import parser_of, serve_parser

MODEL = "mistralai/Mistral-7B-Instruct-v0.3"
_ADDRESS = re.compile(r" at 0x[0-9a-f]+")
"""Where a Python object lies, which differs from run to run."""
VALUES = (
    *(
        "1",
        "0",
        "-1",
        "1.5",
        "abc",
        "true",
        "",
        "{}",
        '{"a": 1}',
        "[1]",
        "1k",
        "1K",
        "auto",
        "null",
        "a,b",
        "/x",
    ),
    *("0.9", "2.0", "16", "fp8"),
)
LINES: tuple[tuple[str, ...], ...] = (
    (),
    (MODEL,),
    ("--model", MODEL),
    (MODEL, "extra"),
    (MODEL, "--enable-chunked-prefill", "--max_num_batched_tokens", "1024", "--trust-remote-code"),
    (MODEL, "--"),
    (MODEL, "-tp", "4"),
    (MODEL, "-tp=4"),
    (MODEL, "-tp4"),
    (MODEL, "-O3"),
    (MODEL, "-O.mode=3"),
    (MODEL, "--compilation-config.mode", "3"),
    (MODEL, "--json-arg", "x"),
    (MODEL, "--kv-transfer-config", '{"kv_connector":"X","kv_role":"kv_both"}'),
    (MODEL, "--kv-transfer-config.kv_connector", "X"),
    (MODEL, "--kv-transfer-config", "nope"),
    (MODEL, "--speculative-config", '{"method":"ngram","num_speculative_tokens":3}'),
)
"""What people write, and what they get wrong."""

GONE = (
    *(
        "--device",
        "--num-scheduler-steps",
        "--use-v2-block-manager",
        "--guided-decoding-backend",
        "--swap-space",
    ),
    *("--task", "--rope-scaling", "--enable-reasoning", "--worker-use-ray", "--preemption-mode"),
    *(
        "--engine-use-ray",
        "--disable-frontend-multiprocessing",
        "--num-lookahead-slots",
        "--speculative-model",
    ),
)
"""Options of old releases."""


def main(version: str) -> None:
    """Write the verdicts of one release."""
    BUILD.mkdir(parents=True, exist_ok=True)
    source = sources.unpack(version, BUILD)
    sources.install_requirements(source)
    with contextlib.redirect_stdout(sys.stderr):  # vLLM logs to standard output
        parser = parser_of(source, version)
        verdicts = [verdict(parser, argv) for argv in lines(serve_parser(parser))]
    target = Path("tests", "conformance", f"vllm-serve-{version}.jsonl.gz")
    text = "".join(json.dumps(each, separators=(",", ":")) + "\n" for each in verdicts)
    target.write_bytes(gzip.compress(text.encode(), mtime=0))
    refused = sum(not each["accepted"] for each in verdicts)
    print(f"{target}: {len(verdicts)} command lines, {refused} rejected", file=sys.stderr)


def verdict(parser: argparse.ArgumentParser, argv: tuple[str, ...]) -> dict[str, object]:
    """Whether the parser takes a command line, and the last line of what it says where not."""
    said = io.StringIO()
    error = ""
    with contextlib.redirect_stderr(said), contextlib.redirect_stdout(io.StringIO()):
        try:
            parser.parse_args(["serve", *argv])
        except SystemExit as ended:
            error = said.getvalue() or "exit" if ended.code else ""
        except Exception as raised:
            error = str(raised) or type(raised).__name__
    last = error.strip().splitlines()[-1].strip() if error.strip() else ""
    said_last = _ADDRESS.sub("", last.rpartition("error: ")[2])
    return {"argv": list(argv), "accepted": not error, "error": said_last}


def lines(serve: argparse.ArgumentParser) -> Iterator[tuple[str, ...]]:
    """The command lines, none twice."""
    seen = set()
    for argv in (*LINES, *_of_options(serve)):
        if argv not in seen:
            seen.add(argv)
            yield argv


def _of_options(serve: argparse.ArgumentParser) -> Iterator[tuple[str, ...]]:
    for action in serve._actions:
        choices = [str(choice) for choice in action.choices or ()]
        for name in action.option_strings:
            for rest in _of_name(name, choices, VALUES if action.nargs != 0 else VALUES[:1]):
                yield MODEL, *rest
    for name in GONE:
        yield MODEL, name
        for value in ("1", "fp8"):
            yield MODEL, name, value
        yield MODEL, f"{name}=auto"


def _of_name(name: str, choices: list[str], values: tuple[str, ...]) -> Iterator[tuple[str, ...]]:
    """An option under one of its names: alone, with values, and with its name misspelt."""
    yield (name,)
    for value in values:
        yield name, value
    for value in ("1", "auto"):
        yield (f"{name}={value}",)
    words = name.lstrip("-")
    dashes = name[: -len(words)]
    for other in (
        words.replace("-", "_"),
        words[:-1],
        f"{words}x",
        name[: max(5, len(name) // 2)].lstrip("-"),
        words.upper(),
    ):
        if other:
            yield f"{dashes}{other}", "1"
    yield (f"--no-{words}",)
    for value in (*choices, *(choice.upper() for choice in choices[:1])):
        yield name, value


if __name__ == "__main__":
    if len(sys.argv) != 2:
        raise SystemExit('say which release: make record-vllm VLLM="0.34.0"')
    main(sys.argv[1])
