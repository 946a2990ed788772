"""Compare what overlays render with what they rendered at a git revision, and judge the change."""

from __future__ import annotations

import os
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, field, replace
from functools import cached_property
from pathlib import Path

from vllm_kustomize import rules
from vllm_kustomize.checks import changes, existing
from vllm_kustomize.checks.objects import Objects
from vllm_kustomize.checks.plan import Plan, plan
from vllm_kustomize.findings.collect import mask_of_overlay
from vllm_kustomize.findings.comments import read_allows
from vllm_kustomize.findings.excerpts import quote
from vllm_kustomize.findings.locate import locate
from vllm_kustomize.findings.mask import Mask, hide
from vllm_kustomize.findings.triage import triage
from vllm_kustomize.kustomize.affected import affected
from vllm_kustomize.kustomize.discover import find_overlays, is_there, kustomization_in, resolved
from vllm_kustomize.kustomize.engine import Engine, Rendered
from vllm_kustomize.kustomize.provenance import Locator
from vllm_kustomize.kustomize.replay.graph import SourceGraph
from vllm_kustomize.kustomize.replay.tree import SourceTree
from vllm_kustomize.kustomize.revision import changed_since, checked_out
from vllm_kustomize.model import (
    Build,
    Diagnosis,
    Error,
    Finding,
    Location,
    Overlay,
    Part,
    Precision,
    Resource,
    Skipped,
)
from vllm_kustomize.pipeline import Progress
from vllm_kustomize.pipeline.render import engine_of
from vllm_kustomize.pipeline.targets import default_paths
from vllm_kustomize.settings import Settings
from vllm_kustomize.verbs.matching import Pair, match, renderings


@dataclass(frozen=True, slots=True)
class ObjectDiff:
    """How one object differs, in the same way in some overlays.

    `change` is `added`, `removed` or `changed`; `lines` are those of a unified diff, from its first hunk on.
    """

    name: str
    change: str
    lines: tuple[str, ...]
    overlays: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class Comparison:
    """What a change comes to: of `known` overlays those in `overlays` render something else than at `base`.

    `uncompared` says which could not be compared, and why.
    """

    base: str
    known: int
    overlays: tuple[str, ...] = ()
    objects: tuple[ObjectDiff, ...] = ()
    findings: tuple[Finding, ...] = ()
    uncompared: tuple[Skipped, ...] = ()


def compare(
    paths: Sequence[str], base: str, settings: Settings, progress: Progress | None = None
) -> Comparison:
    """Compare the overlays at `paths` with those at a revision.

    Only those that a changed file has a part in are built. Raises `Error` where a path is a folder on neither
    side, there is no overlay, no such revision, or no engine. What the settings select is for `validate`;
    what they ignore is ignored here too.
    """
    paths = tuple(paths) or default_paths(settings)
    files = changed_since(base)
    with checked_out(base) as root, engine_of(settings) as engine:
        for path in paths:
            if not any(is_there(side / path, folder=True) for side in (Path.cwd(), root)):
                raise Error(f"{path} is not a folder, neither here nor at {base}")
        new, old = (_overlays(paths, side, settings) for side in (Path.cwd(), root))
        if not new and not old:
            raise Error(f"no overlay in {', '.join(paths)}, neither here nor at {base}")
        touched = {_name(overlay, Path.cwd()) for overlay in affected(tuple(new.values()), files)}
        names = sorted(touched | (old.keys() - new.keys())) if files else []
        after, before = (_Side(side, names, engine, settings) for side in (Path.cwd(), root))
        settings = rules.resolve(replace(settings, select=()))
        comparing = _Comparing(base, after, before, settings)
        for done, name in enumerate(names, 1):
            comparing.add(name)
            if progress:
                progress(done, len(names))
        return comparing.result(len({*new, *old}))


def _overlays(paths: Iterable[str], root: Path, settings: Settings) -> dict[str, Overlay]:
    """The overlays at some paths below a root, by their path from there."""
    found = (
        overlay
        for path in paths
        if is_there(root / path, folder=True)
        for overlay in find_overlays(root / path, settings.exclude)
    )
    return {_name(overlay, root): overlay for overlay in found}


def _name(overlay: Overlay, root: Path) -> str:
    return Path(os.path.relpath(resolved(overlay.directory), resolved(root))).as_posix()


class _Side:
    """One of the two states; its overlays are built ahead, in the order in which they are asked for."""

    def __init__(self, root: Path, names: Sequence[str], engine: Engine, settings: Settings) -> None:
        self.root = root
        self.tree = SourceTree()
        there = [Overlay(name, root / name) for name in names if kustomization_in(root / name)]
        self._names = {overlay.name for overlay in there}
        self._built = engine.build_all(there, max(1, settings.jobs // 2))

    def build(self, name: str) -> Rendered:
        """What an overlay renders: nothing where this side lacks it."""
        return next(self._built) if name in self._names else Rendered(Overlay(name, self.root / name))

    def graph(self, name: str) -> SourceGraph:
        """The sources behind an overlay."""
        return self.tree.graph(self.root / name)

    def shown(self, location: Location) -> Location:
        """A location whose file is named from the root, wherever that is."""
        file = os.path.relpath(Path.cwd() / location.file, resolved(self.root))
        return replace(location, file=Path(file).as_posix())


@dataclass
class _Comparing:
    """What gathers while overlays are compared one by one."""

    base: str
    new: _Side
    old: _Side
    settings: Settings
    changed: list[str] = field(default_factory=list)
    objects: dict[tuple[str, tuple[str, ...]], ObjectDiff] = field(default_factory=dict)
    findings: list[Finding] = field(default_factory=list)
    uncompared: list[Skipped] = field(default_factory=list)

    @cached_property
    def plan(self) -> Plan:
        """What the updates are judged by."""
        return plan(self.settings)

    def add(self, name: str) -> None:
        """Compare one overlay."""
        after, before = self.new.build(name), self.old.build(name)
        for when, rendered in (("", after), (f" at {self.base}", before)):
            if rendered.error:
                message = self._mask(name, ())(rendered.error).replace(f"{self.old.root}/", "")
                self.uncompared.append(Skipped(name, f"it does not build{when}: {message}", whole=True))
        if after.error or before.error or after.output == before.output:
            return
        self.changed.append(name)
        new, old = renderings(after.output, name), renderings(before.output, name)
        mask = self._mask(name, [each.resource for each in (*new, *old)])
        pairs = [pair for pair in match(old, new) if pair.change]
        for pair in pairs:
            lines = tuple(pair.lines(mask))
            key = (str(pair), lines)
            first = self.objects.get(key, ObjectDiff(str(pair), pair.change, lines, ()))
            self.objects[key] = replace(first, overlays=(*first.overlays, name))
        found = self._judge(Build(tuple(each.resource for each in new), self._overlay(name)), pairs)
        self.findings += hide(Part(tuple(quote(found, self.new.tree.texts, mask))), mask).findings
        self.new.tree.forget(self.new.root / name)
        self.old.tree.forget(self.old.root / name)

    def _mask(self, name: str, resources: Iterable[Resource]) -> Mask:
        """Hides what is secret in an overlay's sources, on either side, and in these objects."""
        if kustomization_in(self.new.root / name):
            return mask_of_overlay(self.new.graph(name), self.new.tree, resources, ())
        return mask_of_overlay(self.old.graph(name), self.old.tree, resources, ())

    def _overlay(self, name: str) -> Overlay:
        return Overlay(name, self.new.root / name)

    def _judge(self, build: Build, pairs: Sequence[Pair]) -> Iterator[Finding]:
        assert build.overlay is not None
        changed = [pair.resources for pair in pairs]
        before = tuple(old for old, new in changed if old and new)
        objects = Objects(build, replace(self.plan, exists=lambda _: before))
        refused = [
            each for each in objects.check_updates() if any(each.resource is new for _, new in changed)
        ]
        there = [*refused, *(each for old, new in changed if new for each in changes.check(old, new))]
        gone = [each for old, new in changed if not new for each in changes.check(old, None)]
        settings = self.settings
        yield from locate(build, (each for each in there if settings.selects(each.rule)), self.new.tree)
        yield from (self._gone(each, build.overlay) for each in gone if settings.selects(each.rule))

    def _gone(self, diagnosis: Diagnosis, overlay: Overlay) -> Finding:
        """A finding on an object that is gone: at what deletes it, or else at the overlay that lacks it."""
        resource = diagnosis.resource
        assert resource is not None
        stood = self.old.shown(Locator(self.old.graph(overlay.name)).locate(resource).primary)
        at = replace(stood, precision=Precision.FILE)
        if kustomization_in(overlay.directory):
            graph = self.new.graph(overlay.name)
            at = _deletion(graph, resource) or _closest(graph, stood)
        return Finding(
            diagnosis.rule,
            diagnosis.severity,
            diagnosis.message,
            diagnosis.help,
            overlay.name,
            resource.identity(),
            location=at,
            related=(replace(stood, note=f"it stood here at {self.base}"),),
        )

    def result(self, known: int) -> Comparison:
        """Everything that was found, once all overlays have been compared."""
        texts = self.new.tree.texts
        settings = replace(self.settings, baseline=None)
        allows = tuple(read_allows(texts, lambda _: True))
        triaged = triage(self.findings, settings, allows, lambda _: False)
        about_changes = {existing.RULE, *changes.judgements()}
        return Comparison(
            self.base,
            known,
            tuple(self.changed),
            tuple(self.objects.values()),
            tuple(finding for finding in triaged.findings if finding.rule in about_changes),
            tuple(self.uncompared),
        )


def _closest(graph: SourceGraph, stood: Location) -> Location:
    """The file that an object stood in, where the build still reads it, or what listed that file."""
    folder = resolved(Path(stood.file).parent)
    listing = (each.file for each in graph.kustomizations if resolved(each.directory) == folder)
    file = stood.file if graph.reads(stood.file) else next(listing, graph.file)
    return Location(file, 1, 1, precision=Precision.FILE)


def _deletion(graph: SourceGraph, resource: Resource) -> Location | None:
    """Where a patch deletes an object of that kind and name, or None."""
    for step in graph.steps:
        for change in step.changes:
            deleted = change.before.id
            if change.after is None and (deleted.kind, deleted.name) == (resource.kind, resource.name):
                return step.patch.body.location() if step.patch else step.entry.location()
    return None
