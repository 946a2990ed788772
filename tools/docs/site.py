"""MkDocs hook: files of the repository as pages of the site, and links that work in both places.

In the repository, links lead from a file to a file. On the site, files below `docs/` and those in `PAGES` are
pages; a link to any other file leads to the repository, or becomes plain text where its address is unknown.
"""

from __future__ import annotations

import posixpath
import re
from pathlib import Path

from mkdocs.config.defaults import MkDocsConfig
from mkdocs.structure.files import File, Files
from mkdocs.structure.pages import Page

PAGES = {
    "README.md": "index.md",
    "CONTRIBUTING.md": "contributing.md",
    "CHANGELOG.md": "changelog.md",
    "SECURITY.md": "security-policy.md",
}
"""Pages of the site by the files of the repository that they show."""

_SHOWN = {page: file for file, page in PAGES.items()}
_LINK = re.compile(r"\[(?P<text>[^\]]+)\]\((?P<target>[^)#\s:]+)(?P<anchor>#[^)\s]*)?\)")
_FENCE = re.compile(r"^```.*?^```", re.MULTILINE | re.DOTALL)


def on_files(files: Files, config: MkDocsConfig) -> Files:
    """Add the pages that stand outside `docs/`."""
    root = Path(config.config_file_path).parent
    for file, page in PAGES.items():
        text = (root / file).read_text(encoding="utf-8")
        files.append(File.generated(config, page, content=text))
    return files


def on_page_markdown(markdown: str, page: Page, config: MkDocsConfig, files: Files) -> str:
    """Point each link at a page of the site or at the repository."""
    uri = page.file.src_uri
    source = _SHOWN.get(uri, f"docs/{uri}")

    def point(link: re.Match[str]) -> str:
        file = posixpath.normpath(posixpath.join(posixpath.dirname(source), link["target"]))
        target = PAGES.get(file, file.removeprefix("docs/"))
        if files.get_file_from_path(target):
            return (
                f"[{link['text']}]({posixpath.relpath(target, posixpath.dirname(uri))}{link['anchor'] or ''})"
            )
        if not (Path(config.config_file_path).parent / file).exists():
            return link[0]  # the strict build names it
        if not config.repo_url:
            return link["text"]
        return f"[{link['text']}]({config.repo_url.rstrip('/')}/blob/main/{file}{link['anchor'] or ''})"

    parts, end = [], 0
    for fence in _FENCE.finditer(markdown):
        parts += [_LINK.sub(point, markdown[end : fence.start()]), fence[0]]
        end = fence.end()
    return "".join((*parts, _LINK.sub(point, markdown[end:])))
