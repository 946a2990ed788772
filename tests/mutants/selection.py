"""Which tests run which lines, measured once with coverage.py."""

from __future__ import annotations

import ast
import json
from collections.abc import Iterator
from dataclasses import dataclass
from functools import lru_cache
from pathlib import Path
from time import process_time

import coverage
import pytest


@dataclass(frozen=True, slots=True)
class Selection:
    """The tests that run each line of each file, and the processor seconds that each takes."""

    lines: dict[str, dict[int, list[str]]]
    seconds: dict[str, float]

    def tests(self, file: Path, line: int, budget: float) -> list[str]:
        """The tests for a mutant, the fastest first, as many as take `budget` seconds together.

        A line outside of every function is a table's, and runs once, in the test that imports the module
        first: the tests that run the module's functions are its tests.
        """
        lines = self.lines.get(str(file), {})
        if line in _lines_of_functions(file):
            found = set(lines.get(line, ()))
        else:
            found = {test for tests in lines.values() for test in tests}
        chosen: list[str] = []
        for test in sorted(found, key=lambda test: (self.seconds.get(test, 0.0), test)):
            budget -= self.seconds.get(test, 0.0)
            if budget < 0 and chosen:
                break
            chosen.append(test)
        return chosen


@lru_cache(maxsize=1)
def _lines_of_functions(file: Path) -> frozenset[int]:
    """The lines that run when a function is called, not when the module is imported."""
    functions = (node for node in ast.walk(ast.parse(file.read_bytes())) if isinstance(node, ast.FunctionDef))
    return frozenset(
        line
        for function in functions
        for statement in function.body
        for line in range(statement.lineno, (statement.end_lineno or statement.lineno) + 1)
    )


class _Measure:
    """A pytest plugin that tells coverage.py which test runs, and keeps how long each takes."""

    def __init__(self, measured: coverage.Coverage) -> None:
        self.measured = measured
        self.seconds: dict[str, float] = {}
        self.failed: set[str] = set()

    @pytest.hookimpl(wrapper=True)
    def pytest_runtest_protocol(self, item: pytest.Item) -> Iterator[None]:
        self.measured.switch_context(item.nodeid)
        started = process_time()
        try:
            return (yield)
        finally:
            self.seconds[item.nodeid] = round(process_time() - started, 3)
            self.measured.switch_context("")

    def pytest_runtest_logreport(self, report: pytest.TestReport) -> None:
        if report.failed:
            self.failed.add(report.nodeid)


def measure(file: Path, arguments: list[str]) -> None:
    """Run the tests under coverage.py and write what each of them runs to a file.

    A test that fails as it is would kill every mutant, and is left out.
    """
    measured = coverage.Coverage(data_file=None, source_pkgs=["vllm_kustomize"])
    plugin = _Measure(measured)
    measured.start()
    pytest.main(
        ["-q", "--no-header", "-p", "no:cacheprovider", "-p", "no:xdist", *arguments], plugins=[plugin]
    )
    measured.stop()
    data = measured.get_data()
    lines = {
        str(Path(name).relative_to(Path.cwd())): {
            line: tests
            for line, contexts in data.contexts_by_lineno(name).items()
            if (tests := sorted({*contexts} - {"", *plugin.failed}))
        }
        for name in data.measured_files()
    }
    file.write_text(json.dumps({"lines": lines, "seconds": plugin.seconds}), encoding="utf-8")


def read(file: Path) -> Selection:
    """What `measure` wrote."""
    found = json.loads(file.read_bytes())
    lines = {name: {int(line): tests for line, tests in of.items()} for name, of in found["lines"].items()}
    return Selection(lines, found["seconds"])
