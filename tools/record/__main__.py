"""Record what an API server says: see docs/maintenance.md."""

from __future__ import annotations

import argparse
import gzip
import json
import sys
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from record import definitions, mutants, pod_security, samples, verdicts
from record.client import Client
from record.control_plane import RecordError, open_cluster
from record.schemas import SchemaOf, published

CONFORMANCE = Path(__file__).resolve().parents[2] / "tests" / "conformance"


@dataclass(frozen=True, slots=True)
class Recording:
    """A kind of verdicts: what its files are called, and the objects whose changes are asked about.

    `updates` are asked about with the baseline in place. `custom` ones need the definitions of their kinds.
    """

    files: str
    baselines: str = ""
    updates: bool = False
    custom: bool = False


RECORDINGS = {
    "apiserver": Recording("kube-apiserver", "kube-apiserver-baselines.json"),
    "updates": Recording("updates", "kube-apiserver-baselines.json", updates=True),
    "custom-resources": Recording("custom-resources", "custom-resources-baselines.json", custom=True),
    "custom-resources-updates": Recording(
        "custom-resources-updates", "custom-resources-baselines.json", updates=True, custom=True
    ),
    "pod-security": Recording("pod-security"),
}


def main() -> int:
    """Record what was asked for; returns the exit code."""
    parser = argparse.ArgumentParser(prog="record", description=__doc__)
    parser.add_argument("what", choices=RECORDINGS, nargs="+")
    parser.add_argument("--kubernetes", default="", metavar="X.Y", help="the release that the server must be")
    parser.add_argument("--definitions", type=Path, help="a folder of CRDs, which custom resources need")
    parser.add_argument("--fresh", action="store_true", help="generate the inputs anew")
    parser.add_argument("--seed", type=int, help="generate random inputs; a seed always gives the same")
    parser.add_argument("--count", type=int, default=6000, help="how many with --seed; default: 6,000")
    parser.add_argument("--inputs", type=Path, help="a file of verdicts whose inputs are asked about again")
    parser.add_argument("--output", type=Path, help="the folder to write to; default: tests/conformance")
    wanted = parser.parse_args()
    try:
        with open_cluster(wanted.kubernetes) as client:
            release = ".".join(client.version().removeprefix("v").split(".")[:2])
            for what in wanted.what:
                output = wanted.output or CONFORMANCE
                file = output / f"{RECORDINGS[what].files}-{release}.jsonl.gz"
                count = verdicts.write(file, _rows(RECORDINGS[what], client, wanted))
                print(f"{file}: {count} verdicts of Kubernetes {release}")
    except (RecordError, OSError) as error:
        print(f"record: {error}", file=sys.stderr)
        return 2
    return 0


def _rows(what: Recording, client: Client, wanted: argparse.Namespace) -> Iterator[verdicts.Row]:
    anew = wanted.fresh or wanted.seed is not None
    inputs = None if anew else wanted.inputs or _newest(what)
    if not what.baselines:
        asked: Iterable[Mapping[str, Any]] = _objects(inputs) if inputs else pod_security.objects()
        return pod_security.record(client, asked)
    baselines = json.loads((CONFORMANCE / what.baselines).read_bytes())
    schemas = _schemas(what, client, wanted.definitions)
    if inputs:
        made = mutants.read(inputs)
    elif wanted.seed is None:
        made = mutants.generate(baselines, schemas)
    else:
        made = samples.sample(baselines, schemas, wanted.seed, wanted.count)
    record = verdicts.updates if what.updates else verdicts.creations
    return record(client, baselines, made)


def _schemas(what: Recording, client: Client, folder: Path | None) -> SchemaOf:
    """The schemas of the baselines' kinds; those of custom resources are made known to the server."""
    if not what.custom:
        return published
    if folder is None:
        raise RecordError("name a folder with the definitions of the custom resources: --definitions FOLDER")
    found = definitions.install(client, folder)
    return lambda manifest: found[manifest["apiVersion"], manifest["kind"]]


def _newest(what: Recording) -> Path:
    """The recorded verdicts of the newest release, whose inputs the next one is asked about."""
    files = CONFORMANCE.glob(f"{what.files}-[0-9]*.jsonl.gz")
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
