"""How long the API-server checks take; run with `make benchmark`.

Prints milliseconds of CPU time an object for a Deployment of 30 variables, and seconds and memory for 5,000
objects in one file.
"""

from __future__ import annotations

import copy
import json
import resource
import subprocess
import sys
import tempfile
import time
from pathlib import Path

from conformance.verdicts import baselines
from vllm_kustomize import apiserver, schema
from vllm_kustomize.model import Resource

OBJECTS = 5000
ROUNDS = 1000


def deployment() -> dict:
    """A Deployment whose first container sets 30 variables."""
    manifest = copy.deepcopy(baselines()[0])
    variables = [{"name": f"VARIABLE_{number}", "value": str(number)} for number in range(30)]
    manifest["spec"]["template"]["spec"]["containers"][0]["env"] = variables
    return manifest


def milliseconds(check) -> float:
    """The CPU time of one call, once everything is imported and compiled."""
    check()
    started = time.process_time()
    for _ in range(ROUNDS):
        check()
    return (time.process_time() - started) / ROUNDS * 1000


def main() -> None:
    """Measure and print."""
    manifest = deployment()
    version = (1, 36)
    checked = Resource(manifest)
    api_server = milliseconds(lambda: list(apiserver.check(manifest, version)))
    types = milliseconds(lambda: list(schema.check(checked, version)))
    print(f"API-server checks: {api_server:.3f} ms an object")
    print(f"schema check:      {types:.3f} ms an object")
    with tempfile.TemporaryDirectory() as folder:
        for count in (OBJECTS // 10, OBJECTS):
            file = Path(folder) / f"{count}.yaml"
            file.write_text("\n---\n".join([json.dumps(baselines()[0])] * count))
            started = time.perf_counter()
            command = [sys.executable, "-m", "vllm_kustomize", "validate", "--select", "api-*", str(file)]
            subprocess.run(command, stdout=subprocess.DEVNULL, check=False)
            peak = resource.getrusage(resource.RUSAGE_CHILDREN).ru_maxrss // 1024
            print(f"{count} objects:      {time.perf_counter() - started:.2f} s, {peak} MiB at most")


if __name__ == "__main__":
    main()
