"""`vllm-kustomize why`."""

from __future__ import annotations

import json
from collections.abc import Iterator
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from vllm_kustomize.cli.options import ENGINE, FORMAT, OK, as_json
from vllm_kustomize.cli.terminal import DIM, disarmed, paint
from vllm_kustomize.model import Location, Precision, format_path
from vllm_kustomize.wording import shorten

if TYPE_CHECKING:
    from vllm_kustomize.verbs.why import Answer, Line, Written


@click.command("why")
@click.argument("overlay")
@click.argument("object_", metavar="[OBJECT]", required=False, default="")
@click.argument("field", metavar="[PATH]", required=False, default="")
@ENGINE
@FORMAT
def command(overlay: str, object_: str, field: str, engine: str | None, format_: str) -> int:
    """Say which file, line and column wrote each value, and what that overrode.

    OBJECT is Kind/name, or a name that only one object has; without it, all objects are shown. PATH is one
    of its fields, as messages write it. `near` marks a place that only explains a value, `in` a file that
    the engine alone can follow.

    \b
    vllm-kustomize why overlays/nvidia
    vllm-kustomize why overlays/nvidia Deployment/vllm-server spec.replicas
    vllm-kustomize why overlays/nvidia vllm-server 'spec.template.spec.containers[0].args[2]'
    """
    from dataclasses import replace

    from vllm_kustomize import pipeline
    from vllm_kustomize.settings.file import load_settings
    from vllm_kustomize.verbs.why import explain

    settings = replace(load_settings([overlay]), engine=engine)
    rendered, tree = pipeline.build_with_sources(overlay, settings)
    answers = explain(rendered, Path(overlay), tree, object_, field)
    if format_ == "json":
        click.echo(as_json({"version": 1, "objects": [_as_json(answer) for answer in answers]}))
    else:
        click.echo(
            disarmed("\n".join("".join(f"{row}\n" for row in _rows(each)) for each in answers)), nl=False
        )
    return OK


def _rows(answer: Answer) -> Iterator[str]:
    """The rendered lines, each behind the place that wrote its value; below it what was overridden."""
    rows = [row for line in answer.lines for row in _of_line(line)]
    width = max(len(place) for place, _, _ in rows)
    indent = len(rows[0][1]) - len(rows[0][1].lstrip(" "))
    bar = paint("|", DIM)
    for place, text, code in rows:
        yield f"{paint(place.ljust(width), DIM)} {bar} {paint(text[indent:], code)}".rstrip()


def _of_line(line: Line) -> Iterator[tuple[str, str, str]]:
    """What stands left and right of the bar, and the colour of the latter."""
    from vllm_kustomize.reporters import visible

    if line.value is None:
        yield "", visible(line.text), ""
        return
    yield _place(line.value.written.location), visible(line.text), ""
    indent = " " * (len(line.text) - len(line.text.lstrip(" ")))
    for earlier in line.value.earlier:
        if earlier.value is None:
            yield f"  {_place(earlier.location)}", f"{indent}# {visible(earlier.location.note)}", DIM
        elif earlier.value != line.value.written.value:
            yield f"  over {_place(earlier.location)}", f"{indent}# was {_short(earlier.value)}", DIM


def _place(location: Location) -> str:
    from vllm_kustomize.reporters.text import place

    nearness = {Precision.EXACT: "", Precision.FILE: "in "}.get(location.precision, "near ")
    return f"{nearness}{place(location)}"


def _short(value: Any) -> str:
    return shorten(json.dumps(value, ensure_ascii=False), 80)


def _as_json(answer: Answer) -> dict[str, Any]:
    from vllm_kustomize.reporters.json import resource_as_json

    return {
        "resource": resource_as_json(answer.resource),
        "values": [
            {
                "path": format_path(value.path),
                **_written_as_json(value.written),
                "earlier": [_written_as_json(earlier) for earlier in value.earlier],
            }
            for value in answer.values
        ],
    }


def _written_as_json(written: Written) -> dict[str, Any]:
    from vllm_kustomize.reporters.json import location_as_json

    return {
        "value": written.value,
        "location": location_as_json(written.location),
        "note": written.location.note,
    }
