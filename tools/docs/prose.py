"""Find phrases that tools/docs/styles/ replaces, in docs, in comments and in every string of the code.

The styles are Vale's substitution rules. Vale itself is not used: its Python package downloads the program on
the first run, and it reads no strings, which is where messages are.

Usage: python tools/docs/prose.py [FILE...]    without files: everything that git knows
"""

from __future__ import annotations

import re
import subprocess
import sys
import tokenize
from collections.abc import Iterator
from pathlib import Path

import yaml

REPO = Path(__file__).resolve().parents[2]
STYLES = Path(__file__).with_name("styles")
UNCHECKED = ("tests/conformance/", "tests/golden/", "tools/docs/styles/")
"""Recorded words of others, copies of what is checked elsewhere, and the phrases themselves."""

Line = tuple[int, str]


def main() -> int:
    """Print `file:line: phrase` for each phrase; the exit code is 1 where there is one."""
    files = sys.argv[1:] or _tracked()
    rules = [
        (re.compile(pattern, re.IGNORECASE), instead)
        for file in sorted(STYLES.rglob("*.yml"))
        for pattern, instead in yaml.safe_load(file.read_text(encoding="utf-8"))["swap"].items()
    ]
    found = 0
    for name in files:
        for number, text in _prose(REPO / name):
            for pattern, instead in rules:
                for match in pattern.finditer(text):
                    found += 1
                    print(f"{name}:{number}: write '{instead}' instead of '{match[0]}'")
    return 1 if found else 0


def _tracked() -> list[str]:
    listed = subprocess.run(
        ["git", "ls-files", "*.md", "*.py", "*.yaml", "*.yml"],
        cwd=REPO, check=True, capture_output=True, text=True,
    ).stdout.splitlines()  # fmt: skip
    return [name for name in listed if not name.startswith(UNCHECKED) and (REPO / name).is_file()]


def _prose(file: Path) -> Iterator[Line]:
    """The lines that people read: Markdown, comments of YAML, comments and strings of Python."""
    if file.suffix == ".py":
        with tokenize.open(file) as opened:
            for token in tokenize.generate_tokens(opened.readline):
                if token.type in _READ:
                    yield from enumerate(token.string.splitlines(), token.start[0])
        return
    for number, line in enumerate(file.read_text(encoding="utf-8").splitlines(), 1):
        comment = re.search(r"(?:^|\s)#\s(.*)", line)
        if file.suffix == ".md":
            yield number, line
        elif comment:
            yield number, comment[1]


# From Python 3.12 on, the text of an f-string is a token of its own.
_READ = {tokenize.COMMENT, tokenize.STRING, getattr(tokenize, "FSTRING_MIDDLE", tokenize.STRING)}


if __name__ == "__main__":
    sys.exit(main())
