"""Ctrl-C stops everything at once and spoils nothing."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import time
from pathlib import Path

import pytest

SLOW_ENGINE = """\
#!/bin/sh
[ "$1" = version ] && printf 'Client Version: v1.37.1\\nKustomize Version: v5.8.1\\n' && exit
echo $$ >> {log}
sleep 60 &
echo $! >> {log}
wait
"""


RUN = """\
import os, signal, sys
# A shell that starts this in the background has told it to ignore Ctrl-C.
signal.signal(signal.SIGINT, signal.default_int_handler)
def interrupt(event, arguments):
    if event == "import" and arguments[0] == os.environ.get("INTERRUPT_AT"):
        signal.raise_signal(signal.SIGINT)
sys.addaudithook(interrupt)
from vllm_kustomize.__main__ import main
main()
"""
"""Runs the command, and presses Ctrl-C at the import of the module that INTERRUPT_AT names."""


def _start(directory: Path, *options: str) -> subprocess.Popen[str]:
    return subprocess.Popen(
        [sys.executable, "-c", RUN, "validate", *options],
        cwd=directory,
        env={**os.environ, "PYTHONPATH": str(Path(__file__).parents[2] / "tools")},
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
    )


def _is_alive(process: int) -> bool:
    try:
        state = Path(f"/proc/{process}/stat").read_text().rpartition(")")[2].split()[0]
    except FileNotFoundError:
        return False
    return state != "Z"


@pytest.mark.skipif(not Path("/proc/self/stat").exists(), reason="needs /proc to look for processes")
@pytest.mark.parametrize("ending", [signal.SIGINT, signal.SIGTERM, signal.SIGHUP, signal.SIGQUIT])
def test_a_signal_ends_every_process(tmp_path: Path, ending: signal.Signals) -> None:
    log, engine = tmp_path / "log", tmp_path / "kubectl"
    engine.write_text(SLOW_ENGINE.format(log=log))
    engine.chmod(0o755)
    for name in ("a", "b", "c"):
        (tmp_path / name).mkdir()
        (tmp_path / name / "kustomization.yaml").write_text("resources: []\n")
    process = _start(tmp_path, "--engine", str(engine), "--jobs", "2")
    for _ in range(600):  # until both builds wait
        if log.exists() and len(log.read_text().splitlines()) >= 4:
            break
        time.sleep(0.05)
    started = [int(line) for line in log.read_text().splitlines()]
    said = "interrupted" if ending == signal.SIGINT else ""  # who ends it otherwise reads nothing
    process.send_signal(ending)
    output, errors = process.communicate()
    ended = time.monotonic()
    assert (process.returncode, output, errors.strip()) == (128 + ending, "", said)
    while any(map(_is_alive, started)):  # a process that is never ended ends by itself, in a minute
        assert time.monotonic() - ended < 30
        time.sleep(0.05)
    assert list(Path(os.environ["VLLM_KUSTOMIZE_CACHE"]).glob("*.tmp")) == []


@pytest.mark.parametrize(
    "module",
    [
        "click",
        "vllm_kustomize.cli",
        "vllm_kustomize.cli.validate",
        "vllm_kustomize.pipeline",
        "vllm_kustomize.kustomize.engine",
        "vllm_kustomize.kustomize.replay.graph",
        "decimal",  # which jsonschema_rs imports while it is loaded itself
    ],
)
def test_ctrl_c_while_loading_shows_no_traceback(
    tmp_path: Path, module: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    (tmp_path / "kustomization.yaml").write_text("resources: []\n")
    monkeypatch.setenv("INTERRUPT_AT", module)
    process = _start(tmp_path, ".")
    output, errors = process.communicate()
    assert (process.returncode, output) == (130, "")
    assert errors.strip() in ("", "interrupted")
