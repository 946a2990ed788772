"""Read the settings file: `[tool.vllm-kustomize]` in pyproject.toml, or .vllm-kustomize.yaml.

What it may hold is said once, in settings.schema.json, which editors read too.
"""

from __future__ import annotations

import json
import re
import sys
from collections.abc import Callable, Iterator, Sequence
from datetime import date
from pathlib import Path
from typing import Any

from vllm_kustomize.kustomize.discover import display_path, exists, is_there, resolved
from vllm_kustomize.model import Error, FieldPath, Severity
from vllm_kustomize.settings import Ignore, Settings, parse_kubernetes_version
from vllm_kustomize.wording import did_you_mean, join

SCHEMA = Path(__file__).parent / "settings.schema.json"
YAML_FILE = ".vllm-kustomize.yaml"
TOML_FILE = "pyproject.toml"
TABLE = "vllm-kustomize"

Find = Callable[[FieldPath], tuple[int, int]]
"""Names the line and column of a setting."""

_TYPES: dict[str, tuple[type, str]] = {
    "string": (str, "a text"),
    "array": (list, "a list"),
    "object": (dict, "a table"),
}


def load_settings(paths: Sequence[str] = (), config: Path | None = None) -> Settings:
    """Find and read the settings that hold for the first of some paths, or for the working directory.

    The closest file wins, upwards from there and no further than the repository's root; `config` names it
    instead. Returns the defaults where there is none; raises `Error` with file, line and column for what is
    wrong in it.
    """
    if config is not None:
        read = _read(config)
        if read is None:
            raise Error(f"{display_path(config)} has no table [tool.{TABLE}]")
        return _settings(config.absolute(), *read)
    start = resolved(paths[0] if paths and paths[0] != "-" else ".")
    for folder in _up_to_root(start):
        found = [(file, *read) for file in _candidates(folder) if (read := _read(file)) is not None]
        if len(found) > 1:
            names = join([display_path(file) for file, _, _ in found])
            raise Error(f"settings stand in {names}; keep one of them")
        if found:
            file, data, find = found[0]
            return _settings(file, data, find)
    return Settings()


def _up_to_root(start: Path) -> tuple[Path, ...]:
    """The folders from a path up to the root of its repository, which has `.git`.

    Outside of any repository they end at the working directory, or at the path itself where that is not
    below it: what lies further up belongs to somebody else.
    """
    folders = (start, *start.parents)
    roots = [index for index, folder in enumerate(folders) if exists(folder / ".git")]
    here = resolved(".")
    if not roots and here in folders:
        roots = [folders.index(here)]
    return folders[: (roots[0] if roots else 0) + 1]


def _candidates(folder: Path) -> Iterator[Path]:
    for name in (YAML_FILE, TOML_FILE):
        if is_there(folder / name, folder=False):
            yield folder / name


def _read(file: Path) -> tuple[Any, Find] | None:
    """The settings in a file and a way to find their lines; None where it holds none."""
    from vllm_kustomize.kustomize.yaml.reader import read_text

    try:
        text = read_text(file)
    except OSError as error:
        raise Error(f"cannot read {display_path(file)}: {error.strerror}") from None
    except UnicodeDecodeError as error:
        raise Error(f"cannot read {display_path(file)}: not UTF-8 (byte {error.start})") from None
    return _read_toml(file, text) if file.suffix == ".toml" else _read_yaml(file, text)


def _read_yaml(file: Path, text: str) -> tuple[Any, Find]:
    from vllm_kustomize.kustomize.yaml.nodes import read_documents

    documents = read_documents(text, display_path(file))
    if not documents or documents[0].data is None:
        return {}, lambda path: (1, 1)
    document = documents[0]
    if document.duplicates:
        duplicate = document.duplicates[0]
        at = duplicate.location
        raise Error(f"{at.file}:{at.line}:{at.column}: '{duplicate.path[-1]}' is set twice")

    def find(path: FieldPath) -> tuple[int, int]:
        location = document.locate(path, key=bool(path) and isinstance(path[-1], str))
        return location.line, location.column

    return document.data, find


def _read_toml(file: Path, text: str) -> tuple[Any, Find] | None:
    if TABLE not in text:
        return None
    if sys.version_info >= (3, 11):
        import tomllib
    else:
        import tomli as tomllib
    try:
        tool = tomllib.loads(text).get("tool")
    except RecursionError:
        raise Error(f"{display_path(file)}: nested too deeply") from None
    except (tomllib.TOMLDecodeError, ValueError) as error:
        raise Error(f"{display_path(file)}: {error}") from None
    if not isinstance(tool, dict) or TABLE not in tool:
        return None
    return tool[TABLE], lambda path: _line_in_toml(text.splitlines(), path)


def _line_in_toml(lines: list[str], path: FieldPath) -> tuple[int, int]:
    """The line where a setting stands, or where the closest table or list around it begins.

    The parser keeps no lines, so each key is looked for behind the one that holds it; an item of a list is
    the list's header for the n-th time, or its first key for the n-th time.
    """
    at = (0, 0)
    skipped = 0
    for key, after in zip(("tool", TABLE, *path), (TABLE, *path, None), strict=True):
        if isinstance(key, int):
            continue
        places = [place for place in _places(lines, key) if place >= at]
        headers = bool(places) and lines[places[0][0]].lstrip().startswith("[[")
        wanted = after if isinstance(after, int) and headers else skipped
        if len(places) <= wanted:
            break
        at = places[wanted]
        skipped = after if isinstance(after, int) and wanted != after else 0
    return at[0] + 1, at[1] + 1


def _places(lines: list[str], key: str) -> list[tuple[int, int]]:
    """Where a key stands before `=`, `.` or `]`, as row and column from 0."""
    pattern = re.compile(rf"(?<![\w-])[\"']?{re.escape(key)}[\"']?(?=\s*[.=\]])")
    return [
        (row, match.start())
        for row, line in enumerate(lines)
        for match in pattern.finditer(line.partition("#")[0])
    ]


def _settings(file: Path, data: Any, find: Find) -> Settings:
    problems = [
        f"{display_path(file)}:{line}:{column}: {message}"
        for path, message in _problems(data, json.loads(SCHEMA.read_bytes()), ())
        for line, column in (find(path),)
    ]
    if problems:
        raise Error("\n".join(problems))
    root = file.parent
    ignores = []
    for index, item in enumerate(data.get("ignore", ())):
        try:
            until = date.fromisoformat(item["until"]).isoformat() if "until" in item else ""
        except ValueError as error:
            line, column = find(("ignore", index, "until"))
            raise Error(f"{display_path(file)}:{line}:{column}: {error}") from None
        ignores.append(Ignore(item["rule"], item["reason"], tuple(item.get("overlays", ())), until))
    return Settings(
        kubernetes_versions=tuple(map(parse_kubernetes_version, data.get("kubernetes-versions", ()))),
        select=tuple(data.get("select", ())),
        fail_on=Severity[data.get("fail-on", "error").upper()],
        schema_locations=tuple(root / location for location in data.get("schema-locations", ())),
        paths=tuple(display_path(root / path) for path in data.get("paths", ())),
        severities=tuple((rule, Severity[name.upper()]) for rule, name in data.get("severities", {}).items()),
        ignores=tuple(ignores),
        only_context=data.get("context", ""),
        pod_security_by_path=tuple(data.get("pod-security", {}).items()),
        exclude=tuple(display_path(root / path) for path in data.get("exclude", ())),
        helm=tuple(display_path(root / path) for path in data.get("enable-helm", ())),
        unrestricted=tuple(display_path(root / path) for path in data.get("load-restrictor-none", ())),
        baseline=root / data["baseline"] if "baseline" in data else None,
        file=file,
    )


def _problems(value: Any, schema: dict[str, Any], path: FieldPath) -> Iterator[tuple[FieldPath, str]]:
    """What a value has that the schema does not allow; knows the keywords that settings.schema.json uses."""
    kind, name = _TYPES[schema["type"]]
    pattern = schema.get("pattern", "")
    if not isinstance(value, kind):
        hint = "; put it in quotes" if kind is str and isinstance(value, (int, float, date)) else ""
        yield path, f"{_shown(path)} must be {name}{hint}"
    elif "enum" in schema and value not in schema["enum"]:
        yield path, f"{_shown(path)} must be one of {', '.join(schema['enum'])}, not '{value}'"
    elif isinstance(value, str) and not re.search(pattern, value):
        yield path, f"{_shown(path)} cannot be '{value}': {schema.get('description', 'see the manual')}"
    elif isinstance(value, list):
        for index, item in enumerate(value):
            yield from _problems(item, schema["items"], (*path, index))
    elif isinstance(value, dict):
        yield from _problems_of_table(value, schema, path)


def _problems_of_table(
    table: dict[str, Any], schema: dict[str, Any], path: FieldPath
) -> Iterator[tuple[FieldPath, str]]:
    known = schema.get("properties", {})
    for missing in (key for key in schema.get("required", ()) if key not in table):
        yield path, f"{_shown(path)} needs a {missing}"
    for key, value in table.items():
        part = known.get(key, schema["additionalProperties"])
        if part is False:
            yield (*path, key), f"unknown setting '{key}'{did_you_mean(key, known)}"
        else:
            yield from _problems(value, part, (*path, key))


def _shown(path: FieldPath) -> str:
    """`ignore` and its items by number, from 1."""
    if not path:
        return "the settings file"
    last = path[-1]
    return f"item {last + 1} of {_shown(path[:-1])}" if isinstance(last, int) else f"'{last}'"
