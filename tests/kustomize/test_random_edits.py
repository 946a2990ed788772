"""Whatever is edited, a location exists, and an exact one holds the value that was rendered."""

from __future__ import annotations

import base64
import random
import re
import shutil
from collections.abc import Iterator
from itertools import takewhile
from pathlib import Path
from typing import Any

import pytest
import yaml

from vllm_kustomize.kustomize.discover import overlay_at
from vllm_kustomize.kustomize.engine import Engine, find_engine
from vllm_kustomize.kustomize.load import load_rendered
from vllm_kustomize.kustomize.provenance import Locator
from vllm_kustomize.kustomize.replay.tree import SourceTree
from vllm_kustomize.model import FieldPath, Location, Precision

REPO = Path(__file__).resolve().parents[2]
ROUNDS = 50
EDITS = 10

_FIELD = re.compile(
    r"(?P<before>\s*(?:- )*(?:[\w./-]+: )?)(?P<value>[^\s#|>&*{[].*?)(?P<after>\s*(?: #.*)?)$"
)
_KEPT = ("apiVersion", "kind", "path:", "patch:", "- ../", "name:", "include", "Behavior", "fieldPath")
_VALUES = (
    *("7", "-1", "true", "yes", "0x1F", "1.50", "2026-11-23", "~", '""', "plain words", "'it''s'", "ünïcödé"),
    *(
        '"tab\\tand \\"quotes\\""',
        "{a: 1, b: [x, y]}",
        "[1, two]",
        "!!str 5",
        "a:b#c",
        "|-\n{}  two\n{}  lines",
    ),
)


@pytest.mark.parametrize("seed", range(2))
def test_locations_hold_after_random_edits(
    seed: int, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    choose = random.Random(seed)
    overlays = [path.parent.relative_to(REPO) for path in sorted(REPO.glob("overlays/*/kustomization.yaml"))]
    monkeypatch.chdir(tmp_path)
    checked = 0
    for name in ("base", "overlays", "components"):
        shutil.copytree(REPO / name, tmp_path / name)
    files = {path: path.read_text(encoding="utf-8") for path in sorted(tmp_path.rglob("*.yaml"))}
    with Engine(find_engine(None)) as engine:
        for _ in range(ROUNDS // 2):
            edited = [choose.choice(list(files)) for _ in range(EDITS)]
            for path in edited:
                edit(choose, path)
            overlay = overlay_at(tmp_path / choose.choice(overlays))
            rendered = engine.build(overlay)
            if not rendered.error:
                checked += check(overlay.directory, rendered.output)
            for path in edited:
                path.write_text(files[path], encoding="utf-8")
    assert checked > 500


def edit(choose: random.Random, path: Path) -> None:
    """Give one field of a file another value, or take its line away, or write it twice."""
    lines = path.read_text(encoding="utf-8").splitlines()
    places = [
        (index, match)
        for index, line in enumerate(lines)
        if (match := _FIELD.match(line)) and not any(word in line for word in _KEPT)
    ]
    if not places:
        return
    index, match = choose.choice(places)
    kind = choose.random()
    if kind < 0.8:
        indent = " " * (len(match["before"]) - len(match["before"].lstrip()))
        lines[index] = match["before"] + choose.choice(_VALUES).replace("{}", indent, 2)
    elif kind < 0.9:
        del lines[index]
    elif match["before"].lstrip().startswith("- "):
        lines.insert(index, lines[index])
    path.write_text("\n".join(lines) + "\n", encoding="utf-8")


def check(overlay: Path, output: bytes) -> int:
    """Locate every field of every object, and return how many scalars were located exactly."""
    locator = Locator(SourceTree().graph(overlay))
    exact = 0
    for resource in load_rendered(output, "rendered"):
        for path, value in fields(resource.manifest):
            located = locator.locate(resource, path)
            for place in (located.primary, *located.related):
                text = text_at(place)
            if located.primary.precision is Precision.EXACT and not isinstance(value, dict | list):
                text = text_at(located.primary)
                assert holds(text, value), (str(resource), path, value, located.primary, text)
                exact += 1
        missing = locator.locate(resource, ("spec", "nobody", "sets", 0, "this"))
        assert missing.primary.precision < Precision.EXACT
        text_at(missing.primary)
    return exact


def fields(value: Any, path: FieldPath = ()) -> Iterator[tuple[FieldPath, Any]]:
    yield path, value
    children = (
        value.items() if isinstance(value, dict) else enumerate(value) if isinstance(value, list) else ()
    )
    for step, child in children:
        yield from fields(child, (*path, step))


def text_at(place: Location) -> str:
    """What stands at a place, to the end of its file; fails where there is no such place."""
    lines = Path(place.file).read_text(encoding="utf-8").splitlines(keepends=True)
    assert 1 <= place.line <= max(len(lines), 1), place
    assert 1 <= place.column <= len(lines[place.line - 1].rstrip("\n")) or place.line == 1, place
    return "".join((lines[place.line - 1][place.column - 1 :], *lines[place.line :]))


def holds(text: str, value: Any) -> bool:
    """Tell whether the YAML that begins at a place spells a rendered value or a part of it."""
    spelled = scalar(text)
    if value is None:
        return spelled in ("", "~", "null") or spelled.endswith(":")
    if isinstance(value, bool):
        return spelled.lower() == str(value).lower()
    if isinstance(value, int | float):
        return bool(yaml.safe_load(spelled) == value)
    return spelled == value or (spelled != "" and holds_part(spelled, value))


def holds_part(spelled: str, value: str) -> bool:
    """A name with a prefix, an image with a tag, an entry of a generator, a date, or an alias."""
    entry = spelled.partition("=")[2]
    encoded = base64.b64encode(entry.encode()).decode()
    return spelled in value or spelled.startswith("*") or value in (entry, entry.strip("'\""), encoded)


def scalar(text: str) -> str:
    """Read the scalar at the beginning of a text."""
    first, *body = text.removeprefix("!!str ").split("\n")
    if first.startswith(("|", ">")):
        indent = len(body[0]) - len(body[0].lstrip())
        inside = list(takewhile(lambda line: not line.strip() or line.startswith(" " * indent), body))
        content = "\n".join(line[indent:] for line in inside).rstrip("\n")
        return content if first.startswith("|-") else content + "\n"
    if first.startswith(("'", '"')):
        return next(str(token.value) for token in yaml.scan(text) if isinstance(token, yaml.ScalarToken))
    return re.split(r"\s+#|: |:$|,\s|[]}]", first)[0].strip()
