"""Hostile numbers, commands, patterns, paths, engine output and cache files: an answer, and never a fault.

Each generator makes what the others of this folder have by chance at most.
"""

from __future__ import annotations

import json
import os
from pathlib import Path

from hypothesis import example, given
from hypothesis import strategies as st

from conftest import Result, RunCli
from fuzz.hostile import ODD_TEXTS
from fuzz.test_hostile_input import cases, check, validate
from vllm_kustomize.vllm.cli import catalog

SHARE = 1.0 if "VLLM_KUSTOMIZE_FUZZ" in os.environ else 0.03
"""Of the cases: in the default suite each of these generators makes a handful."""
OPTIONS = sorted(name for name in catalog.newest().options if name.startswith("--"))
NUMBERS = (
    "0", "-0", "-1", "1", "2", "²", "٣", "\uff11", "1_0", "1e3", "1e999", "-1e999", "0x10", "nan",
    "inf", "", "9" * 400, "-" + "9" * 400, "9" * 5000, "0." + "0" * 400 + "1", "1k", "1K", "1Gi", "0.5",
    "-5Gi", "1e400Gi",
)  # fmt: skip
PIECES = (
    "vllm serve m", "vllm", "serve", "exec ", "A=x", "A=$A$A", "$A", "${A:-b}", "${A", "$(", ")", "`",
    "'", '"', "\\", "\n", ";", "&&", "||", "|", "&", "<<EOF", ">", "#", "if ", "then ", "fi", "for ",
    "done", '"$@"', "$*", "--port=1", "\t", " " * 50, "é", "\u2028", "env A=b ", "python3 -m ",
    "vllm.entrypoints.openai.api_server", "sh -c ",
)  # fmt: skip
PATTERNS = (
    "a", "(a+)+", "(a|a)*", ".*", "[a-z]+", "(", ")", "[", "]", "{", "}", "{2}", "{1001}", "{,3}", "*",
    "+?", "^", "$", "\\b", "\\Z", "\\p{Greek}", "\\x{110000}", "\\Q", "(?i)", "(?P<n>", "(?=", "|", "é",
    "\\", "-", "&&",
)  # fmt: skip
PATHS = (
    "..", ".", "/", "/etc/passwd", "a", "a\0b", "x" * 5000, "loop", "pipe", "zero", "folder", "é", "\n",
    "~", "//", "object.yaml", "C:\\x", "https://example.com/x", "git@example.com:a/b", "$(A)", "*", "-",
)  # fmt: skip
FIELDS = (
    "resources",
    "components",
    "patches",
    "configurations",
    "crds",
    "replacements",
    "transformers",
    "generators",
)
RENDERED = (
    "", "---\n", "null\n", "[]\n", "a\n", "kind: List\nitems: [1, null, {}]\n", "&a [*a]\n", "\x00",
    "\xff", "apiVersion: v1\nkind: ConfigMap\nmetadata: {name: a}\n", "{", "- " * 300,
    "!!python/object:os.system {}\n", "Client Version: vX\n", "Error: accumulating resources: ",
    "error: trouble\n", "%YAML 9\n", "\r", "\x1b[31m",
)  # fmt: skip

texts = st.lists(st.sampled_from(ODD_TEXTS + PIECES), max_size=6).map("".join)


def _no_fault(result: Result) -> None:
    """What holds for every run, and no check was left because of an error of its own."""
    said = result.errors or ("[not-checked]" in result.output and result.output)
    check(Result(result.code, result.output, said or ""))
    assert "[internal-error]" not in result.output, result.output


def _pod(**container: object) -> str:
    spec = {"containers": [{"name": "c", "image": "vllm/vllm-openai:v0.33.0", **container}]}
    return json.dumps({"apiVersion": "v1", "kind": "Pod", "metadata": {"name": "p"}, "spec": spec})


@cases(SHARE)
@given(st.lists(st.tuples(st.sampled_from(OPTIONS), st.sampled_from(NUMBERS)), min_size=1, max_size=5),
       st.sampled_from(NUMBERS), st.sampled_from(NUMBERS))  # fmt: skip
def test_numbers(
    run_cli: RunCli, tmp_path: Path, options: list[tuple[str, str]], limit: str, grace: str
) -> None:
    resources = {"limits": {"nvidia.com/gpu": limit, "memory": limit, "cpu": grace}}
    probe = {"httpGet": {"path": "/health", "port": 8000}, "periodSeconds": grace, "failureThreshold": limit}
    pod = _pod(
        args=["meta-llama/Llama-3.3-70B-Instruct", *(f"{name}={value}" for name, value in options)],
        resources=resources,
        startupProbe=probe,
        env=[{"name": "VLLM_ENGINE_ITERATION_TIMEOUT_S", "value": limit}],
    )
    _no_fault(validate(run_cli, tmp_path, "-", "--concise", stdin=pod))


@cases(SHARE)
@given(st.lists(st.sampled_from(PIECES), min_size=1, max_size=30).map("".join), st.booleans(), texts)
def test_commands(run_cli: RunCli, tmp_path: Path, script: str, in_shell: bool, value: str) -> None:
    command = ["sh", "-c", script] if in_shell else script.split()
    pod = _pod(command=command, args=["$(A)"], env=[{"name": "A", "value": value}])
    _no_fault(validate(run_cli, tmp_path, "-", "--concise", stdin=pod))


@cases(SHARE)
@example("(", "")  # was once a fault of the whole overlay
@given(st.lists(st.sampled_from(PATTERNS), min_size=1, max_size=8).map("".join), texts)
def test_patterns(run_cli: RunCli, tmp_path: Path, pattern: str, selector: str) -> None:
    target = {"kind": pattern, "name": pattern, "labelSelector": selector}
    kustomization = {
        "resources": ["object.yaml"],
        "patches": [{"target": target, "patch": "[{op: add, path: /data, value: {a: b}}]"}],
        "images": [{"name": pattern, "newTag": "1"}],
        "replacements": [
            {"sourceValue": "x", "targets": [{"select": target, "fieldPaths": [pattern, "data.a"]}]}
        ],
    }
    _no_fault(_overlay(run_cli, tmp_path, kustomization, _pod(args=["a" * 50])))


@cases(SHARE)
@given(st.sampled_from(FIELDS), st.lists(st.sampled_from(PATHS), min_size=1, max_size=3))
def test_paths(run_cli: RunCli, tmp_path: Path, field: str, paths: list[str]) -> None:
    path = "/".join(paths)
    entry: object = {"path": path} if field in ("patches", "replacements") else path
    if not (tmp_path / "repo").exists():
        repo = tmp_path / "repo"
        (repo / "folder").mkdir(parents=True)
        (repo / "loop").symlink_to("loop")
        (repo / "zero").symlink_to("/dev/zero")
        os.mkfifo(repo / "pipe")
    _no_fault(_overlay(run_cli, tmp_path, {"resources": ["object.yaml"], field: [entry]}, _pod()))


@cases(SHARE)
@given(st.lists(st.sampled_from(RENDERED), max_size=4).map("".join), st.sampled_from(RENDERED),
       st.integers(0, 3))  # fmt: skip
def test_engines(run_cli: RunCli, tmp_path: Path, output: str, errors: str, code: int) -> None:
    (tmp_path / "output").write_text(output, encoding="latin-1")
    (tmp_path / "errors").write_text(errors, encoding="latin-1")
    (tmp_path / "kustomization.yaml").write_text("resources: []\n")
    says = f"cat {tmp_path}/output; cat {tmp_path}/errors >&2; exit {code}"
    _no_fault(validate(run_cli, tmp_path, "--engine", str(_engine(tmp_path, says)), "--concise"))


@cases(SHARE)
@given(texts, st.integers(0, 1 << 16), st.binary(max_size=40))
def test_caches(run_cli: RunCli, tmp_path: Path, text: str, where: int, noise: bytes) -> None:
    arguments = (run_cli, tmp_path, {"resources": ["object.yaml"]}, _pod(args=["m"]))
    expected = _overlay(*arguments)
    for file in Path(os.environ["VLLM_KUSTOMIZE_CACHE"]).glob("**/*.json"):
        content = file.read_bytes()
        at = where % (len(content) + 1)
        file.write_bytes(content[:at] + noise + text.encode("utf-8", "surrogatepass") + content[at + 9 :])
    assert _overlay(*arguments) == expected


def _overlay(run_cli: RunCli, directory: Path, kustomization: object, rendered: str) -> Result:
    repo = directory / "repo"
    repo.mkdir(exist_ok=True)
    (repo / "object.yaml").write_text(rendered)
    (repo / "kustomization.yaml").write_text(json.dumps(kustomization))
    engine = _engine(directory, f"exec cat {repo}/object.yaml")
    return validate(run_cli, repo, "--engine", str(engine), "--concise", "--quiet")


def _engine(directory: Path, says: str) -> Path:
    engine = directory / "kustomize"
    engine.write_text(f'#!/bin/sh\n[ "$1" = version ] && echo v5.8.1 && exit\n{says}\n')
    engine.chmod(0o755)
    return engine
