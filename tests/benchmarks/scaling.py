"""Measure how `validate` grows with what it reads, and print the exponent: 1 is linear, 2 is quadratic.

Each case is measured at a size, twice and four times that, in CPU seconds (user and system, without what an
empty file takes), because those hold on a busy machine. An exponent above `TARGET` fails.
"""

from __future__ import annotations

import argparse
import math
import os
import sys
import tempfile
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

VALIDATE = (str(Path(sys.executable).parent / "vllm-kustomize"), "validate", "--quiet", "--format", "json")
TARGET = 1.1


@dataclass(frozen=True)
class Case:
    """Objects of a size; in an `overlay` they are found in its sources."""

    name: str
    largest: int
    objects: Callable[[int], str]
    overlay: bool = False


def pod(size: int) -> str:
    """One pod of so many containers, each with something wrong."""
    containers = "".join(
        f"    - name: c{index}\n      image: vllm/vllm-openai:v0.33.0\n      args: [m, --prot={index}]\n"
        for index in range(size)
    )
    return f"apiVersion: v1\nkind: Pod\nmetadata:\n  name: p\nspec:\n  containers:\n{containers}"


def secret(size: int) -> str:
    """A Secret of so many keys, each with a value that should not be in a repository."""
    keys = "".join(f"  token-{index}: hf_{index:034}\n" for index in range(size))
    return f"apiVersion: v1\nkind: Secret\nmetadata:\n  name: s\nstringData:\n{keys}"


def objects(size: int, names: int = 0) -> str:
    """So many services and config maps; with `names` no more different ones than that."""
    of = names or size
    return "".join(
        f"apiVersion: v1\nkind: Service\nmetadata:\n  name: s{index % of}\n"
        f"spec:\n  selector: {{app: a{index % of}}}\n  ports: [{{port: 80, targetPort: http}}]\n"
        "---\n"
        f"apiVersion: v1\nkind: ConfigMap\nmetadata:\n  name: c{index % of}\ndata: {{a: b}}\n---\n"
        for index in range(size // 2)
    )


def lines(size: int) -> str:
    """A ConfigMap of so many lines, and a field behind them that does not exist."""
    text = "".join(f"    line {index}\n" for index in range(size))
    return f"apiVersion: v1\nkind: ConfigMap\nmetadata:\n  name: c\ndata:\n  text: |\n{text}nosuch: 1\n"


def flags(size: int) -> str:
    """A server of so many options that do not exist, on one line."""
    options = ", ".join(f"--no-such-{index}" for index in range(size))
    container = f"{{name: c, image: vllm/vllm-openai:v0.33.0, args: [m, {options}]}}"
    return f"apiVersion: v1\nkind: Pod\nmetadata: {{name: p}}\nspec: {{containers: [{container}]}}\n"


CASES = (
    Case("containers in one pod", 4_000, pod),
    Case("containers in one pod of an overlay", 4_000, pod, overlay=True),
    Case("keys in one Secret", 10_000, secret),
    Case("keys in one Secret of an overlay", 10_000, secret, overlay=True),
    Case("objects", 40_000, objects),
    Case("objects of an overlay", 40_000, objects, overlay=True),
    Case("documents that share 32 names", 12_642, lambda size: objects(size, 32)),
    Case("lines", 100_000, lines),
    Case("unknown options on one line", 4_000, flags),
)


def main() -> None:
    """Measure the cases, print the table, and fail where one grows too fast."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--share", type=float, default=1, help="of the sizes, such as 0.1")
    parser.add_argument("cases", nargs="*", help="parts of the names of cases; all by default")
    options = parser.parse_args()
    worst = 0.0
    print("| what grows | sizes | CPU s | exponent |\n|---|---|---|---:|")
    with tempfile.TemporaryDirectory() as temporary:
        os.environ["VLLM_KUSTOMIZE_CACHE"] = f"{temporary}/cache"
        for case in CASES:
            if not options.cases or any(part in case.name for part in options.cases):
                sizes = [int(case.largest * options.share) // part for part in (4, 2, 1)]
                empty, *seconds = (_measure(case, size, Path(temporary)) for size in (2, *sizes))
                first, _, last = (max(each - empty, 0.01) for each in seconds)
                exponent = math.log2(last / first) / 2
                worst = max(worst, exponent)
                cells = (
                    case.name,
                    " / ".join(f"{size:,}" for size in sizes),
                    " / ".join(f"{each:.2f}" for each in seconds),
                    f"{exponent:.2f}",
                )
                print(f"| {' | '.join(cells)} |")
                sys.stdout.flush()
    sys.exit(worst > TARGET)


def _measure(case: Case, size: int, directory: Path) -> float:
    folder = directory / f"{case.name.replace(' ', '-')}-{size}"
    folder.mkdir()
    (folder / "objects.yaml").write_text(case.objects(size), encoding="utf-8")
    command: tuple[str, ...] = (*VALIDATE, str(folder / "objects.yaml"))
    if case.overlay:  # with an engine that takes no time: kustomize itself grows faster with the objects
        (folder / "kustomization.yaml").write_text("resources: [objects.yaml]\n")
        engine = folder / "kustomize"
        engine.write_text(f'#!/bin/sh\n[ "$1" = version ] && echo v5.8.1 || exec cat {folder}/objects.yaml\n')
        engine.chmod(0o755)
        command = (*VALIDATE, "--engine", str(engine), str(folder))
    child = os.fork()
    if not child:
        os.dup2(os.open(os.devnull, os.O_WRONLY), 1)
        os.execvp(command[0], command)
    _, status, used = os.wait4(child, 0)
    if os.waitstatus_to_exitcode(status) not in (0, 1):
        raise SystemExit(f"{' '.join(command)} failed")
    return used.ru_utime + used.ru_stime


if __name__ == "__main__":
    main()
