"""discover → build → load → check → locate → report."""

from __future__ import annotations

import contextlib
import sys
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import replace
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING

from vllm_kustomize.budget import OverBudget, budget
from vllm_kustomize.cache.store import Cache, open_cache, reopen_cache
from vllm_kustomize.kustomize.discover import display_path, kustomization_in, overlay_at, resolved
from vllm_kustomize.kustomize.engine import BuildOptions, Engine, Rendered, find_engine
from vllm_kustomize.model import (
    Build,
    Error,
    Finding,
    Location,
    Overlay,
    Part,
    Precision,
    Report,
    Resource,
    Skipped,
)
from vllm_kustomize.pipeline.targets import default_paths, discover, discover_changed
from vllm_kustomize.settings import UNCHECKED, Settings

if TYPE_CHECKING:
    from vllm_kustomize.checks.plan import Plan
    from vllm_kustomize.findings.mask import Mask
    from vllm_kustomize.findings.triage import Triaged
    from vllm_kustomize.kustomize.replay.graph import SourceGraph
    from vllm_kustomize.kustomize.replay.tree import SourceTree
    from vllm_kustomize.kustomize.yaml.nodes import Document


MaskOf = Callable[[Iterable[str]], "Mask"]
"""Makes the mask of a build, of what is secret in it and some more values."""

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
    from vllm_kustomize.findings.merge import merge_undecided

    settings = rules.resolve(settings or Settings())
    if settings.changed:
        targets = discover_changed(paths, settings)
        paths = tuple(overlay.name for overlay in targets.overlays)
    else:
        targets = discover(paths or default_paths(settings), settings)
    executable = find_engine(settings.engine)
    cache = cache or open_cache(executable, settings)
    parts = {overlay: part for overlay in targets.overlays if (part := cache.get(overlay))}
    missing = [overlay for overlay in targets.overlays if overlay not in parts]
    from_files = []
    options = BuildOptions(settings.helm, settings.unrestricted)
    with (
        cache,
        Engine(executable, options=options, offline=settings.offline) as engine,
        contextlib.ExitStack() as stack,
    ):
        # The engine works while the checks are imported and their schemas compiled.
        rendered = engine.build_all(missing, settings.jobs)
        if (settings.name_engine or settings.engine) and not cache.engine:
            cache.engine = engine.version()
        if missing or targets.files or cache.patterns != settings.patterns():
            from vllm_kustomize.checks.plan import plan as planned
            from vllm_kustomize.kustomize.replay.tree import SourceTree, kustomize_version

            plan = planned(settings)
            if settings.server:
                plan = replace(plan, ask=engine.dry_run)
            if settings.existing:
                from vllm_kustomize.kustomize.existing import open_existing

                plan = replace(plan, exists=stack.enter_context(open_existing(settings.existing, engine)))
            cache.versions = plan.versions
            cache.accept(settings.patterns())
            tree = SourceTree(kustomize_version(cache.engine))
            for done, result in enumerate(rendered, 1):
                parts[result.overlay] = part = _guarded(
                    partial(_check_overlay, result, plan, tree), result.overlay
                )
                _remember(cache, result, part, tree)
                tree.forget(result.overlay.directory)
                if progress:
                    progress(done, len(missing))
            from_files = [_guarded(partial(_check_file, file, plan, tree), file) for file in targets.files]
    in_order = [*(parts[overlay] for overlay in targets.overlays), *from_files]
    triaged = _triage(in_order, settings, tuple(map(Path, paths)))
    return Report(
        findings=triaged.findings,
        suppressed=triaged.suppressed,
        overlays=len(targets.overlays),
        documents=sum(part.documents for part in in_order),
        skipped=tuple(dict.fromkeys(skipped for part in in_order for skipped in part.skipped)),
        undecided=merge_undecided(each for part in in_order for each in part.undecided),
        definitions=tuple(sorted({each for part in in_order for each in part.definitions})),
        engine=cache.engine if settings.name_engine or settings.engine else "",
        settings=display_path(settings.file) if settings.file else "",
        kubernetes_versions=cache.versions,
        targets=(*(overlay.name for overlay in targets.overlays), *map(_shown, targets.files)),
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
        before = stamps(inputs)
        try:
            settings = settle()
            cache = reopen_cache(cache, find_engine(settings.engine), settings)
            yield validate(paths, settings, cache=cache)
            locations = (*settings.named_schema_locations, *settings.schema_locations)
            shared = (settings.file, settings.baseline, *locations)
            roots = paths or default_paths(settings)
            read = (*roots, *cache.inputs, *(str(path) for path in shared if path))
        except (Error, OSError) as error:
            yield error if isinstance(error, Error) else Error(f"cannot go on: {error}")
            read = (*inputs, ".")
        # What was saved while the builds ran is a change too.
        settled = stamps(read)
        if stamps(inputs) == before:
            wait_for_change(read, settled)
        inputs = read


def _triage(parts: Sequence[Part], settings: Settings, paths: Sequence[Path]) -> Triaged:
    from vllm_kustomize.findings.triage import triage
    from vllm_kustomize.kustomize.repository import root_of, substitutes_with_flux

    folders = tuple(map(resolved, paths))

    def seen_whole(file: str) -> bool:
        """Whether all overlays that use a file were built: surely where it stands below a path asked for."""
        place = resolved(file)
        return not folders or any(place.is_relative_to(folder) for folder in folders)

    findings = [finding for part in parts for finding in part.findings]
    if any(finding.rule == _OF_FLUX for finding in findings) and not substitutes_with_flux(root_of(Path())):
        findings = [finding for finding in findings if finding.rule != _OF_FLUX]
    allows = dict.fromkeys(allow for part in parts for allow in part.allows)
    return triage(findings, settings, tuple(allows), seen_whole)


def build(path: str, settings: Settings | None = None) -> bytes:
    """Render the overlay at `path` as the engine does; raises `Error` with its message where it fails."""
    from vllm_kustomize.kustomize.message import shortened

    overlay, settings = _overlay(path), settings or Settings()
    options = BuildOptions(settings.helm, settings.unrestricted)
    with Engine(find_engine(settings.engine), options=options, offline=settings.offline) as started:
        rendered = started.build(overlay)
    if rendered.error:
        raise Error(f"{path} does not build: {shortened(_without_secrets(rendered))}")
    return rendered.output


def build_with_sources(path: str, settings: Settings) -> tuple[str, SourceGraph]:
    """Render the overlay at `path`, and read the sources behind it; raises `Error` as `build` does."""
    from vllm_kustomize.kustomize.replay.tree import SourceTree, kustomize_version

    rendered = build(path, settings).decode("utf-8", "replace")
    version = ""
    if settings.engine:
        with Engine(find_engine(settings.engine)) as engine:
            version = engine.version()
    return rendered, SourceTree(kustomize_version(version)).graph(_overlay(path).directory)


def _overlay(path: str) -> Overlay:
    if not Path(path).is_dir() or kustomization_in(Path(path)) is None:
        raise Error(f"{path} is not an overlay: a folder with a kustomization.yaml is one")
    return overlay_at(Path(path))


def _without_secrets(rendered: Rendered) -> str:
    """The engine's message, which may quote whatever the sources hold."""
    from vllm_kustomize.findings.collect import mask_of_overlay
    from vllm_kustomize.kustomize.replay.tree import SourceTree

    tree = SourceTree()
    return mask_of_overlay(tree.graph(rendered.overlay.directory), tree, (), ())(rendered.error)


def _guarded(check: Callable[[], Part], of: Overlay | str) -> Part:
    """What came of an overlay or file; where checking it fails or takes too much, a finding that says so."""
    from vllm_kustomize.checks.nets import internal_error, not_checked
    from vllm_kustomize.findings.mask import Mask, hide

    if isinstance(of, Overlay):
        name, file = of.name, display_path(kustomization_in(of.directory) or of.directory)
    else:
        name, file = None, _shown(of)
    try:
        with budget():
            return check()
    except OverBudget as over:
        return hide(Part((not_checked(str(over), name, file),)), Mask())
    except Error:
        raise
    except Exception as fault:
        return Part((internal_error("of the whole", fault, name, file),))


def _remember(cache: Cache, rendered: Rendered, part: Part, tree: SourceTree) -> None:
    """Keep what came of an overlay, unless part of it was not checked."""
    unchecked = rendered.error or any(finding.rule in UNCHECKED for finding in part.findings)
    with contextlib.suppress(Exception):  # what cannot be kept costs time, and what failed was said above
        cache.put(rendered.overlay, part, tree.graph(rendered.overlay.directory), bool(unchecked))


def _check_overlay(rendered: Rendered, plan: Plan, tree: SourceTree) -> Part:
    from vllm_kustomize.findings.collect import mask_of_overlay

    resources: list[Resource] = []
    part = _check_rendered(rendered, plan, tree, resources)
    graph = tree.graph(rendered.overlay.directory)
    return _read_sources(part, tree.texts, graph.reads, partial(mask_of_overlay, graph, tree, resources))


def _check_rendered(rendered: Rendered, plan: Plan, tree: SourceTree, resources: list[Resource]) -> Part:
    """What came of what the engine rendered, which is added to `resources`."""
    from vllm_kustomize.checks.nets import not_checked
    from vllm_kustomize.checks.sources import check_sources, gaps
    from vllm_kustomize.kustomize.load import load_rendered
    from vllm_kustomize.kustomize.unbuilt import what_is_blank, what_it_needs

    overlay = rendered.overlay
    graph = tree.graph(overlay.directory)
    about_sources = tuple(check_sources(overlay, graph, plan))
    file = display_path(kustomization_in(overlay.directory) or overlay.directory)
    whole = Location(file, 1, 1, precision=Precision.FILE)
    if rendered.error:
        from vllm_kustomize.kustomize.failure import find_failure
        from vllm_kustomize.kustomize.message import shortened

        if missing := what_it_needs(rendered.error, overlay.directory):
            return Part(about_sources, skipped=(Skipped(overlay.name, missing, whole=True),))
        where = find_failure(graph, rendered.error) or whole
        failed = _pipeline_finding("build-failed", shortened(rendered.error), where, plan, overlay)
        return Part(failed + about_sources)
    try:
        resources += load_rendered(rendered.output, overlay.name)
    except Error as error:
        return Part((not_checked(str(error), overlay.name, file), *about_sources))
    if not resources and (missing := what_is_blank(graph.files)):
        return Part(about_sources, skipped=(Skipped(overlay.name, missing, whole=True),))
    if not resources:
        message = "the build is empty: it renders no object"
        return Part(_pipeline_finding("empty-build", message, whole, plan, overlay) + about_sources)
    part = _check(Build(tuple(resources), overlay), plan, tree)
    skipped = part.skipped + tuple(gaps(overlay, graph, plan))
    return replace(part, findings=part.findings + about_sources, skipped=skipped)


def _check_file(name: str, plan: Plan, tree: SourceTree) -> Part:
    from vllm_kustomize.findings.collect import mask_of_file

    shown = _shown(name)
    try:
        tree.texts[shown] = _read(name)
    except Unreadable as error:
        whole = Location(shown, 1, 1, precision=Precision.FILE)
        return Part(_pipeline_finding("invalid-yaml", str(error), whole, plan))
    resources: list[Resource] = []
    part = _check_text(shown, plan, tree, resources)
    return _read_sources(
        part, tree.texts, shown.__eq__, partial(mask_of_file, shown, tree.texts[shown], resources)
    )


def _check_text(shown: str, plan: Plan, tree: SourceTree, resources: list[Resource]) -> Part:
    """What came of a file's text, whose objects are added to `resources`."""
    from vllm_kustomize.kustomize.load import resources_in
    from vllm_kustomize.kustomize.yaml.nodes import DocumentError, read_documents

    try:
        documents = read_documents(tree.texts[shown], shown)
    except DocumentError as error:
        return Part(_pipeline_finding("invalid-yaml", error.message, error.location, plan))
    for index, document in enumerate(documents):
        resources += resources_in(document.data, index)
    if not resources:
        whole = Location(shown, 1, 1, precision=Precision.FILE)
        return Part(_pipeline_finding("empty-build", "the file holds no object", whole, plan))
    duplicates = tuple(
        finding
        for document in documents
        for duplicate in document.duplicates
        for finding in _pipeline_finding(
            "duplicate-key",
            f"the key '{duplicate.path[-1]}' stands here for the second time",
            duplicate.location,
            plan,
            related=(replace(duplicate.first, note="first here"),),
        )
    )
    part = _check(Build(tuple(resources), file=shown), plan, tree, documents)
    return replace(part, findings=duplicates + part.findings)


def _check(build: Build, plan: Plan, tree: SourceTree, documents: Sequence[Document] = ()) -> Part:
    from vllm_kustomize.checks.run import check

    checked = check(build, plan)
    part = Part(
        (),
        len(build.resources),
        checked.skipped,
        definitions=checked.definitions,
        undecided=checked.undecided,
        reads=checked.reads,
    )
    if not checked.diagnoses:
        return part
    from vllm_kustomize.findings.locate import locate

    return replace(part, findings=tuple(locate(build, checked.diagnoses, tree, documents)))


def _read_sources(
    part: Part, texts: Mapping[str, str], is_behind: Callable[[str], bool], mask_of: MaskOf
) -> Part:
    """Read the comments in the files, quote the lines that findings point at, and hide secrets."""
    from vllm_kustomize.findings.comments import read_allows
    from vllm_kustomize.findings.excerpts import quote
    from vllm_kustomize.findings.mask import hide

    part = replace(part, allows=tuple(read_allows(texts, is_behind)))
    if not (part.findings or part.skipped or part.undecided or part.allows):
        return part
    mask = mask_of(value for finding in part.findings for value in finding.withheld)
    return hide(replace(part, findings=tuple(quote(part.findings, texts, mask))), mask)


def _pipeline_finding(
    rule_id: str,
    message: str,
    location: Location,
    plan: Plan,
    overlay: Overlay | None = None,
    related: tuple[Location, ...] = (),
) -> tuple[Finding, ...]:
    """A finding that no check can make because there is nothing to check; none where it is not wanted."""
    from vllm_kustomize import rules

    if not plan.settings.selects(rule_id):
        return ()
    rule = rules.get(rule_id)
    name = overlay.name if overlay else None
    return (Finding(rule_id, rule.severity, message, rule.help, name, None, (), location, related),)


class Unreadable(Error):
    """A file that holds no text; the other targets are checked all the same."""


def _shown(file: str) -> str:
    return "<stdin>" if file == "-" else file


def _read(name: str) -> str:
    from vllm_kustomize.kustomize.yaml.reader import read_bytes, read_stream

    try:
        data = read_stream(sys.stdin) if name == "-" else read_bytes(name)
    except OSError as error:
        raise Unreadable(f"cannot read {_shown(name)}: {error.strerror}") from None
    try:
        return data.decode("utf-8-sig")
    except UnicodeDecodeError as error:
        raise Unreadable(f"{_shown(name)} is not UTF-8 (byte {error.start})") from None
