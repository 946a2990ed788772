"""The fast reader, for YAML that means the same in 1.1 and 1.2 and whose lines nobody asks for."""

from __future__ import annotations

import re
from itertools import islice
from typing import Any

import yaml12

_ALIAS = re.compile(r"(?<![\w*/])\*\w")
_FEW = 16
"""Aliases that cannot do harm: n of them repeat their values 3 ** (n / 3) times at most."""
_DEEP = re.compile(r"^[ ?:-]{200}", re.MULTILINE)


def read_all(text: str) -> list[Any]:
    """Parse every document; raises `ValueError` where the text is no YAML.

    The fast reader has no bounds: aliases fill its memory, and thousands of levels end the process. What
    looks like either goes to the reader that has them.
    """
    if _DEEP.search(text) or any(islice(_ALIAS.finditer(text), _FEW, None)):
        from vllm_kustomize.kustomize.yaml.nodes import DocumentError, read_documents

        try:
            return [document.data for document in read_documents(text, "")]
        except DocumentError as error:
            raise ValueError(error.message) from None
    return list(yaml12.parse_yaml(text, multi=True))
