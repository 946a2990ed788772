"""Run the cases one after another and print the report; `__main__.py` starts this in its namespaces."""

from __future__ import annotations

import signal
import sys
import tempfile
import time
from pathlib import Path

from e2e import cases, report
from e2e.cases import REPO, Case
from e2e.image import Installation, find_vllm
from e2e.kubelet.network import bring_up_loopback, own_host_names
from e2e.kubelet.objects import NotPlayed
from e2e.play import Outcome, play
from vllm_kustomize.model import Error

INTERRUPTED = 130
"""Exit code after Ctrl-C or SIGTERM."""
LOGS = REPO / "build" / "e2e"


def main(names: list[str]) -> int:
    """Run the named cases, or all; return 0 where each came out as it should, 1 otherwise."""
    signal.signal(signal.SIGTERM, lambda *_: sys.exit(INTERRUPTED))
    vllm = find_vllm()
    chosen = cases.find(names)
    LOGS.mkdir(parents=True, exist_ok=True)
    begin = time.monotonic()
    results = []
    with tempfile.TemporaryDirectory(prefix="e2e-") as folder:
        bring_up_loopback()
        own_host_names(Path(folder, "hosts"))
        for case in chosen:
            print(f"{case.name} …", flush=True)
            outcome = _run(case, vllm, Path(folder))
            print(f"{case.name}: {report.verdict(case, outcome)}", flush=True)
            results.append((case, outcome))
    good = sum(report.passed(case, outcome) for case, outcome in results)
    print(f"\n{report.table(results)}\n({report.LEGEND})\n\n{report.details(results)}\n")
    seconds = time.monotonic() - begin
    print(
        f"{good} of {len(results)} as they should be, in {seconds:.0f} s; logs in {LOGS.relative_to(REPO)}/"
    )
    return 0 if good == len(results) else 1


def _run(case: Case, vllm: Installation, folder: Path) -> Outcome:
    """Run one case; claims are shared by all, as a volume outlives its pods."""
    directory = folder / case.name
    directory.mkdir()
    try:
        return play(case.overlay, vllm, directory, folder, LOGS / f"{case.name}.log")
    except NotPlayed as error:
        return Outcome(f"cannot be played: {error}")
    except Error as error:
        return Outcome(str(error))


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
