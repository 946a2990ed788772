"""What `vllm-kustomize flags` prints: the options of a vLLM release, and what changed between two."""

from __future__ import annotations

import json
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import asdict, dataclass
from fnmatch import fnmatchcase
from typing import Any

from vllm_kustomize.model import Error
from vllm_kustomize.vllm.cli import catalog
from vllm_kustomize.vllm.cli.catalog import Option, Release
from vllm_kustomize.wording import join

_WIDEST_NAME = 48
_LONGEST_CHOICES = 60


def release(version: str = "") -> Release:
    """A release of the catalog, by default the newest; raises `Error` for one that is not in it."""
    known = catalog.releases()
    if not version:
        return catalog.load(known[-1])
    try:
        found, exact = catalog.nearest(version)
    except ValueError as error:
        raise Error(f"{error}; the catalog has {_span(known)}") from None
    if not exact:
        nearest = f"the nearest is {found.version}"
        raise Error(f"the catalog has no vLLM {version}, only {_span(known)}; {nearest}")
    return found


def listing(of: Release, pattern: str = "") -> str:
    """The options whose names match, as a table; an option that matches alone is shown with all it takes.

    `pattern` is a part of a name, with underscores or dashes, or has `*` in it; raises `Error` for no match.
    """
    options = _matching(of, pattern)
    if len(options) == 1:
        return "\n".join(_details(options[0], of))
    rows = [(", ".join(option.names), takes(option), _default(option), _note(option)) for option in options]
    title = f"vLLM {of.version}: {len(options)} options"
    return "\n".join([title, "", *_table(("OPTION", "TAKES", "DEFAULT", ""), rows)])


def difference(old: Release, new: Release) -> str:
    """What became of the options from one release to another, in sections; those without content are left
    out.
    """
    changes = compare(old, new)
    sections = [
        ("Removed", [_removed(option, old, new) for option in changes.removed]),
        ("Renamed", [f"{before.name} is now {after.name}" for before, after in changes.renamed]),
        ("Added", [f"{option.name} {takes(option)}".rstrip() for option in changes.added]),
        ("Deprecated", [f"{option.name}: {_note(option)}" for option in changes.deprecated]),
        (
            "Changed default",
            [
                f"{after.name}: {_default(before) or 'unset'} -> {_default(after) or 'unset'}"
                for before, after in changes.defaults
            ],
        ),
        ("Changed values", [_values_changed(before, after) for before, after in changes.values]),
    ]
    lines = [f"vLLM {old.version} -> {new.version}"]
    for title, entries in sections:
        if entries:
            lines += ["", f"{title} ({len(entries)})", *(f"  {entry}" for entry in entries)]
    return "\n".join(lines if len(lines) > 1 else [*lines, "", "no option changed"])


def listing_as_json(of: Release, pattern: str = "") -> dict[str, Any]:
    """What `listing` shows, for programs: names, what the option takes, its default, choices, deprecation."""
    return {"version": of.version, "options": [_as_json(option) for option in _matching(of, pattern)]}


def difference_as_json(old: Release, new: Release) -> dict[str, Any]:
    """What `difference` shows, for programs; where an option is other than before it stands as [before,
    after].
    """
    changes = compare(old, new)
    return {
        "from": old.version,
        "to": new.version,
        "removed": [_as_json(option) for option in changes.removed],
        "renamed": [list(map(_as_json, pair)) for pair in changes.renamed],
        "added": [_as_json(option) for option in changes.added],
        "deprecated": [_as_json(option) for option in changes.deprecated],
        "defaults": [list(map(_as_json, pair)) for pair in changes.defaults],
        "values": [list(map(_as_json, pair)) for pair in changes.values],
    }


@dataclass(frozen=True, slots=True)
class Changes:
    """The options that differ between two releases; pairs are (before, after)."""

    removed: tuple[Option, ...]
    renamed: tuple[tuple[Option, Option], ...]
    added: tuple[Option, ...]
    deprecated: tuple[Option, ...]
    defaults: tuple[tuple[Option, Option], ...]
    values: tuple[tuple[Option, Option], ...]


def compare(old: Release, new: Release) -> Changes:
    """Compare two releases option by option.

    An option is renamed where its value goes to the same place under another name, or where vLLM's own
    deprecation named its successor.
    """
    gone = [option for option in old.distinct() if option.name not in new.options]
    came = [option for option in new.distinct() if option.name not in old.options]
    renamed = [(before, after) for before in gone for after in came if _succeeds(before, after)]
    both = [(option, new.options[option.name]) for option in old.distinct() if option.name in new.options]
    return Changes(
        removed=tuple(option for option in gone if option not in [before for before, _ in renamed]),
        renamed=tuple(renamed),
        added=tuple(option for option in came if option not in [after for _, after in renamed]),
        deprecated=tuple(after for before, after in both if after.deprecated and not before.deprecated),
        defaults=tuple((before, after) for before, after in both if before.default != after.default),
        values=tuple((before, after) for before, after in both if _takes_others(before, after)),
    )


def successor(option: Option, old: Release, new: Release) -> Option | None:
    """The option of a newer release that took the place of one that is gone there; None where none did.

    It is the one whose value goes to the same place, or the one that vLLM's deprecation named last.
    """
    if option.name in new.options:
        return None
    same = next((after for after in new.distinct() if after.dest == option.dest), None)
    last = [version for version in catalog.having(option.name) if _between(old, version, new)]
    deprecated = catalog.load(last[-1]).options[option.name].deprecated if last else None
    return same or (new.options.get(deprecated.use) if deprecated else None)


def takes(option: Option) -> str:
    """What may follow an option, in one word or a list of choices."""
    if not option.takes_value:
        return ""
    if words := _choices(option):
        choices = ",".join(words)
        return f"{{{choices}}}" if len(choices) <= _LONGEST_CHOICES else f"one of {len(words)} words"
    kind = option.type.removeprefix("optional:").removeprefix("checked:").removeprefix("level:")
    name = {
        "str": "TEXT",
        "int": "N",
        "float": "NUMBER",
        "json": "JSON",
        "json-or-str": "JSON or TEXT",
        "size": "SIZE",
        "size-or-auto": "SIZE or auto",
        "key-values": "KEY=N,...",
        "bool": "TEXT",
        "lower": "TEXT",
        "device-ids": "ID,...",
    }.get(kind, "JSON" if ":" in kind else "TEXT")
    if option.action == "lora-modules":
        name = "NAME=PATH or JSON"
    return f"{name} ..." if option.nargs in ("+", "*") else f"[{name}]" if option.nargs == "?" else name


def _as_json(option: Option) -> dict[str, Any]:
    described = {
        "names": [*option.names, *option.hidden],
        "takes": takes(option),
        "default": option.default,
        "choices": _choices(option),
    }
    return described | ({"deprecated": asdict(option.deprecated)} if option.deprecated else {})


def _matching(of: Release, pattern: str) -> list[Option]:
    named = of.options.get(_dashed(pattern)) or of.options.get(f"--{_dashed(pattern)}")
    options = [named] if named else [option for option in of.distinct() if _matches(option, pattern)]
    if not options:
        raise Error(f"no option of vLLM {of.version} matches '{pattern}'")
    return options


def _matches(option: Option, pattern: str) -> bool:
    wanted, names = _dashed(pattern), (*option.names, *option.hidden)
    if "*" in wanted:
        return any(fnmatchcase(name, wanted) or fnmatchcase(name.lstrip("-"), wanted) for name in names)
    return any(wanted in name for name in names)


def _dashed(pattern: str) -> str:
    return pattern.lower().replace("_", "-")


def _details(option: Option, of: Release) -> Iterator[str]:
    yield f"{', '.join(option.names)} {takes(option)}".rstrip()
    if option.hidden:
        yield f"  also      {', '.join(option.hidden)}"
    if option.default is not None:
        yield f"  default   {_default(option)}"
    if words := _choices(option):
        yield f"  one of    {', '.join(words)}"
    if option.known:
        yield f"  such as   {', '.join(option.known)}"
    for key, kind in of.classes.get(_class_of(option), {}).get("fields", {}).items():
        yield f"  .{key} {_kind(kind)}".rstrip()
    if option.deprecated:
        yield f"  {_note(option)}"
    having = catalog.having(option.name)
    yield f"  in vLLM   {having[0]} to {having[-1]}"


def _choices(option: Option) -> list[str]:
    """The values that an option takes; vLLM adds None to them where it may be unset."""
    return [str(choice) for choice in option.choices or () if choice not in (None, "None")]


def _class_of(option: Option) -> str:
    return option.keys or (option.type.rpartition(":")[2] if ":" in option.type else "")


def _kind(kind: Any) -> str:
    """A field of a JSON value in the words of the table."""
    shape = kind if isinstance(kind, dict) else {"type": kind}
    if shape["type"] == "union":
        return join(list(dict.fromkeys(_kind(each) for each in shape["of"] if each != "none")), "or")
    if shape["type"] == "literal":
        return f"{{{','.join(map(str, shape['of']))}}}"
    if shape["type"] == "raw":
        return f"{{{','.join(shape['words'])}}}" if "words" in shape else ""
    return _KINDS.get(shape["type"], "{...}")


_KINDS = {
    "int": "N",
    "float": "NUMBER",
    "str": "TEXT",
    "bool": "true or false",
    "list": "[...]",
    "any": "",
}


def _default(option: Option) -> str:
    if option.default is None:
        return ""
    if isinstance(option.default, str):
        return option.default or '""'
    return json.dumps(option.default)


def _note(option: Option) -> str:
    if option.deprecated is None:
        return ""
    parts = ["deprecated"]
    if option.deprecated.removal:
        parts.append(f"to go in {option.deprecated.removal}")
    if option.deprecated.use:
        parts.append(f"use {option.deprecated.use}")
    return ", ".join(parts)


def _removed(option: Option, old: Release, new: Release) -> str:
    last = [version for version in catalog.having(option.name) if _between(old, version, new)][-1]
    use = (final := catalog.load(last).options[option.name].deprecated) and final.use
    return f"{option.name}, last in {last}" + (f", use {use}" if use else "")


def _between(old: Release, version: str, new: Release) -> bool:
    key = catalog.version_key
    bounds = sorted((key(old.version), key(new.version)))
    return bounds[0] <= key(version) <= bounds[1]


def _succeeds(before: Option, after: Option) -> bool:
    return before.dest == after.dest or bool(before.deprecated and before.deprecated.use == after.name)


def _takes_others(before: Option, after: Option) -> bool:
    """Whether the values that it takes are others than before."""
    if not _choices(before) or not _choices(after):
        return takes(before) != takes(after)
    return set(_choices(before)) != set(_choices(after))


def _values_changed(before: Option, after: Option) -> str:
    old, new = _choices(before), _choices(after)
    if not old or not new:
        return f"{after.name}: {takes(before) or 'no value'} -> {takes(after) or 'no value'}"
    gone, came = [word for word in old if word not in new], [word for word in new if word not in old]
    words = [f"no longer {', '.join(gone)}"] * bool(gone) + [f"now also {', '.join(came)}"] * bool(came)
    return f"{after.name}: {'; '.join(words)}"


def _table(header: Sequence[str], rows: Iterable[Sequence[str]]) -> Iterator[str]:
    """Columns in line; a name that is longer than its column has a line of its own."""
    lines = [header, *rows]
    widths = [min(_WIDEST_NAME, max(len(line[column]) for line in lines)) for column in range(len(header))]
    for name, *cells in lines:
        rest = "  ".join(cell.ljust(width) for cell, width in zip(cells, widths[1:], strict=True))
        if len(name) > widths[0] and rest.strip():
            yield name
            name = ""
        yield f"{name.ljust(widths[0])}  {rest}".rstrip()


def _span(known: Sequence[str]) -> str:
    return f"{known[0]} to {known[-1]} ({', '.join(known)})"
