"""How long the API-server checks take; run with `make bench-checks`.

Prints CPU time: milliseconds for a Deployment of 30 variables, seconds and memory for 5,000 objects.
"""

from __future__ import annotations

import copy
import resource
import time
from collections import deque
from collections.abc import Callable
from itertools import cycle, islice
from typing import Any

from conformance.verdicts import baselines
from vllm_kustomize import apiserver
from vllm_kustomize.checks import schema
from vllm_kustomize.model import Resource

OBJECTS = 5000
ROUNDS = 1000


def deployment() -> dict[str, Any]:
    """A Deployment whose first container sets 30 variables."""
    manifest = copy.deepcopy(baselines()[0])
    variables = [{"name": f"VARIABLE_{number}", "value": str(number)} for number in range(30)]
    manifest["spec"]["template"]["spec"]["containers"][0]["env"] = variables
    return manifest


def milliseconds(check: Callable[[], object]) -> float:
    """The CPU time of one call, once everything is imported and compiled."""
    check()
    started = time.process_time()
    for _ in range(ROUNDS):
        check()
    return (time.process_time() - started) / ROUNDS * 1000


def everything(count: int) -> float:
    """The CPU time of both checks over so many objects of all kinds."""
    version = (1, 36)
    started = time.process_time()
    for manifest in islice(cycle(baselines()), count):
        deque(apiserver.check(manifest, version), maxlen=0)
        deque(schema.check(Resource(manifest), version) or (), maxlen=0)
    return time.process_time() - started


def main() -> None:
    """Measure and print."""
    manifest = deployment()
    version = (1, 36)
    checked = Resource(manifest)
    api_server = milliseconds(lambda: list(apiserver.check(manifest, version)))
    types = milliseconds(lambda: list(schema.check(checked, version) or ()))
    print(f"API-server checks: {api_server:.3f} ms an object")
    print(f"schema check:      {types:.3f} ms an object")
    everything(OBJECTS // 10)
    before = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
    seconds = everything(OBJECTS)
    grown = (resource.getrusage(resource.RUSAGE_SELF).ru_maxrss - before) / 1024
    print(f"{OBJECTS} objects:      {seconds:.2f} s for both checks, {grown:.1f} MiB more memory")


if __name__ == "__main__":
    main()
