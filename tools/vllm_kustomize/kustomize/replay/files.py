"""The files that builds read, each of them once."""

from __future__ import annotations

from pathlib import Path

from vllm_kustomize.kustomize.discover import KUSTOMIZATION_NAMES, display_path, is_there
from vllm_kustomize.kustomize.yaml.nodes import Document, read_documents
from vllm_kustomize.kustomize.yaml.reader import read_text


class SourceFiles:
    """Texts and documents of a run. `texts` are the files read, by their name in locations."""

    def __init__(self) -> None:
        self.texts: dict[str, str] = {}
        self._documents: dict[Path, tuple[Document, ...]] = {}

    def documents(self, path: Path) -> tuple[Document, ...]:
        """Read a YAML file once. Raises OSError, UnicodeDecodeError or DocumentError."""
        if path not in self._documents:
            yes_is_true = path.name in KUSTOMIZATION_NAMES
            self._documents[path] = read_documents(
                self.text(path), display_path(path), yes_is_true=yes_is_true, later=True
            )
        return self._documents[path]

    def text(self, path: Path) -> str:
        """Read a text file once. Raises OSError or UnicodeDecodeError."""
        name = display_path(path)
        if name not in self.texts:
            if not is_there(path, folder=False):
                raise FileNotFoundError(path)
            self.texts[name] = read_text(path)
        return self.texts[name]
