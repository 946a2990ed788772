"""Record what an API server says of mutants that are created, and of mutants that update their baseline."""

from __future__ import annotations

import gzip
import json
import re
from collections.abc import Iterable, Iterator, Mapping, Sequence
from itertools import groupby
from pathlib import Path
from typing import Any

from record.client import Answer, Client
from record.mutants import Mutant

MANAGER = "record"
_UID = re.compile(r"[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}")
_NO_UID = "00000000-0000-0000-0000-000000000000"

Row = dict[str, Any]


def creations(
    client: Client, baselines: Sequence[Mapping[str, Any]], mutants: Iterable[Mutant]
) -> Iterator[Row]:
    """Create each mutant for trial, with nothing there."""

    def ask(mutant: Mutant) -> Row:
        place = client.place(baselines[mutant.base])
        answer = client.create(mutant.manifest(baselines), place)
        return {**mutant.as_json(), **_verdict(answer), "warnings": sorted(answer.warnings)}

    return client.each(ask, mutants)


def updates(
    client: Client, baselines: Sequence[Mapping[str, Any]], mutants: Iterable[Mutant]
) -> Iterator[Row]:
    """Apply each mutant for trial over its baseline, if it could be created where there is none.

    Both are applied server-side by one manager. Null is left out: no manifest that was rendered holds it.
    """
    in_order = sorted(mutants, key=lambda mutant: mutant.base)
    for base, group in groupby(in_order, key=lambda mutant: mutant.base):
        fine = [mutant for mutant in group if not mutant.renames(baselines) and not mutant.sets_null]
        yield from _updates_of(
            client, baselines[base], [(mutant, mutant.manifest(baselines)) for mutant in fine]
        )


def _updates_of(
    client: Client, baseline: Mapping[str, Any], mutants: Sequence[tuple[Mutant, Mapping[str, Any]]]
) -> Iterator[Row]:
    place, name = client.place(baseline), baseline["metadata"]["name"]
    created = client.each(lambda pair: client.create(pair[1], place), mutants)
    asked = [pair for pair, answer in zip(mutants, created, strict=True) if answer.accepted]
    there = client.apply(baseline, f"{place}/{name}", MANAGER, dry_run=False)
    if not there.accepted:
        raise OSError(f"the baseline {name} cannot be created: {there.causes}")
    try:
        for mutant, answer in client.each(
            lambda pair: (pair[0], client.apply(pair[1], f"{place}/{name}", MANAGER)), asked
        ):
            yield {**mutant.as_json(), **_verdict(answer)}
    finally:
        client.delete(f"{place}/{name}")


def write(file: Path, rows: Iterable[Row]) -> int:
    """Write verdicts, one a line; the same rows always make the same bytes. Returns how many there are."""
    lines = [json.dumps(row, ensure_ascii=False, separators=(",", ":")) + "\n" for row in rows]
    with file.open("wb") as output, gzip.GzipFile("", "wb", fileobj=output, mtime=0) as compressed:
        compressed.write("".join(lines).encode("utf-8", "surrogatepass"))
    return len(lines)


def _verdict(answer: Answer) -> Row:
    """What the server said, in an order of its own and without the ids that it makes up."""
    causes = sorted([_UID.sub(_NO_UID, text) for text in cause] for cause in answer.causes)
    return {"accepted": answer.accepted, "code": answer.status, "causes": causes}
