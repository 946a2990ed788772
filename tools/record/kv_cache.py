"""Record how large a KV cache real vLLM servers report.

`make record-kv-cache FILE=tests/conformance/vllm-kv-cache-cpu.json VLLM_PYTHON=...` starts every server that
the file describes once more, with dummy weights, and writes to the file what each says while it starts. A
model is added as one more run: its name, its `config` and `max_model_len`.

Usage: python -m record.kv_cache FILE [PYTHON]    (an interpreter that has vLLM; by default this one)
"""

from __future__ import annotations

import json
import os
import re
import signal
import subprocess
import sys
import tempfile
from collections.abc import Iterator, Mapping
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import Any

REPORTS = {
    "weights_gib": re.compile(r"Model loading took ([\d.]+) GiB"),
    "available_kv_gib": re.compile(r"Available KV cache memory: ([\d.]+) GiB"),
    "kv_tokens": re.compile(r"KV cache size: ([\d,]+) tokens"),
    "max_concurrency": re.compile(r"Maximum concurrency for [\d,]+ tokens per request: ([\d.]+)x"),
}
"""What a server writes to its log (vllm/v1/core/kv_cache_utils.py, gpu_worker.py and the model runners)."""
ON_GPU = ("weights_gib", "available_kv_gib")
"""What means something only where the memory is a GPU's."""
_TO_END = 60
"""Seconds that a server may take to end its engine."""


def main(file: Path, python: str = sys.executable) -> None:
    """Run every server of a file and write the file anew; raises `SystemExit` where one does not start."""
    recorded = json.loads(file.read_text(encoding="utf-8"))
    for run in recorded["runs"]:
        print(f"{run['model']}, {run['max_model_len']} tokens", file=sys.stderr, flush=True)
        run.update(_reports(recorded, run, python))
    file.write_text(json.dumps(recorded, indent=1) + "\n", encoding="utf-8")


def _reports(recorded: Mapping[str, Any], run: Mapping[str, Any], python: str) -> dict[str, float]:
    wanted = {name: pattern for name, pattern in REPORTS.items() if "gpu" in recorded or name not in ON_GPU}
    found: dict[str, float] = {}
    log: list[str] = []
    with _server(recorded, run, python) as lines:
        for line in lines:
            log.append(line)
            for name, pattern in wanted.items():
                if match := pattern.search(line):
                    number = float(match[1].replace(",", ""))
                    found[name] = int(number) if name == "kv_tokens" else number
            if len(found) == len(wanted):
                return found
    raise SystemExit(f"the server ended without a report:\n{''.join(log[-20:])}")


@contextmanager
def _server(recorded: Mapping[str, Any], run: Mapping[str, Any], python: str) -> Iterator[Iterator[str]]:
    """The lines of a server's log; it and its processes are ended in the end."""
    with tempfile.TemporaryDirectory() as folder:
        Path(folder, "config.json").write_text(json.dumps(run["config"]), encoding="utf-8")
        serve = [python, "-m", "vllm.entrypoints.cli.main", "serve", folder, "--load-format=dummy"]
        serve += ["--skip-tokenizer-init", f"--max-model-len={run['max_model_len']}", "--port=0"]
        environment = dict(os.environ, HF_HUB_OFFLINE="1", VLLM_LOGGING_LEVEL="INFO")
        if "gpu" in recorded:
            share, ranks = recorded["gpu_memory_utilization"], recorded["tensor_parallel_size"]
            serve += [
                f"--gpu-memory-utilization={share}",
                f"--tensor-parallel-size={ranks}",
                "--enforce-eager",
            ]
        else:
            environment["VLLM_CPU_KVCACHE_SPACE"] = str(recorded["kv_cache_space_gib"])
        process = subprocess.Popen(
            serve,
            env=environment,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            text=True,
        )
        assert process.stdout is not None
        try:
            yield iter(process.stdout)
        finally:
            # Killed outright, it would leave its engine behind, which is in a session of its own.
            process.send_signal(signal.SIGTERM)
            with suppress(subprocess.TimeoutExpired):
                process.communicate(timeout=_TO_END)
            process.kill()
            process.wait()


if __name__ == "__main__":
    if len(sys.argv) not in (2, 3):
        raise SystemExit("say which file: make record-kv-cache FILE=tests/conformance/vllm-kv-cache-cpu.json")
    main(Path(sys.argv[1]), *sys.argv[2:])
