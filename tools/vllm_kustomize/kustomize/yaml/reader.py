"""Read what a repository contains: regular files within a size, YAML and JSON within a depth.

Whatever a file holds, reading it takes time and memory in proportion to its size, and raises nothing but
`OSError` and `ValueError`.
"""

from __future__ import annotations

import errno
import json
import stat
from pathlib import Path
from typing import Any, BinaryIO, TextIO

from vllm_kustomize.kustomize.yaml.nodes import MAX_DEPTH, DocumentError, read_documents

MAX_BYTES = 64 << 20
"""What one file may hold; all CRDs of a large cluster, as kubectl prints them, take 30 MiB."""


def read_bytes(path: str | Path, most: int = MAX_BYTES) -> bytes:
    """The content of a regular file of at most `most` bytes.

    Raises `OSError` for everything else: a device or a FIFO may never end.
    """
    with open_regular(path) as opened:
        content = opened.read(most + 1)
    if len(content) > most:
        raise OSError(errno.EFBIG, f"larger than {most >> 20} MiB")
    return content


def open_regular(path: str | Path) -> BinaryIO:
    """Open a regular file; raises `OSError` for all else: opening a device or FIFO can have effects."""
    file = Path(path)
    try:
        mode = file.stat().st_mode
        if not (stat.S_ISREG(mode) or stat.S_ISDIR(mode)):
            raise OSError(errno.EINVAL, "no regular file")
        return file.open("rb")
    except ValueError:
        raise OSError(errno.EINVAL, "no file can have this name") from None


def read_stream(stream: TextIO | None, most: int = MAX_BYTES) -> bytes:
    """What standard input holds, at most `most` bytes; raises `OSError` where it is closed or holds more."""
    if stream is None:
        raise OSError(errno.EBADF, "it is closed")
    content = stream.buffer.read(most + 1)
    if len(content) > most:
        raise OSError(errno.EFBIG, f"larger than {most >> 20} MiB")
    return content


def read_text(path: str | Path, most: int = MAX_BYTES) -> str:
    """The text of a regular file; raises `OSError`, or `UnicodeDecodeError` where it is not UTF-8."""
    return read_bytes(path, most).decode("utf-8")


def parse_yaml(text: str) -> list[Any]:
    """Parse every document into plain values; raises `ValueError` for invalid YAML and beyond the bounds."""
    try:
        return [document.data for document in read_documents(text, "")]
    except DocumentError as error:
        raise ValueError(f"line {error.location.line}: {error.message}") from None


def dump_yaml(value: Any) -> str:
    """The value as YAML in block style, its keys in their order, without a line break at the end."""
    from yaml import safe_dump

    return str(safe_dump(value, sort_keys=False, allow_unicode=True, width=1 << 20)).rstrip("\n")


def parse_json(text: str | bytes) -> Any:
    """Parse JSON; raises `ValueError` where it is none, or nested more than `MAX_DEPTH` levels deep."""
    try:
        value = json.loads(text)
    except RecursionError:
        raise ValueError(_TOO_DEEP) from None
    level = [value]
    for _ in range(MAX_DEPTH + 1):
        level = [
            child
            for parent in level
            if isinstance(parent, (dict, list))
            for child in (parent.values() if isinstance(parent, dict) else parent)
        ]
        if not level:
            return value
    raise ValueError(_TOO_DEEP)


_TOO_DEEP = f"nested more than {MAX_DEPTH} levels deep"
