"""What docs/security.md promises of code and network, on any repository."""

from __future__ import annotations

import ast
import re
import socket
from pathlib import Path

import pytest

from conftest import POD, REPO, RunCli

PACKAGE = REPO / "tools/vllm_kustomize"
NETWORK = {"socket", "ssl", "http", "urllib.request", "ftplib", "requests", "httpx", "asyncio"}
CODE = {"pickle", "marshal", "shelve", "ctypes", "runpy", "code"}
FORBIDDEN = {"eval", "exec", "compile", "__import__", "os.system", "os.popen", "yaml.load"}
STARTS_PROCESSES = {"subprocess", "multiprocessing", "pty"}


def imported(file: Path) -> set[str]:
    names: set[str] = set()
    for node in ast.walk(ast.parse(file.read_text(encoding="utf-8"))):
        if isinstance(node, ast.Import):
            names.update(alias.name for alias in node.names)
        elif isinstance(node, ast.ImportFrom) and node.module and not node.level:
            names |= {node.module, *(f"{node.module}.{alias.name}" for alias in node.names)}
    return names


def called(file: Path) -> set[str]:
    tree = ast.parse(file.read_text(encoding="utf-8"))
    return {ast.unparse(node.func) for node in ast.walk(tree) if isinstance(node, ast.Call)}


def test_one_module_starts_processes_and_none_runs_code_or_opens_connections() -> None:
    files = {file.relative_to(PACKAGE).as_posix(): file for file in PACKAGE.rglob("*.py")}
    uses = {name: imported(file) for name, file in files.items()}
    assert {name for name, modules in uses.items() if modules & STARTS_PROCESSES} == {"kustomize/engine.py"}
    assert [name for name, modules in uses.items() if modules & (NETWORK | CODE)] == []
    assert [name for name, file in files.items() if called(file) & FORBIDDEN] == []


def test_no_program_of_a_repository_runs(run_cli: RunCli, tmp_path: Path) -> None:
    program = tmp_path / "program.sh"
    program.write_text(f"#!/bin/sh\ntouch {tmp_path}/obeyed\n")
    program.chmod(0o755)
    function = (
        "metadata: {name: f, annotations: {config.kubernetes.io/function: 'exec: {path: ./program.sh}'}}"
    )
    (tmp_path / "function.yaml").write_text(f"apiVersion: v1\nkind: ConfigMap\n{function}\n")
    (tmp_path / "pod.yaml").write_text(POD)
    for field in ("generators", "transformers", "validators"):
        (tmp_path / "kustomization.yaml").write_text(f"resources: [pod.yaml]\n{field}: [function.yaml]\n")
        result = run_cli("validate", ".", cwd=tmp_path)
        assert "it runs a plugin, which the engine does only when told to" in result.output
    assert not (tmp_path / "obeyed").exists()


def test_nothing_is_fetched(run_cli: RunCli, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def connect(*_: object) -> None:
        raise AssertionError("a connection")

    monkeypatch.setattr(socket.socket, "connect", connect)
    monkeypatch.setattr(socket, "getaddrinfo", connect)
    remote = "      env: [{name: A, value: 'https://example.com/a'}]\n"
    (tmp_path / "pod.yaml").write_text(POD + remote)
    assert run_cli("validate", "pod.yaml", "--select=*", cwd=tmp_path).code in (0, 1)


def test_offline_takes_the_network_from_the_engine(run_cli: RunCli, tmp_path: Path) -> None:
    engine = tmp_path / "kustomize"
    engine.write_text(
        '#!/bin/sh\n[ "$1" = version ] && exec echo v5.8.1\n'
        'echo "$HTTPS_PROXY $GIT_ALLOW_PROTOCOL" >&2\nexit 1\n'
    )
    engine.chmod(0o755)
    (tmp_path / "kustomization.yaml").write_text("resources: []\n")
    result = run_cli("validate", ".", "--engine", str(engine), "--offline", "--concise", cwd=tmp_path)
    assert re.search(r"build-failed\] http://offline\.invalid file$", result.output, re.MULTILINE)
