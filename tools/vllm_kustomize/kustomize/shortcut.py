"""Build an overlay in half the engine's time, without changing a byte of the result.

Most of the time of a small build goes into the OpenAPI document that Kustomize carries: all of it is parsed
before the first strategic merge. A kustomization may name another one (`openapi.path`), also for what it
includes. So the engine is given a kustomization that includes the overlay and names a document with only
what a merge asks for (`openapi.json`, cut by tools/record/kustomize_openapi).

Where a kustomization says more than that can pass on, the overlay is built plainly.
"""

from __future__ import annotations

import json
import os
import shutil
import tempfile
from pathlib import Path

from vllm_kustomize.kubernetes.fields import strings
from vllm_kustomize.kustomize.discover import (
    INCLUDES,
    KUSTOMIZATION_NAMES,
    PLUGINS,
    kustomization_content,
    kustomization_in,
)

SCHEMA = Path(__file__).with_name("openapi.json")

NEWEST_KUBECTL, NEWEST_KUSTOMIZE = (1, 37), (5, 8)
"""The newest versions that are proven to render the same bytes both ways (`make engines`)."""

_OWN_WAYS = frozenset(
    {
        "openapi",  # names another document
        "crds",  # brings definitions of its own
        "buildMetadata",  # counts in the outermost kustomization alone
        "sortOptions",  # so does this
        *PLUGINS,  # they may do anything
    }
)
"""Fields that make an overlay one to build plainly."""


def wrap(overlay: Path, folder: Path) -> Path | None:
    """Write a kustomization that includes an overlay into a new folder in `folder`, and return that folder.

    None where the overlay has to be built plainly. Raises OSError where `folder` cannot be written.
    """
    target = overlay.resolve()
    if not _can_be_included(target, set()):
        return None
    wrapper = Path(tempfile.mkdtemp(dir=folder)).resolve() / target.name
    wrapper.mkdir()
    try:
        entry = Path(os.path.relpath(target, wrapper)).as_posix()
    except ValueError:  # on another drive
        return None
    # A link would change the schema's own ctime, by which the cache sees that the tool changed.
    shutil.copyfile(SCHEMA, wrapper / SCHEMA.name)
    content = {"resources": [entry], "openapi": {"path": SCHEMA.name}}
    (wrapper / KUSTOMIZATION_NAMES[0]).write_text(json.dumps(content), encoding="utf-8")
    return wrapper


def _can_be_included(directory: Path, seen: set[Path]) -> bool:
    """Whether neither a kustomization nor what it includes goes ways of its own; `seen` is added to."""
    if directory in seen:
        return True
    seen.add(directory)
    file = kustomization_in(directory)
    content = kustomization_content(file) if file else {}
    if not content or not _OWN_WAYS.isdisjoint(content):
        return False
    entries = [entry for field in INCLUDES for entry in strings(content.get(field))]
    return all(
        path.is_file() or (path.is_dir() and _can_be_included(path.resolve(), seen))
        for path in (directory / entry for entry in entries)
    )
