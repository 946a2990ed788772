"""The options of `vllm serve`, release by release, as data.

`catalog.json` is written by `tools/catalog/` from the real parser of each vLLM release, never by hand.

    release, exact = nearest("0.33.0")
    release.options["--tensor-parallel-size"].default    # 1
    release.options["-tp"].dest                          # "tensor_parallel_size"
"""

from __future__ import annotations

import json
import re
from bisect import bisect_left
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from functools import cache
from itertools import islice, takewhile
from pathlib import Path
from typing import Any

_VERSION = re.compile(r"v?(\d{1,6})\.(\d{1,6})(?:\.(\d{1,6}))?(?:\.(\d{1,6}))?(?:\.?post(\d{1,6}))?")


@dataclass(frozen=True, slots=True)
class Deprecation:
    """An option that still parses; `removal` is the release in which vLLM said it would go."""

    removal: str = ""
    use: str = ""


@dataclass(frozen=True, slots=True)
class Option:
    """One option of a release, or the positional model.

    `action` is what argparse does with it: `store`, `append`, `true`, `false`, `bool`, `store-bool`, `help`
    or `lora-modules`; `type` is the name of a converter in `vllm/values.py`. `hidden` names parse but do not
    stand in the help; `off` are the names that mean false. `known` are values that the help lists without
    insisting on them. `keys` is the configuration class that the engine makes of a JSON value later.
    """

    dest: str
    names: tuple[str, ...]
    action: str
    type: str = "str"
    nargs: str | int | None = None
    choices: tuple[Any, ...] | None = None
    default: Any = None
    const: Any = None
    hidden: tuple[str, ...] = ()
    off: tuple[str, ...] = ()
    known: tuple[str, ...] = ()
    keys: str = ""
    deprecated: Deprecation | None = None
    serve_only: bool = False

    @property
    def name(self) -> str:
        """The long name by which people know it."""
        return next((name for name in self.names if name.startswith("--")), self.dest)

    @property
    def takes_value(self) -> bool:
        """Whether something may follow it."""
        return self.action in ("store", "append", "store-bool", "lora-modules")


@dataclass(frozen=True, slots=True)
class Release:
    """One vLLM release: `options` by every name that parses, the classes of JSON options, its habits.

    `behaviours` says what its FlexibleArgumentParser does with a line before argparse sees it.
    """

    version: str
    options: Mapping[str, Option]
    positional: Option | None
    classes: Mapping[str, Mapping[str, Any]]
    behaviours: frozenset[str]
    names: tuple[str, ...]
    """Those of all options, sorted."""

    def beginning(self, prefix: str) -> Iterator[str]:
        """The names of options that begin like this."""
        after = islice(self.names, bisect_left(self.names, prefix), None)
        return takewhile(lambda name: name.startswith(prefix), after)

    def distinct(self) -> tuple[Option, ...]:
        """Each option once, in the order of their names."""
        unique = {option.dest + str(option.names): option for option in self.options.values()}
        return tuple(sorted(unique.values(), key=lambda option: option.name))


def releases() -> tuple[str, ...]:
    """The versions in the catalog, oldest first."""
    return tuple(_data()["releases"])


@cache
def load(version: str) -> Release:
    """One release of the catalog; raises `KeyError` for a version that is not in it."""
    index = releases().index(version) if version in releases() else None
    if index is None:
        raise KeyError(version)
    options = [_option(entry) for entry in _present("options", index)]
    by_name = {name: option for option in options for name in (*option.names, *option.hidden)}
    return Release(
        version=version,
        options=by_name,
        names=tuple(sorted(by_name)),
        positional=next((option for option in options if not option.names), None),
        classes={entry["class"]: entry for entry in _present("classes", index)},
        behaviours=frozenset(entry["does"] for entry in _present("behaviours", index)),
    )


def newest() -> Release:
    """The newest release of the catalog."""
    return load(releases()[-1])


def nearest(version: str) -> tuple[Release, bool]:
    """The release to check a version against, and whether it has the very same options.

    A version of the same minor release comes first, then the one that is next to it. For a version beyond
    the releases that are known it is the newest. Raises `ValueError` for text that is not a version.
    """
    wanted = version_key(version)
    known = releases()
    if not version_key(known[0]) <= wanted <= version_key(known[-1]):
        return newest(), False
    exact = next((each for each in known if version_key(each) == wanted), None)
    if exact:
        return load(exact), True
    return load(min(known, key=lambda each: _distance(version_key(each), wanted))), False


def having(name: str) -> tuple[str, ...]:
    """The releases whose parser knows an option by this very name, oldest first."""
    entries = _entries_by_name().get(name)
    if not entries:
        return ()
    return tuple(
        version for index, version in enumerate(releases()) if any(_covers(entry, index) for entry in entries)
    )


def version_key(version: str) -> tuple[int, int, int, int, int]:
    """A version as numbers that compare: `0.6.4.post1` is (0, 6, 4, 0, 1), `0.10.1.1` is (0, 10, 1, 1, 0).

    Raises `ValueError` for other text.
    """
    match = _VERSION.match(version.strip())
    if match is None:
        raise ValueError(f"'{version}' is not a vLLM version")
    major, minor, patch, hotfix, post = (int(part or 0) for part in match.groups())
    return major, minor, patch, hotfix, post


def _distance(one: tuple[int, ...], other: tuple[int, ...]) -> tuple[int, ...]:
    return tuple(abs(a - b) for a, b in zip(one, other, strict=True))


@cache
def _data() -> dict[str, Any]:
    path = Path(__file__).with_name("catalog.json")
    data: dict[str, Any] = json.loads(path.read_text(encoding="utf-8"))
    return data


@cache
def _indexes() -> dict[str, int]:
    return {version: index for index, version in enumerate(_data()["releases"])}


@cache
def _entries_by_name() -> dict[str, list[dict[str, Any]]]:
    found: dict[str, list[dict[str, Any]]] = {}
    for entry in _data()["options"]:
        for name in (*entry["names"], *entry.get("hidden", ())):
            found.setdefault(name, []).append(entry)
    return found


def _present(section: str, index: int) -> list[dict[str, Any]]:
    return [entry for entry in _data()[section] if _covers(entry, index)]


def _covers(entry: Mapping[str, Any], index: int) -> bool:
    """Whether a release has an entry: a span is `[first, last]`, or `[first]` and every later release."""
    indexes = _indexes()
    return any(
        indexes[span[0]] <= index and (len(span) == 1 or index <= indexes[span[1]]) for span in entry["in"]
    )


def _option(entry: Mapping[str, Any]) -> Option:
    deprecated = entry.get("deprecated")
    return Option(
        dest=entry["dest"],
        names=tuple(entry["names"]),
        action=entry["action"],
        type=entry.get("type", "str"),
        nargs=entry.get("nargs"),
        choices=tuple(entry["choices"]) if "choices" in entry else None,
        default=entry.get("default"),
        const=entry.get("const"),
        hidden=tuple(entry.get("hidden", ())),
        off=tuple(entry.get("off", ())),
        known=tuple(entry.get("known", ())),
        keys=entry.get("keys", ""),
        deprecated=None if deprecated is None else Deprecation(**deprecated),
        serve_only=entry.get("serve_only", False),
    )
