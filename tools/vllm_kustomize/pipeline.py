"""discover → build → load → check → locate → report."""

from __future__ import annotations

import contextlib
import sys
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import TYPE_CHECKING

from vllm_kustomize.cache.store import Cache, open_cache
from vllm_kustomize.kustomize.discover import (
    display_path,
    find_manifests,
    find_overlays,
    is_patch,
    kustomization_in,
    overlay_at,
)
from vllm_kustomize.kustomize.engine import BuildOptions, Engine, Rendered, find_engine
from vllm_kustomize.model import Build, Error, Finding, Location, Overlay, Part, Precision, Report, Skipped
from vllm_kustomize.settings import Settings

if TYPE_CHECKING:
    from vllm_kustomize.checks.run import Plan
    from vllm_kustomize.findings.triage import Triaged
    from vllm_kustomize.kustomize.replay.graph import SourceTree
    from vllm_kustomize.kustomize.yaml.nodes import Document

Progress = Callable[[int, int], None]
"""Called with the number of finished targets and of all targets."""


@dataclass(frozen=True, slots=True)
class Targets:
    """What the paths of a command line come to; `files` may hold "-" for standard input."""

    overlays: tuple[Overlay, ...]
    files: tuple[str, ...]


def default_paths(settings: Settings) -> tuple[str, ...]:
    """Where overlays are looked for when no path is given: the settings', `overlays/`, or here."""
    if settings.paths and settings.file and settings.file.parent == Path.cwd():
        return settings.paths
    return ("overlays",) if Path("overlays").is_dir() else (".",)


def discover(paths: Sequence[str], settings: Settings) -> Targets:
    """Sort paths into overlays and files of rendered YAML; raises `Error` for what is neither.

    A folder without any kustomization stands for the files of objects in it, a patch for the overlays that
    use it.
    """
    overlays: dict[str, Overlay] = {}
    files: dict[str, None] = {}
    for text in paths:
        path = Path(text)
        if text == "-":
            files[text] = None
        elif path.is_dir():
            found = find_overlays(path, settings.exclude)
            overlays.update((overlay.name, overlay) for overlay in found)
            manifests = [] if found else find_manifests(path, settings.exclude)
            files.update((display_path(file), None) for file in manifests)
            if not found and not manifests:
                raise Error(f"nothing to validate in {text}: no kustomization.yaml, and no file of objects")
        elif path.is_file():
            if kustomization_in(path.parent) == path:
                overlays.update((overlay.name, overlay) for overlay in find_overlays(path.parent))
            elif is_patch(path) and (users := _users_of(path, settings)):
                overlays.update((overlay.name, overlay) for overlay in users)
            else:
                files[text] = None
        elif path.is_symlink():
            raise Error(f"{text} is a symbolic link to {path.readlink()}, which does not exist")
        else:
            raise Error(f"{text} does not exist")
    return Targets(tuple(overlays.values()), tuple(files))


def _users_of(patch: Path, settings: Settings) -> list[Overlay]:
    """The overlays of the repository, or else of the patch's own folders, that use a patch."""
    from vllm_kustomize.kustomize.affected import affected

    owners = [str(folder) for folder in patch.absolute().parents if kustomization_in(folder)]
    for roots in (default_paths(settings), owners[:1]):
        try:
            found = list(affected(discover(roots, settings).overlays, {patch.resolve()}))
        except Error:
            continue
        if found:
            return found
    return []


def discover_changed(files: Sequence[str], settings: Settings) -> Targets:
    """The overlays that changed files belong to; all of them where the settings are among the files."""
    from vllm_kustomize.kustomize.affected import affected

    targets = discover(default_paths(settings), settings)
    changed = {Path(file).resolve() for file in files}
    locations = (*settings.named_schema_locations, *settings.schema_locations)
    shared = (settings.file, settings.baseline, *locations)
    settled = [path.resolve() for path in shared if path]
    if any(file == path or path in file.parents for file in changed for path in settled):
        return targets
    return replace(targets, overlays=tuple(affected(targets.overlays, changed)))


def validate(
    paths: Sequence[str], settings: Settings, progress: Progress | None = None, cache: Cache | None = None
) -> Report:
    """Build and check everything at `paths`, less what `cache` (the user's, if None) still knows.

    Raises `Error` where a path, the engine or a setting makes it impossible to check what was asked for.
    """
    from vllm_kustomize import rules

    settings = rules.resolve(settings)
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
    with cache, Engine(executable, options=options) as engine, contextlib.ExitStack() as stack:
        # The engine works while the checks are imported and their schemas compiled.
        rendered = engine.build_all(missing, settings.jobs)
        if (settings.name_engine or settings.engine) and not cache.engine:
            cache.engine = engine.version()
        if missing or targets.files:
            from vllm_kustomize.checks import run
            from vllm_kustomize.kustomize.replay.graph import SourceTree, kustomize_version

            plan = run.plan(settings)
            if settings.server:
                plan = replace(plan, ask=engine.dry_run)
            if settings.existing:
                from vllm_kustomize.kustomize.existing import open_existing

                plan = replace(plan, exists=stack.enter_context(open_existing(settings.existing, engine)))
            cache.versions = plan.versions
            tree = SourceTree(kustomize_version(cache.engine))
            for done, result in enumerate(rendered, 1):
                graph = tree.graph(result.overlay.directory)
                part = _read_sources(_check_overlay(result, plan, tree), tree.texts, graph.reads)
                parts[result.overlay] = part
                cache.put(result.overlay, part, graph, bool(result.error))
                tree.forget(result.overlay.directory)
                if progress:
                    progress(done, len(missing))
            from_files = [
                _read_sources(_check_file(file, plan, tree), tree.texts, _shown(file).__eq__)
                for file in targets.files
            ]
    in_order = [*(parts[overlay] for overlay in targets.overlays), *from_files]
    triaged = _triage(in_order, settings, tuple(map(Path, paths)))
    return Report(
        findings=triaged.findings,
        suppressed=triaged.suppressed,
        overlays=len(targets.overlays),
        documents=sum(part.documents for part in in_order),
        skipped=tuple(dict.fromkeys(skipped for part in in_order for skipped in part.skipped)),
        definitions=tuple(sorted({each for part in in_order for each in part.definitions})),
        engine=cache.engine if settings.name_engine or settings.engine else "",
        kubernetes_versions=cache.versions,
        targets=(*(overlay.name for overlay in targets.overlays), *map(_shown, targets.files)),
        fail_on=settings.fail_on,
    )


def watch(paths: Sequence[str], settings: Settings) -> Iterator[Report]:
    """Validate, and again whenever something changes that the builds read; never ends by itself."""
    from vllm_kustomize.cache.watch import stamps, wait_for_change

    if "-" in paths:
        raise Error("standard input cannot be watched")
    cache = open_cache(find_engine(settings.engine), settings)
    roots = paths or default_paths(settings)
    watched = tuple(roots)
    while True:
        before = stamps(watched)
        yield validate(paths, settings, cache=cache)
        inputs = (*roots, *cache.inputs)
        settled = stamps(inputs)
        # What was saved while the builds ran is a change too.
        if stamps(watched) == before:
            wait_for_change(inputs, settled)
        watched = inputs
        cache.refresh()


def _triage(parts: Sequence[Part], settings: Settings, paths: Sequence[Path]) -> Triaged:
    from vllm_kustomize.findings.triage import triage

    folders = tuple(path.resolve() for path in paths)

    def seen_whole(file: str) -> bool:
        """Whether all overlays that use a file were built: surely where it stands below a path asked for."""
        place = Path(file).resolve()
        return not folders or any(place.is_relative_to(folder) for folder in folders)

    findings = (finding for part in parts for finding in part.findings)
    allows = dict.fromkeys(allow for part in parts for allow in part.allows)
    return triage(findings, settings, tuple(allows), seen_whole)


def build(path: str, engine: str | None = None) -> bytes:
    """Render the overlay at `path` as the engine does; raises `Error` with its message where it fails."""
    if not Path(path).is_dir() or kustomization_in(Path(path)) is None:
        raise Error(f"{path} is not an overlay: a folder with a kustomization.yaml is one")
    with Engine(find_engine(engine)) as started:
        rendered = started.build(overlay_at(Path(path)))
    if rendered.error:
        raise Error(f"{path} does not build: {rendered.error}")
    return rendered.output


def _check_overlay(rendered: Rendered, plan: Plan, tree: SourceTree) -> Part:
    from vllm_kustomize.checks.run import check_source, gaps
    from vllm_kustomize.kustomize.load import load_rendered

    overlay = rendered.overlay
    about_sources = tuple(check_source(overlay, tree, plan))
    file = display_path(kustomization_in(overlay.directory) or overlay.directory)
    whole = Location(file, 1, 1, precision=Precision.FILE)
    if rendered.error:
        from vllm_kustomize.kustomize.failure import find_failure
        from vllm_kustomize.kustomize.unbuilt import what_it_needs

        if missing := what_it_needs(rendered.error, overlay.directory):
            return Part(about_sources, skipped=(Skipped(overlay.name, missing, whole=True),))
        where = find_failure(tree.graph(overlay.directory), rendered.error) or whole
        failed = _pipeline_finding("build-failed", rendered.error, where, plan, overlay)
        return Part(failed + about_sources)
    resources = tuple(load_rendered(rendered.output, overlay.name))
    if not resources:
        message = "the build is empty: it renders no object"
        return Part(_pipeline_finding("empty-build", message, whole, plan, overlay) + about_sources)
    part = _check(Build(resources, overlay), plan, tree)
    skipped = part.skipped + tuple(gaps(overlay, tree, plan))
    return replace(part, findings=part.findings + about_sources, skipped=skipped)


def _check_file(name: str, plan: Plan, tree: SourceTree) -> Part:
    from vllm_kustomize.kustomize.load import resources_in
    from vllm_kustomize.kustomize.yaml.nodes import DocumentError, read_documents

    shown = _shown(name)
    try:
        tree.texts[shown] = _read(name)
    except Unreadable as error:
        whole = Location(shown, 1, 1, precision=Precision.FILE)
        return Part(_pipeline_finding("invalid-yaml", str(error), whole, plan))
    try:
        documents = read_documents(tree.texts[shown], shown)
    except DocumentError as error:
        return Part(_pipeline_finding("invalid-yaml", error.message, error.location, plan))
    resources = tuple(
        resource
        for index, document in enumerate(documents)
        for resource in resources_in(document.data, index)
    )
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
    part = _check(Build(resources, file=shown), plan, tree, documents)
    return replace(part, findings=duplicates + part.findings)


def _check(build: Build, plan: Plan, tree: SourceTree, documents: Sequence[Document] = ()) -> Part:
    from vllm_kustomize.checks.run import check

    checked = check(build, plan)
    if not checked.problems:
        return Part((), len(build.resources), checked.skipped, definitions=checked.definitions)
    from vllm_kustomize.findings.locate import locate

    findings = tuple(locate(build, checked.problems, tree, documents))
    return Part(findings, len(build.resources), checked.skipped, definitions=checked.definitions)


def _read_sources(part: Part, texts: Mapping[str, str], is_behind: Callable[[str], bool]) -> Part:
    """Quote the lines that findings point at, and read the comments in the files behind them."""
    from vllm_kustomize.findings.comments import read_allows
    from vllm_kustomize.findings.excerpts import quote

    return replace(
        part, findings=tuple(quote(part.findings, texts)), allows=tuple(read_allows(texts, is_behind))
    )


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
    from vllm_kustomize.kustomize.yaml.reader import MAX_BYTES, read_bytes

    try:
        data = sys.stdin.buffer.read(MAX_BYTES + 1) if name == "-" else read_bytes(name)
    except OSError as error:
        raise Unreadable(f"cannot read {name}: {error.strerror}") from None
    if len(data) > MAX_BYTES:
        raise Error(f"standard input holds more than {MAX_BYTES >> 20} MiB")
    try:
        return data.decode("utf-8-sig")
    except UnicodeDecodeError as error:
        raise Unreadable(f"{name} is not UTF-8 (byte {error.start})") from None
