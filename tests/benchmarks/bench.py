"""Measure `validate` against the engine alone, on repos of 3 to 1,000 overlays, and write docs/benchmarks.*.

Every scenario of one size runs on the same files, one after the other; the best of its runs counts. CPU
seconds (user and system, with all child processes) are steadier than wall time where a machine is busy.
"""

from __future__ import annotations

import argparse
import math
import os
import shutil
import sys
import tempfile
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path

from benchmarks.generate import generate

BIN = Path(sys.executable).parent
VALIDATE = (str(BIN / "vllm-kustomize"), "validate", "--quiet")
ENGINE = BIN / "kubectl"
ROOT = Path(__file__).resolve().parents[2]


@dataclass(frozen=True)
class Cost:
    """What one run took: wall and CPU seconds, and MiB of its largest process."""

    wall: float
    cpu: float
    memory: float


@dataclass(frozen=True)
class Scenario:
    """A command to time, in a repo that `prepare` has changed before each run."""

    name: str
    command: tuple[str, ...]
    prepare: Callable[[], object] = lambda: None


def main() -> None:
    """Measure, print the table, and write it with its plot into docs/."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--sizes", type=int, nargs="+", default=[3, 10, 100, 1000], metavar="OVERLAYS")
    parser.add_argument("--runs", type=int, default=3, help="runs of a scenario; one from 1,000 overlays on")
    parser.add_argument("--output", type=Path, default=ROOT / "docs", metavar="DIRECTORY")
    options = parser.parse_args()
    results: dict[int, dict[str, Cost]] = {}
    with tempfile.TemporaryDirectory() as temporary:
        for size in options.sizes:
            repo = Path(temporary) / f"repo-{size}"
            overlays = generate(repo, size)
            runs = options.runs if size < 1000 else 1
            results[size] = {}
            for scenario in _scenarios(repo, overlays, Path(temporary) / f"cache-{size}"):
                results[size][scenario.name] = cost = _best(scenario, repo, runs)
                print(f"{size:5} overlays, {scenario.name:34} {cost.wall:8.2f} s", file=sys.stderr)
                _write(results, options.output)  # a run of half an hour may be interrupted
    print("\n".join(_table(results)))


def _write(results: dict[int, dict[str, Cost]], directory: Path) -> None:
    directory.mkdir(exist_ok=True)
    (directory / "benchmarks.md").write_text(_page("\n".join(_table(results))), encoding="utf-8")
    (directory / "benchmarks.svg").write_text("\n".join(_plot(results)) + "\n", encoding="utf-8")


def _scenarios(repo: Path, overlays: list[Path], cache: Path) -> Iterator[Scenario]:
    jobs = os.cpu_count() or 1
    validate = (*VALIDATE, "--jobs", str(jobs))
    each = 'printf "%s\\0" overlays/* | xargs -0 -n 1 -P'
    os.environ["VLLM_KUSTOMIZE_CACHE"] = str(cache)

    def touch(file: Path) -> None:
        file.write_text(file.read_text(encoding="utf-8") + "# changed\n", encoding="utf-8")

    base = (
        (overlays[0] / "kustomization.yaml").read_text(encoding="utf-8").split("../../bases/")[1].split()[0]
    )
    yield Scenario("validate, cold", validate, lambda: shutil.rmtree(cache, ignore_errors=True))
    yield Scenario("validate, unchanged", validate)
    yield Scenario("validate, one leaf changed", validate, lambda: touch(overlays[-1] / "team.properties"))
    shared = repo / "bases" / base / "kustomization.yaml"
    yield Scenario("validate, a shared base changed", validate, lambda: touch(shared))
    yield Scenario("engine alone", ("sh", "-c", f"{each} {jobs} {ENGINE} kustomize"))
    if shutil.which("kubeconform"):
        pipe = f"'{ENGINE} kustomize \"$0\" | kubeconform -strict -ignore-missing-schemas'"
        yield Scenario("engine | kubeconform, serial", ("sh", "-c", f"{each} 1 sh -c {pipe}"))
        yield Scenario("engine | kubeconform, parallel", ("sh", "-c", f"{each} {jobs} sh -c {pipe}"))


def _best(scenario: Scenario, directory: Path, runs: int) -> Cost:
    costs = []
    for _ in range(runs):
        scenario.prepare()
        costs.append(_run(scenario.command, directory))
    return min(costs, key=lambda cost: cost.wall)


def _run(command: tuple[str, ...], directory: Path) -> Cost:
    """Run a command in a process of its own, so that its use of resources is known exactly."""
    started = time.perf_counter()
    child = os.fork()
    if not child:
        os.chdir(directory)
        null = os.open(os.devnull, os.O_WRONLY)
        os.dup2(null, 1)
        os.execvp(command[0], command)
    _, status, used = os.wait4(child, 0)
    wall = time.perf_counter() - started
    if os.waitstatus_to_exitcode(status) not in (0, 1):  # 1: findings, of which the repos have some
        raise SystemExit(f"{' '.join(command)} failed")
    return Cost(wall, used.ru_utime + used.ru_stime, used.ru_maxrss / 1024)


def _table(results: dict[int, dict[str, Cost]]) -> Iterator[str]:
    yield "| overlays | scenario | wall s | CPU s | wall / engine | CPU / engine | largest process MiB |"
    yield "|---:|---|---:|---:|---:|---:|---:|"
    for size, costs in results.items():
        engine = costs.get("engine alone")
        for name, cost in costs.items():
            ratios = (cost.wall / engine.wall, cost.cpu / engine.cpu) if engine else ()
            cells = [
                *(f"{size:,}", name, f"{cost.wall:.2f}", f"{cost.cpu:.2f}"),
                *([f"{ratio:.3g}" for ratio in ratios] or ["", ""]),
                f"{cost.memory:.0f}",
            ]
            yield f"| {' | '.join(cells)} |"


def _page(table: str) -> str:
    return f"""\
# Benchmarks

`make bench` measures `validate` on generated repos (`tests/benchmarks/generate.py`: 5 to 40 objects an
overlay, shared bases, components, some findings), with {os.cpu_count()} builds at a time on
{os.cpu_count()} cores, and writes this page. "Engine alone" is `kubectl kustomize` through `xargs -P`. CPU
seconds, and ratios of them, hold on a busy machine too; wall time does not. The largest process is often the
engine itself.

{table}

![Time against the number of overlays](benchmarks.svg)
"""


COLOURS = ("#666666", "#9467bd", "#1f77b4", "#2ca02c", "#ff7f0e", "#d62728", "#8c564b", "#e377c2")
LEFT, TOP, WIDTH, HEIGHT = 60, 20, 420, 320


def _plot(results: dict[int, dict[str, Cost]]) -> Iterator[str]:
    """A log-log plot of wall time against overlays, as SVG."""
    sizes = [size for size, costs in results.items() if costs]
    seconds = [cost.wall for costs in results.values() for cost in costs.values()]
    low, high = math.floor(math.log10(min(seconds))), math.floor(math.log10(max(seconds))) + 1
    span = math.log10(sizes[-1] / sizes[0]) or 1

    def x(size: int) -> float:
        return LEFT + WIDTH * math.log10(size / sizes[0]) / span

    def y(value: float) -> float:
        return TOP + HEIGHT * (high - math.log10(value)) / (high - low)

    yield '<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 740 400" font-family="sans-serif">'
    yield "<style>text { font-size: 12px }</style>"
    yield '<rect width="740" height="400" fill="white"/>'
    for power in range(low, high + 1):
        at = y(10**power)
        yield f'<line x1="{LEFT}" x2="{LEFT + WIDTH}" y1="{at:.1f}" y2="{at:.1f}" stroke="#dddddd"/>'
        yield f'<text x="{LEFT - 8}" y="{at + 4:.1f}" text-anchor="end">{10.0**power:g} s</text>'
    for size in sizes:
        yield f'<line x1="{x(size):.1f}" x2="{x(size):.1f}" y1="{TOP}" y2="{TOP + HEIGHT}" stroke="#dddddd"/>'
        yield f'<text x="{x(size):.1f}" y="{TOP + HEIGHT + 18}" text-anchor="middle">{size:,}</text>'
    yield f'<text x="{LEFT + WIDTH / 2}" y="{TOP + HEIGHT + 40}" text-anchor="middle">overlays</text>'
    for row, (name, colour) in enumerate(zip(results[sizes[0]], COLOURS, strict=False)):
        measured = [(size, results[size][name].wall) for size in sizes if name in results[size]]
        points = " ".join(f"{x(size):.1f},{y(wall):.1f}" for size, wall in measured)
        yield f'<polyline points="{points}" fill="none" stroke="{colour}" stroke-width="2"/>'
        at = TOP + 14 + 20 * row
        yield f'<line x1="500" x2="520" y1="{at - 4}" y2="{at - 4}" stroke="{colour}" stroke-width="2"/>'
        yield f'<text x="526" y="{at}">{name}</text>'
    yield "</svg>"


if __name__ == "__main__":
    main()
