"""Print how many mutants the tests kill, and those that survive.

A mutant is killed where one of the tests that run its line fails, or runs for too long. Each runs in a fork
of a process that has everything but the package itself loaded, so that one takes a second or two. It is
the processor's time that is limited: how busy the machine is makes no difference.
"""

from __future__ import annotations

import argparse
import ast
import importlib
import os
import random
import resource
import sys
import tempfile
from collections import deque
from collections.abc import Iterator, Sequence
from importlib.machinery import SourceFileLoader
from pathlib import Path

import pytest

from mutants.mutations import Mutant, mutants, mutated
from mutants.selection import Selection, measure, read

PACKAGE = Path("tools/vllm_kustomize")
FOLDERS = ("kustomize", "apiserver", "rules", "vllm")
LEAST_SCORE = 0.85
BUDGET = 20.0
"""Processor seconds of tests for a mutant; it is ended after three times as many."""


def main() -> None:
    """Measure, break, run, report; fails below the least score."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--sample", type=int, default=0, help="how many mutants to try; 0 for all")
    parser.add_argument("--seed", type=int, default=1, help="which of them")
    parser.add_argument("--jobs", type=int, default=os.cpu_count())
    parser.add_argument("--coverage", type=Path, help="a file that keeps which tests run which lines")
    parser.add_argument("paths", nargs="*", type=Path, default=[PACKAGE / folder for folder in FOLDERS])
    options = parser.parse_args()
    selection = _selection(options.coverage)
    found = [
        mutant
        for path in options.paths
        for file in ([path] if path.is_file() else sorted(path.rglob("*.py")))
        for mutant in mutants(file)
    ]
    chosen = found
    if 0 < options.sample < len(found):
        chosen = sorted(random.Random(options.seed).sample(found, options.sample), key=found.index)
    _load()
    survivors = []
    for mutant in _survivors(chosen, selection, options.jobs):
        survivors.append(mutant)
        print(mutant, flush=True)
    score = 1 - len(survivors) / len(chosen)
    print(f"{len(chosen)} of {len(found)} mutants: {score:.1%} killed, {len(survivors)} survive")
    sys.exit(score < LEAST_SCORE)


def _selection(file: Path | None) -> Selection:
    """What each test runs, from a file where there is one, else measured in a process of its own."""
    with tempfile.TemporaryDirectory() as folder:
        kept = file or Path(folder) / "coverage.json"
        if not kept.exists():
            child = os.fork()
            if not child:
                measure(kept, ["tests"])
                sys.stdout.flush()
                os._exit(0)
            os.waitpid(child, 0)
        return read(kept)


def _load() -> None:
    """Import what the tests need and no mutant changes, for the forks to have it."""
    for name in ("hypothesis", "jsonschema_rs", "yaml", "click.testing"):
        importlib.import_module(name)


def _survivors(chosen: Sequence[Mutant], selection: Selection, jobs: int) -> Iterator[Mutant]:
    """Run a few mutants at a time, and yield those that no test fails for."""
    running: dict[int, Mutant] = {}
    waiting = deque(chosen)
    while waiting or running:
        while waiting and len(running) < jobs:
            mutant = waiting.popleft()
            if tests := selection.tests(mutant.file, mutant.line, BUDGET):
                running[_start(mutant, tests)] = mutant
            else:
                yield mutant
        if running:
            child, status = os.wait()
            mutant = running.pop(child)
            if status == 0:
                yield mutant


def _start(mutant: Mutant, tests: list[str]) -> int:
    tree = mutated(mutant)
    child = os.fork()
    if not child:
        _run(mutant, tree, tests)
    return child


def _run(mutant: Mutant, tree: ast.Module, tests: list[str]) -> None:
    """Run the tests with the mutant in the module's stead; never returns."""
    code = 1
    try:
        os.setsid()
        seconds = int(3 * BUDGET)
        resource.setrlimit(resource.RLIMIT_CPU, (seconds, seconds))
        silent = os.open(os.devnull, os.O_RDWR)
        for stream in (0, 1, 2):
            os.dup2(silent, stream)
        _replace(mutant.file.resolve(), tree)
        code = int(pytest.main(["-x", "-q", "-p", "no:cacheprovider", "-p", "no:xdist", *tests]))
    finally:
        os._exit(code)


def _replace(file: Path, tree: ast.Module) -> None:
    load = SourceFileLoader.get_code

    def get_code(loader: SourceFileLoader, name: str) -> object:
        if Path(loader.path).resolve() == file:
            return compile(tree, loader.path, "exec")
        return load(loader, name)

    SourceFileLoader.get_code = get_code  # type: ignore[method-assign,assignment]


if __name__ == "__main__":
    main()
