"""Read YAML that stands as a string in another file."""

from __future__ import annotations

from vllm_kustomize.kustomize.yaml.nodes import Document, DocumentError, Node, read_documents
from vllm_kustomize.model import Precision


def read_inline(scalar: Node, source: str) -> tuple[Document, ...]:
    """Read a patch that stands as a string in another file; `source` is that file's text.

    Literal blocks (`|`) and strings on one line keep exact places; in any other style every value is placed
    at the string's start, as its parent. Raises DocumentError.
    """
    text: str = scalar.value
    lines = source.splitlines()[scalar.line - 1 :]
    opening = lines[0][scalar.column - 1 :]
    if opening.startswith("|"):
        body = text.rstrip("\n").split("\n")
        first = next((number for number, line in enumerate(body) if line.strip()), 0)
        written = lines[1 + first] if first + 1 < len(lines) else ""
        indent = len(written) - len(body[first])
        if written[indent:] == body[first]:
            return read_documents(text, scalar.file, (scalar.line, indent), yes_is_true=False)
    for quotes in (0, 1):
        if "\n" not in text and opening[quotes:].startswith(text):
            return read_documents(
                text, scalar.file, (scalar.line - 1, scalar.column - 1 + quotes), yes_is_true=False
            )
    try:
        documents = read_documents(text, scalar.file, yes_is_true=False)
    except DocumentError as error:
        raise DocumentError(error.message, scalar.location(Precision.PARENT)) from None
    return tuple(Document(_moved(document.root, scalar), ()) for document in documents)


def _moved(node: Node, to: Node) -> Node:
    value = node.value
    if isinstance(value, dict):
        value = {name: _moved(child, to) for name, child in value.items()}
    elif isinstance(value, list):
        value = [_moved(child, to) for child in value]
    return Node(value, to.file, to.line, to.column, precision=Precision.PARENT)
