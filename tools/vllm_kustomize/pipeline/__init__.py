"""discover → build → load → check → locate → triage: what `validate` does, and `watch` again and again.

`targets` has the first verb, `parts` those of one overlay or file. Where nothing changed, `parts` is not even
imported.
"""

from __future__ import annotations

import contextlib
from collections.abc import Callable, Iterator, Sequence
from dataclasses import replace
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING

from vllm_kustomize.cache.store import Cache, open_cache, reopen_cache
from vllm_kustomize.interrupts import held
from vllm_kustomize.kustomize.discover import display_path, resolved
from vllm_kustomize.kustomize.engine import Engine, Rendered, find_engine
from vllm_kustomize.model import Error, Part, Report
from vllm_kustomize.pipeline.render import build, build_with_sources, engine_of
from vllm_kustomize.pipeline.targets import Targets, default_paths, discover, shown
from vllm_kustomize.settings import UNCHECKED, Settings

if TYPE_CHECKING:
    from vllm_kustomize.checks.plan import Plan
    from vllm_kustomize.findings.triage import Triaged
    from vllm_kustomize.kustomize.replay.tree import SourceTree

__all__ = ["Progress", "build", "build_with_sources", "validate", "watch"]

Progress = Callable[[int, int], None]
"""Called with the number of finished targets and of all targets."""

_OF_FLUX = "flux-substitution"
"""A rule that counts in a repository with Flux's substitution alone, which no overlay shows."""


def validate(
    paths: Sequence[str] = (),
    settings: Settings | None = None,
    progress: Progress | None = None,
    cache: Cache | None = None,
) -> Report:
    """Build and check everything at `paths`, less what `cache` (the user's, if None) still knows.

    `paths` are overlays, folders to search, files of rendered YAML, and "-" for standard input; without any
    they are what the settings say, `overlays/`, or the working directory.

    Raises `Error` where a path, the engine or a setting makes it impossible to check what was asked for.
    """
    from vllm_kustomize import rules

    settings = rules.resolve(settings or Settings())
    targets = discover(paths, settings)
    engine = engine_of(settings)
    cache = cache or open_cache(engine.executable, settings)
    known = {overlay: part for overlay in targets.overlays if (part := cache.get(overlay))}
    missing = [overlay for overlay in targets.overlays if overlay not in known]
    with cache, engine:
        # The engine works while the checks are imported and their schemas compiled.
        rendered = engine.build_all(missing, settings.jobs)
        if (settings.name_engine or settings.engine) and not cache.engine:
            cache.engine = engine.version()
        from_files, server = [], None
        if missing or targets.files or cache.patterns != settings.patterns():
            with held():
                from vllm_kustomize.kustomize.replay.tree import SourceTree, kustomize_version
                from vllm_kustomize.pipeline import parts
            tree = SourceTree(kustomize_version(cache.engine))
            with _planned(settings, engine, cache) as plan:
                server = plan.server
                for done, result in enumerate(rendered, 1):
                    known[result.overlay] = part = parts.of_overlay(result, plan, tree)
                    _remember(cache, result, part, tree)
                    if progress:
                        progress(done, len(missing))
                from_files = [parts.of_file(file, plan, tree) for file in targets.files]
    in_order = (*(known[overlay] for overlay in targets.overlays), *from_files)
    report = _report(in_order, _triage(in_order, settings, targets), settings, targets, cache)
    return replace(report, cluster=server.cluster if server else None)


@contextlib.contextmanager
def _planned(settings: Settings, engine: Engine, cache: Cache) -> Iterator[Plan]:
    """The plan of a run, with what the engine is asked for; the cache remembers what was found out."""
    from vllm_kustomize.checks.plan import plan as planned

    plan = planned(settings)
    cache.versions = plan.versions
    cache.accept(settings.patterns())
    if settings.server:
        from vllm_kustomize.checks.cluster import Server

        cluster = engine.cluster(settings.context, settings.namespace, settings.only_context)
        plan = replace(plan, server=Server(cluster, partial(engine.dry_run, cluster)))
    if not settings.existing:
        yield plan
        return
    from vllm_kustomize.kustomize.existing import open_existing

    with open_existing(settings.existing, engine) as exists:
        yield replace(plan, exists=exists)


def _remember(cache: Cache, rendered: Rendered, part: Part, tree: SourceTree) -> None:
    """Keep what came of an overlay, unless part of it was not checked."""
    unchecked = rendered.error or any(finding.rule in UNCHECKED for finding in part.findings)
    with contextlib.suppress(Exception):  # what cannot be kept costs time, and what failed was said above
        cache.put(rendered.overlay, part, tree.graph(rendered.overlay.directory), bool(unchecked))
    tree.forget(rendered.overlay.directory)


def _triage(parts: Sequence[Part], settings: Settings, targets: Targets) -> Triaged:
    from vllm_kustomize.findings.triage import triage
    from vllm_kustomize.kustomize.repository import root_of, substitutes_with_flux

    folders = tuple(map(resolved, targets.paths))

    def seen_whole(file: str) -> bool:
        """Whether all overlays that use a file were built: surely where it stands below a path asked for."""
        place = resolved(file)
        return not folders or any(place.is_relative_to(folder) for folder in folders)

    findings = [finding for part in parts for finding in part.findings]
    if any(finding.rule == _OF_FLUX for finding in findings) and not substitutes_with_flux(root_of(Path())):
        findings = [finding for finding in findings if finding.rule != _OF_FLUX]
    allows = dict.fromkeys(allow for part in parts for allow in part.allows)
    return triage(findings, settings, tuple(allows), seen_whole)


def _report(
    parts: Sequence[Part], triaged: Triaged, settings: Settings, targets: Targets, cache: Cache
) -> Report:
    from vllm_kustomize.findings.merge import merge_undecided

    return Report(
        findings=triaged.findings,
        suppressed=triaged.suppressed,
        overlays=len(targets.overlays),
        documents=sum(part.documents for part in parts),
        skipped=tuple(dict.fromkeys(skipped for part in parts for skipped in part.skipped)),
        undecided=merge_undecided(each for part in parts for each in part.undecided),
        definitions=tuple(sorted({each for part in parts for each in part.definitions})),
        engine=cache.engine if settings.name_engine or settings.engine else "",
        settings=display_path(settings.file) if settings.file else "",
        kubernetes_versions=cache.versions,
        targets=(*(overlay.name for overlay in targets.overlays), *map(shown, targets.files)),
        fail_on=settings.fail_on,
    )


def watch(paths: Sequence[str], settle: Callable[[], Settings]) -> Iterator[Report | Error]:
    """Validate, and again whenever something changes that the builds read; never ends by itself.

    `settle` reads the settings. What makes it impossible to check is an answer too: the next change may mend
    it, such as a branch that has the folder again.
    """
    from vllm_kustomize.cache.watch import stamps, wait_for_change

    if "-" in paths:
        raise Error("standard input cannot be watched")
    cache: Cache | None = None
    inputs: tuple[str, ...] = tuple(paths or ("."))
    while True:
        before, read = stamps(inputs), (*inputs, ".")
        try:
            settings = settle()
            shared = _shared(settings)
            inputs, before = (*inputs, *shared), before | stamps(shared)
            cache = reopen_cache(cache, find_engine(settings.engine), settings)
            yield validate(paths, settings, cache=cache)
            read = (*(paths or default_paths(settings)), *cache.inputs, *shared)
        except (Error, OSError) as error:
            yield error if isinstance(error, Error) else Error(f"cannot go on: {error}")
        # What was saved while the builds ran is a change too.
        settled = stamps(read)
        if stamps(inputs) == before:
            wait_for_change(read, settled)
        inputs = read


def _shared(settings: Settings) -> tuple[str, ...]:
    """What all builds depend on besides their own files."""
    locations = (*settings.named_schema_locations, *settings.schema_locations)
    return tuple(str(path) for path in (settings.file, settings.baseline, *locations) if path)
