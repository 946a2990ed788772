"""Whatever a file is or holds: its content or an error that says what is wrong; never a hang."""

from __future__ import annotations

import os
import tracemalloc
from collections.abc import Callable
from itertools import pairwise
from pathlib import Path

import pytest

from vllm_kustomize.kustomize.yaml.reader import parse_json, parse_yaml, read_bytes


def _link(path: Path, target: str) -> None:
    path.symlink_to(target)


@pytest.mark.parametrize(
    ("make", "message"),
    [
        pytest.param(lambda path: os.mkfifo(path), "no regular file", id="FIFO"),
        pytest.param(lambda path: _link(path, "/dev/zero"), "no regular file", id="device"),
        pytest.param(lambda path: path.mkdir(), "Is a directory", id="folder"),
        pytest.param(lambda path: _link(path, "nowhere"), "No such file", id="dangling link"),
        pytest.param(lambda path: _link(path, path.name), "symbolic links", id="loop"),
        pytest.param(lambda path: path.write_bytes(b"x" * 101), "larger than", id="too large"),
    ],
)
def test_only_regular_files_are_read(tmp_path: Path, make: Callable[[Path], object], message: str) -> None:
    make(tmp_path / "x.yaml")
    with pytest.raises(OSError, match=message):
        read_bytes(tmp_path / "x.yaml", most=100)


@pytest.mark.parametrize("name", ["a\0b", "x" * 5000])
def test_a_name_that_no_file_can_have_is_an_error_like_others(name: str) -> None:
    with pytest.raises(OSError, match=r"no file can have|too long"):
        read_bytes(name)


def _aliases(anchor: str) -> str:
    names = [f"{anchor}{number}" for number in range(20)]
    bombs = (f"{new}: &{new} [{', '.join([f'*{old}'] * 10)}]\n" for old, new in pairwise(names))
    return f"{names[0]}: &{names[0]} [x]\n" + "".join(bombs)


def _tower(levels: int) -> str:
    """Anchors that each hold the one before, a hundred levels deeper."""
    steps = (f"a{n}: &a{n} {'[' * 100}*a{n - 1}{']' * 100}\n" for n in range(1, levels))
    return "a0: &a0 [x]\n" + "".join(steps)


@pytest.mark.parametrize(
    ("text", "message"),
    [
        pytest.param(_aliases("a"), "aliases repeat", id="aliases"),
        pytest.param(_aliases("-"), "aliases repeat", id="aliases that begin with a dash"),
        pytest.param(
            _aliases("é"), "expected alphabetic", id="aliases that begin with a letter beyond ASCII"
        ),
        pytest.param(_tower(30), "levels deep", id="depth by aliases"),
        pytest.param("[" * 100_000, "levels deep", id="brackets"),
        pytest.param("{a: " * 100_000, "levels deep", id="braces"),
        pytest.param("- " * 100_000, "levels deep", id="dashes"),
        pytest.param("? " * 100_000, "levels deep", id="keys"),
        pytest.param("a: &a [*a]\n", "contains itself", id="cycle"),
    ],
)
def test_bombs_are_no_yaml(text: str, message: str) -> None:
    tracemalloc.start()
    with pytest.raises(ValueError, match=message):
        parse_yaml(text)
    assert tracemalloc.get_traced_memory()[1] < 100 << 20
    tracemalloc.stop()


@pytest.mark.parametrize(
    "text", ["[" * 100_000, '{"a":' * 100_000, "[" * 250 + "]" * 250, "9" * 5000, "{", "\xff"]
)
def test_what_cannot_be_walked_is_no_json(text: str) -> None:
    with pytest.raises(ValueError, match=r"deep|char|digits|decode"):
        parse_json(text.encode("latin-1") if text == "\xff" else text)


def test_ordinary_files_are_read(tmp_path: Path) -> None:
    (tmp_path / "x.yaml").write_text("a: &x [1]\nb: *x\n---\nc\n")
    assert parse_yaml(read_bytes(tmp_path / "x.yaml").decode()) == [{"a": [1], "b": [1]}, "c"]
    assert parse_json('{"a": [1, {"b": null}]}') == {"a": [1, {"b": None}]}
