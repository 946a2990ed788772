"""A finding about a word of a shell script points at the word, however YAML spells the script."""

from __future__ import annotations

import pytest

from vllm_kustomize.kustomize.yaml.nodes import read_documents
from vllm_kustomize.kustomize.yaml.words import word_in


@pytest.mark.parametrize(
    ("text", "word", "place"),
    [
        ("run: |\n  # --port\n  serve \\\n    --port 1\n", "--port 1", (4, 5)),
        ("run: >-\n  serve --host x\n  --port 1\n", "--port", (3, 3)),
        ("run: serve\n  --port 1\n", "--port", (2, 3)),
        ("run: 'serve ''--port'' 1'\n", "'--port'", (1, 15)),
        ('run: "serve\\n\\\n  \\"--port\\" 1"\n', '"--port"', (2, 5)),
        ('run: "serve \\x2d-port"\n', "--port", (1, 6)),  # spelled in a way that is not looked for
    ],
)
def test_word(text: str, word: str, place: tuple[int, int]) -> None:
    (document,) = read_documents(text, "f.yaml")
    value, scalar = document.root.text("run"), document.locate(("run",))
    found = word_in(text, scalar, value, value.rindex(word))
    assert (found.line, found.column) == place
