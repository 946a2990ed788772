from __future__ import annotations

import gzip
import json
from pathlib import Path

import pytest

from vllm_kustomize.vllm.cli import catalog
from vllm_kustomize.vllm.cli.parser import parse

VERDICTS = Path(__file__).parents[2] / "conformance" / "vllm-serve-0.33.0.jsonl.gz"
NEWEST = catalog.load("0.33.0")


def test_agrees_with_the_parser_of_vllm() -> None:
    """Every verdict of the real `vllm serve` parser, on accepted and on rejected lines."""
    with gzip.open(VERDICTS, "rt", encoding="utf-8") as lines:
        verdicts = [json.loads(line) for line in lines]
    assert len(verdicts) > 6000
    assert [v["argv"] for v in verdicts if parse(v["argv"], NEWEST).accepted is not v["accepted"]] == []


@pytest.mark.parametrize(
    ("line", "dest", "value"),
    [
        ("m", "model", "m"),
        ("--model m", "model", "m"),
        ("-tp 2 --model=m", "tensor_parallel_size", 2),
        ("m --tensor_parallel_size 2", "tensor_parallel_size", 2),
        ("m --tensor-parallel-s 2", "tensor_parallel_size", 2),
        ("m -tp=2 -tp 4", "tensor_parallel_size", 4),
        ("m", "port", 8000),
        ("m --max-model-len 32k", "max_model_len", 32_000),
        ("m --max-model-len 32K", "max_model_len", 32_768),
        ("m --max-model-len auto", "max_model_len", -1),
        ("m --no-enable-prefix-caching", "enable_prefix_caching", False),
        ("m --disable-log-requests", "enable_log_requests", False),
        ("m --served-model-name a b --port 80", "served_model_name", ["a", "b"]),
        ("m --eplb-config.window_size 5 --eplb-config.use_async=false", "eplb_config",
         {"window_size": 5, "use_async": False}),
        ("m -O3", "optimization_level", "3"),
        ("m --lora-modules a=/b", "lora_modules", [{"name": "a", "path": "/b"}]),
        ("m --port 80 --port 81", "port", 81),
        ("m --hf-token", "hf_token", True),
        ("--port 80 m", "model", "m"),
    ],
)  # fmt: skip
def test_reads(line: str, dest: str, value: object) -> None:
    parsed = parse(line.split(), NEWEST)
    assert (parsed.errors, parsed.values[dest]) == ((), value)


@pytest.mark.parametrize(
    ("line", "problems"),
    [
        ("m --prot 80", [("unknown", 1, "vLLM 0.33.0 has no option --prot", "--port")]),
        ("m --seed 1 --seed x --prot 80", [
            ("value", 4, "--seed has 'x', which is not a whole number", ""),
            ("unknown", 5, "vLLM 0.33.0 has no option --prot", "--port")]),
        ("m --runner x", [
            ("value", 2, "--runner has 'x', but takes one of auto, draft, generate, pooling", "")]),
        ("m --grpc yes", [("extra", 2, "'yes' belongs to no option: --grpc takes no value", "")]),
        ("m --seed", [("missing", 1, "--seed needs a value", "")]),
        ("m --enforce-eager=1", [("unexpected", 1, "--enforce-eager takes no value, but has '1'", "")]),
        ("m --device cuda", [
            ("ambiguous", 1, "--device is ambiguous in vLLM 0.33.0: it could be --device-ids, "
             "--device-memory-utilization", "")]),
        ("m --kv-transfer-config.kv_connector X", [
            ("value", 1, "--kv-transfer-config has 'kv_connector' without \"kv_role\"", "")]),
        ("m --eplb-config.window_sze 5", [
            ("value", 1, "--eplb-config has the unknown key 'window_sze', did you mean 'window_size'?", "")]),
        ("m --config", [("missing", 1, "--config needs a file", "")]),
        ("m --config x.json", [("config", 2, "--config takes a .yaml or .yml file, not 'x.json'", "")]),
        ("--served-model-name m", [
            ("missing", 0, "--served-model-name needs the model as the first argument of `vllm serve`", "")]),
        ("m --max-num-seqs 1 --seed -1.5", [
            ("missing", 4, "-1.5 needs a value: a dot in an option names a key of its JSON", "")]),
    ],
)  # fmt: skip
def test_refuses(line: str, problems: list[tuple[str, int, str, str]]) -> None:
    errors = parse(line.split(), NEWEST).errors
    assert [(e.kind, e.index, e.message, e.suggestion) for e in errors] == problems


HOSTILE = [
    ["--" + "a" * 1_000_000],
    ["m", "--port", "9" * 1_000_000],
    ["m", "--port=" + "\u0661" * 5000],
    ["m", "--hf-overrides", "[" * 200_000],
    ["m", "--hf-overrides." + "a." * 5000 + "b", "1"],
    ["m", "--compilation-config", '{"a":' * 50_000],
    ["m", "--hf-overrides.a", "9" * 5000],
    ["m", "--eplb-config", '{"window_size": 1e400, "step_interval": NaN}'],
    ["m", "--eplb-config", '{"window_size": ' + "9" * 5000 + "}"],
    ["m", "--lora-modules", "{" * 1000, "=", ",", "[]"],
    ["\ud800\x00\x7f", "--\ud800", "-\x01=\x02", "\u202e--port"],
    ["m", "--config", "x.yaml", "--config", "y.yaml"],
    ["m", "-", "--", "--", "-1", "--port"],
    ["m", "-.", "=", "-=", "--=", "--.=", "--.", "-.+", "--a.+=", "--a.b+"],
    ["m", "--eplb-config", '1k"' + '\\"' * 200_000],
    ["--model"],
    ["--model="],
    [],
    ["m", "--max-model-len", "\u0661k"],
    ["m", "--max-model-len", "9" * 400 + ".5k"],
]


@pytest.mark.parametrize(
    "argv", HOSTILE, ids=lambda argv: "-".join(argv)[:30].encode("unicode_escape").decode()
)
@pytest.mark.parametrize("version", ["0.6.4", "0.10.2", "0.33.0"])
def test_hostile_input_is_an_error_value_at_most(argv: list[str], version: str) -> None:
    for serve in (True, False):
        parsed = parse(argv, catalog.load(version), lambda _: "a: [", serve=serve)
        for remark in (*parsed.errors, *parsed.notices):
            assert len(remark.message) < 1000
            assert not argv or 0 <= remark.index < len(argv)


@pytest.mark.parametrize(
    "text",
    [
        "a: [",
        "- a",
        "1",
        "",
        "1: 2",
        "? [a]\n: b",
        "a: 2024-01-01\nb: {c: 2024-01-01}",
        "a: !!python/x 1",
        "a: &a [*a]",
        "&a {a: *a}",
        "\x00",
        "a: " + "[" * 1500,
        "port: " + "9" * 5000,
    ],
)
def test_hostile_configuration_files(text: str) -> None:
    for version in ("0.6.4", "0.33.0"):
        parsed = parse(["m", "--config", "x.yaml"], catalog.load(version), lambda _: text)
        assert all(len(remark.message) < 1000 for remark in parsed.errors)
