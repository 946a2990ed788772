"""Compare what overlays render with what is in a cluster, by `kubectl diff`."""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence

from vllm_kustomize.model import Skipped
from vllm_kustomize.pipeline import Progress
from vllm_kustomize.pipeline.render import engine_of, message_of
from vllm_kustomize.pipeline.targets import default_paths, discover
from vllm_kustomize.settings import Settings
from vllm_kustomize.verbs.diff import Comparison, ObjectDiff

CLUSTER = "the cluster"

_FILES = re.compile(r"^diff .*$\n?", re.MULTILINE)
_NAMES = re.compile(r"^(?:---|\+\+\+) .*$\n?", re.MULTILINE)
_OBJECT = re.compile(r"/(?P<version>[^/]*?)\.(?P<kind>[A-Z]\w*)\.(?P<namespace>[^/.]*)\.(?P<name>[^/\s]+)")
"""How kubectl names the file of an object: group, version, kind, namespace and name between dots.

Source: Object name in pkg/cmd/diff of kubectl.
"""


def compare(paths: Sequence[str], settings: Settings, progress: Progress | None = None) -> Comparison:
    """Compare the overlays at `paths` with the cluster of the current context.

    Raises `Error` where a path is not an overlay, or there is no kubectl.
    """
    overlays = discover(paths or default_paths(settings), settings).overlays
    objects: list[ObjectDiff] = []
    uncompared: list[Skipped] = []
    changed: list[str] = []
    with engine_of(settings) as engine:
        for done, rendered in enumerate(engine.build_all(overlays, settings.jobs), 1):
            name = rendered.overlay.name
            if rendered.error:
                uncompared.append(Skipped(name, f"it does not build: {message_of(rendered)}", whole=True))
                continue
            code, printed, message = engine.diff(rendered.output)
            if code > 1 or (code and not printed):
                uncompared.append(Skipped(name, message or f"kubectl diff exited with {code}", whole=True))
                continue
            found = list(_objects(printed, name))
            objects += found
            changed += [name] if found else []
            if progress:
                progress(done, len(overlays))
    return Comparison(CLUSTER, len(overlays), tuple(changed), tuple(objects), (), tuple(uncompared))


def _objects(printed: str, overlay: str) -> Iterator[ObjectDiff]:
    """The objects of kubectl's output, one after another."""
    heads = list(_FILES.finditer(printed))
    for head, following in zip(heads, [*heads[1:], None], strict=False):
        body = printed[head.end() : following.start() if following else len(printed)]
        named = _OBJECT.search(head[0])
        namespace = f" in {named['namespace']}" if named and named["namespace"] else ""
        name = f"{named['kind']}/{named['name']}{namespace}" if named else head[0].strip()
        lines = tuple(_NAMES.sub("", body, count=2).rstrip("\n").split("\n"))
        is_new = all(line[:1] in "+@" for line in lines)
        yield ObjectDiff(name, "added" if is_new else "changed", lines, (overlay,))
