"""What the tests share: the command run in-process, and expected files that `--update-golden` rewrites."""

from __future__ import annotations

import difflib
import io
import sys
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from pathlib import Path
from textwrap import dedent

import pytest
from hypothesis import HealthCheck, settings

from vllm_kustomize import cli

REPO = Path(__file__).resolve().parent.parent
POD = """\
apiVersion: v1
kind: Pod
metadata:
  name: p
spec:
  hostPID: true
  containers:
    - name: c
      image: x:1
"""
"""A pod in which the rule host-namespaces reports a finding; it runs no vLLM."""

# The same examples in every run, and no verdict of the clock: on a busy machine Hypothesis would call the
# making of an example too slow, or an example too long, and fail one test in a run of thousands.
settings.register_profile(
    "repeatable", derandomize=True, deadline=None, suppress_health_check=[HealthCheck.too_slow]
)
settings.load_profile("repeatable")


@dataclass(frozen=True)
class Result:
    """What a run of the command came to."""

    code: int
    output: str
    errors: str


RunCli = Callable[..., Result]
Golden = Callable[[Path, str], None]


def pytest_addoption(parser: pytest.Parser) -> None:
    parser.addoption("--update-golden", action="store_true", help="rewrite the expected files")


@pytest.fixture(autouse=True)
def _own_cache(monkeypatch: pytest.MonkeyPatch, tmp_path_factory: pytest.TempPathFactory) -> None:
    """No test sees what another one, or the user, left in the cache."""
    monkeypatch.setenv("VLLM_KUSTOMIZE_CACHE", str(tmp_path_factory.mktemp("cache")))
    monkeypatch.delenv("GITHUB_ACTIONS", raising=False)  # reports there say where commands may not be read


@pytest.fixture
def run_cli(monkeypatch: pytest.MonkeyPatch) -> RunCli:
    """Run `vllm-kustomize ARGUMENT...` in a directory, the repo by default."""

    def run(*arguments: str, cwd: Path = REPO, stdin: bytes = b"") -> Result:
        output, errors = (io.TextIOWrapper(io.BytesIO(), encoding="utf-8") for _ in range(2))
        with monkeypatch.context() as patch:
            patch.chdir(cwd)
            patch.setattr(sys, "argv", ["vllm-kustomize", *arguments])
            patch.setattr(sys, "stdin", io.TextIOWrapper(io.BytesIO(stdin), encoding="utf-8"))
            patch.setattr(sys, "stdout", output)
            patch.setattr(sys, "stderr", errors)
            with pytest.raises(SystemExit) as stop:
                cli.main()
        texts = []
        for stream in (output, errors):
            stream.flush()
            stream.seek(0)
            texts.append(stream.read())
        return Result(int(stop.value.code or 0), *texts)

    return run


def write_files(folder: Path, files: Mapping[str, str]) -> None:
    """Write indented texts by their path below a folder."""
    for name, text in files.items():
        (folder / name).parent.mkdir(parents=True, exist_ok=True)
        (folder / name).write_text(dedent(text), encoding="utf-8")


@pytest.fixture
def golden(request: pytest.FixtureRequest) -> Golden:
    """Compare a text with the file that holds what is expected, or rewrite it; no file is an empty text."""

    def compare(file: Path, text: str) -> None:
        if request.config.getoption("--update-golden"):
            if text:
                file.write_text(text, encoding="utf-8")
            else:
                file.unlink(missing_ok=True)
            return
        expected = file.read_text(encoding="utf-8") if file.exists() else ""
        difference = difflib.unified_diff(
            expected.splitlines(), text.splitlines(), file.name, "now", lineterm=""
        )
        assert text == expected, "\n".join(difference) + "\n`make golden` accepts the new text"

    return compare
