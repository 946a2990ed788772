"""List the environment variables and the metrics of each vLLM release, as data for the rules.

A release warns about every variable with the prefix VLLM_ that is no key of `environment_variables` in its
vllm/envs.py (validate_environ), and with --fail-on-environ-validation refuses to start. Metrics are the
string constants of the package that look like `vllm:name`. Sources are parsed, never imported.

Usage: python names.py DATA vllm-0.32.0 vllm-0.33.0 ...
    DATA is the folder to write environment.json and metrics.json to (tools/vllm_kustomize/vllm/data); each
    further argument is an unpacked source distribution, named vllm-VERSION.
"""

from __future__ import annotations

import ast
import json
import re
import sys
from collections.abc import Callable
from pathlib import Path

METRIC = re.compile(r"vllm:[a-z][a-z0-9_]*[a-z0-9]")


def variables(source: Path) -> set[str]:
    """The VLLM_* names that one release knows."""
    for node in ast.walk(_parse(source / "vllm" / "envs.py")):
        if isinstance(node, ast.AnnAssign | ast.Assign):
            target = node.target if isinstance(node, ast.AnnAssign) else node.targets[0]
            if isinstance(target, ast.Name) and target.id == "environment_variables":
                assert isinstance(node.value, ast.Dict)
                names = [key.value for key in node.value.keys if isinstance(key, ast.Constant)]
                return {name for name in names if isinstance(name, str) and name.startswith("VLLM_")}
    raise SystemExit(f"{source}: no environment_variables in vllm/envs.py")


def metrics(source: Path) -> set[str]:
    """The vllm:* metric names of one release, without the suffixes that Prometheus adds."""
    return {
        node.value.removesuffix("_total")
        for file in (source / "vllm").rglob("*.py")
        if "vllm:" in file.read_text(encoding="utf-8")
        for node in ast.walk(_parse(file))
        if isinstance(node, ast.Constant) and isinstance(node.value, str) and METRIC.fullmatch(node.value)
    }


def table(sources: dict[str, Path], names_of: Callable[[Path], set[str]], origin: str) -> str:
    """JSON: for each name the ranges of releases that have it, as indexes into the list of releases."""
    known = [names_of(source) for source in sources.values()]
    lines = ",\n".join(
        f"  {json.dumps(name)}: {json.dumps(_ranges([name in names for names in known]))}"
        for name in sorted(set().union(*known))
    )
    return (
        f'{{"source": {json.dumps(origin)},\n"releases": {json.dumps(list(sources))},\n'
        f'"names": {{\n{lines}\n}}}}\n'
    )


def main(data: Path, arguments: list[str]) -> None:
    """Write both tables."""
    sources = {Path(argument).name.removeprefix("vllm-"): Path(argument) for argument in arguments}
    ordered = {version: sources[version] for version in sorted(sources, key=_version_key)}
    origin = "keys of environment_variables in vllm/envs.py of each release"
    (data / "environment.json").write_text(table(ordered, variables, origin), encoding="utf-8")
    origin = "string constants vllm:* in the Python sources of each release"
    (data / "metrics.json").write_text(table(ordered, metrics, origin), encoding="utf-8")


def _parse(file: Path) -> ast.Module:
    return ast.parse(file.read_text(encoding="utf-8"))


def _version_key(version: str) -> list[int]:
    return [int(part) for part in re.findall(r"\d+", version)]


def _ranges(present: list[bool]) -> list[list[int]]:
    """The runs of true values, as first and last index."""
    found: list[list[int]] = []
    for index, here in enumerate(present):
        if here and found and found[-1][1] == index - 1:
            found[-1][1] = index
        elif here:
            found.append([index, index])
    return found


if __name__ == "__main__":
    main(Path(sys.argv[1]), sys.argv[2:])
