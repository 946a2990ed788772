from __future__ import annotations

import json

import pytest

from conftest import RunCli

CHANGES = """\
vLLM 0.32.0 -> 0.33.0

Added (4)
  --monokernel
  --reasoning-effort-map JSON
  --sleep-mode-backend TEXT
  --watchdog-config JSON

Deprecated (2)
  --ir-op-priority: deprecated, to go in 0.34.0
  --mamba-cache-mode: deprecated, to go in 0.33.0

Changed default (2)
  --mamba-cache-mode: none -> unset
  --tool-strict-level: auto -> unset

Changed values (4)
  --gdn-prefill-backend: now also sycl
  --kv-cache-dtype: one of 19 words -> TEXT
  --moe-backend: now also aiter_triton_mxfp4_mxfp4
  --spec-method: no longer medusa, mlp_speculator; now also step5_mtp
"""


def test_lists_options_by_pattern(run_cli: RunCli) -> None:
    assert run_cli("flags", "data_parallel_r").output == (
        "vLLM 0.33.0: 2 options\n"
        "\n"
        "OPTION                          TAKES  DEFAULT\n"
        "--data-parallel-rank, -dpn      N\n"
        "--data-parallel-rpc-port, -dpp  N\n"
    )


def test_shows_one_option_whole(run_cli: RunCli) -> None:
    assert run_cli("flags", "ir-op-priority", "--vllm-version", "v0.33.0").output == (
        "--ir-op-priority JSON\n"
        "  .fused_add_rms_norm\n"
        "  .gelu_and_mul_sparse\n"
        "  .rms_norm\n"
        "  deprecated, to go in 0.34.0\n"
        "  in vLLM   0.20.0 to 0.33.0\n"
    )


def test_prints_json(run_cli: RunCli) -> None:
    assert json.loads(run_cli("flags", "ir-op-priority", "--format", "json").output) == {
        "version": "0.33.0",
        "options": [
            {
                "names": ["--ir-op-priority"],
                "takes": "JSON",
                "default": None,
                "choices": [],
                "deprecated": {"removal": "0.34.0", "use": ""},
            }
        ],
    }
    changes = json.loads(run_cli("flags", "--diff", "0.32.0", "0.33.0", "--format", "json").output)
    assert {key: len(value) for key, value in changes.items() if isinstance(value, list)} == {
        "removed": 0,
        "renamed": 0,
        "added": 4,
        "deprecated": 2,
        "defaults": 2,
        "values": 4,
    }


def test_says_what_changed(run_cli: RunCli) -> None:
    assert run_cli("flags", "--diff", "0.32.0", "0.33.0").output == CHANGES


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (["nope"], "no option of vLLM 0.33.0 matches 'nope'"),
        (["--vllm-version", "new"], "'new' is not a vLLM version; the catalog has 0."),
        (["--vllm-version", "0.33.9"], "the nearest is 0.33.0"),
        (["x", "--diff", "0.32.0", "0.33.0"], "--diff compares two releases whole"),
    ],
)
def test_says_what_it_cannot_do(run_cli: RunCli, arguments: list[str], message: str) -> None:
    result = run_cli("flags", *arguments)
    assert result.code == 2
    assert message in result.errors
