from __future__ import annotations

import pytest

from conftest import RunCli


def test_lists_options_by_pattern(run_cli: RunCli) -> None:
    assert run_cli("flags", "data_parallel_r").stdout == (
        "vLLM 0.33.0: 2 options\n"
        "\n"
        "OPTION                          TAKES  DEFAULT\n"
        "--data-parallel-rank, -dpn      N\n"
        "--data-parallel-rpc-port, -dpp  N\n"
    )


def test_shows_one_option_whole(run_cli: RunCli) -> None:
    assert run_cli("flags", "ir-op-priority", "--vllm-version", "v0.33.0").stdout == (
        "--ir-op-priority JSON\n"
        "  .fused_add_rms_norm\n"
        "  .gelu_and_mul_sparse\n"
        "  .rms_norm\n"
        "  deprecated, to go in 0.34.0\n"
        "  in vLLM   0.16.0 to 0.33.0\n"
    )


def test_says_what_changed(run_cli: RunCli) -> None:
    assert run_cli("flags", "--diff", "0.32.0", "0.33.0").stdout == ""


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (["nope"], "no option of vLLM 0.33.0 matches 'nope'"),
        (["--vllm-version", "new"], "'new' is no vLLM version; the catalogue has 0."),
        (["--vllm-version", "0.33.9"], "the nearest is 0.33.0"),
        (["x", "--diff", "0.32.0", "0.33.0"], "--diff compares two releases whole"),
    ],
)
def test_says_what_it_cannot_do(run_cli: RunCli, arguments: list[str], message: str) -> None:
    result = run_cli("flags", *arguments)
    assert result.returncode == 2
    assert message in result.stderr
