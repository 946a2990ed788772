"""`python -m record apiserver|updates|pod-security`: see docs/maintenance.md."""

from __future__ import annotations

import argparse
import gzip
import json
import sys
from collections.abc import Iterable, Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any

from record import mutants, pod_security, verdicts
from record.client import Client
from record.control_plane import RecordError, open_cluster

CONFORMANCE = Path(__file__).resolve().parents[2] / "tests" / "conformance"
BASELINES = CONFORMANCE / "kube-apiserver-baselines.json"
FILES = {"apiserver": "kube-apiserver", "updates": "updates", "pod-security": "pod-security"}


def main() -> int:
    """Record what was asked for; returns the exit code."""
    parser = argparse.ArgumentParser(prog="record", description=__doc__)
    parser.add_argument("what", choices=FILES)
    parser.add_argument("--kubernetes", default="", metavar="X.Y", help="the release that the server must be")
    parser.add_argument("--fresh", action="store_true", help="generate the inputs anew")
    parser.add_argument("--inputs", type=Path, help="a file of verdicts whose inputs are asked about again")
    parser.add_argument("--output", type=Path, help="where to write; default: tests/conformance")
    wanted = parser.parse_args()
    try:
        with open_cluster(wanted.kubernetes) as client:
            release = ".".join(client.version().removeprefix("v").split(".")[:2])
            output = wanted.output or CONFORMANCE / f"{FILES[wanted.what]}-{release}.jsonl.gz"
            inputs = None if wanted.fresh else wanted.inputs or _newest(wanted.what)
            count = verdicts.write(output, _rows(wanted.what, client, inputs))
    except (RecordError, OSError) as error:
        print(f"record: {error}", file=sys.stderr)
        return 2
    print(f"{output}: {count} verdicts of Kubernetes {release}")
    return 0


def _rows(what: str, client: Client, inputs: Path | None) -> Iterator[verdicts.Row]:
    if what == "pod-security":
        asked: Iterable[Mapping[str, Any]] = _objects(inputs) if inputs else pod_security.objects()
        return pod_security.record(client, asked)
    baselines: Sequence[Mapping[str, Any]] = json.loads(BASELINES.read_bytes())
    made = mutants.read(inputs) if inputs else mutants.generate(baselines)
    record = verdicts.updates if what == "updates" else verdicts.creations
    return record(client, baselines, made)


def _newest(what: str) -> Path:
    """The recorded verdicts of the newest release, whose inputs the next one is asked about."""
    files = CONFORMANCE.glob(f"{FILES[what]}-[0-9]*.jsonl.gz")
    try:
        return max(files, key=lambda file: int(file.name.split(".")[1]))
    except ValueError:
        raise RecordError(f"no recorded verdicts in {CONFORMANCE}: record the first with --fresh") from None


def _objects(file: Path) -> Iterator[Mapping[str, Any]]:
    with gzip.open(file, "rt", encoding="utf-8") as lines:
        for line in lines:
            row = json.loads(line)
            yield {name: row[name] for name in ("level", "version", "kind", "object")}


if __name__ == "__main__":
    sys.exit(main())
