"""What comes of one overlay, or of one file of rendered YAML: loaded, checked, located, quoted and masked."""

from __future__ import annotations

import sys
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import replace
from functools import partial

from vllm_kustomize import rules
from vllm_kustomize.budget import OverBudget, budget
from vllm_kustomize.checks.nets import internal_error, not_checked
from vllm_kustomize.checks.plan import Plan
from vllm_kustomize.checks.run import check
from vllm_kustomize.checks.sources import check_sources, gaps
from vllm_kustomize.findings.collect import mask_of_file, mask_of_overlay
from vllm_kustomize.findings.comments import read_allows
from vllm_kustomize.findings.excerpts import quote
from vllm_kustomize.findings.mask import Mask, hide
from vllm_kustomize.kustomize.discover import display_path, kustomization_in
from vllm_kustomize.kustomize.engine import Rendered
from vllm_kustomize.kustomize.failure import find_failure
from vllm_kustomize.kustomize.load import load_rendered, resources_in
from vllm_kustomize.kustomize.message import shortened
from vllm_kustomize.kustomize.replay.tree import SourceTree
from vllm_kustomize.kustomize.unbuilt import what_is_blank, what_it_needs
from vllm_kustomize.kustomize.yaml.nodes import Document, DocumentError, read_documents
from vllm_kustomize.kustomize.yaml.reader import read_bytes, read_stream
from vllm_kustomize.model import (
    Build,
    Error,
    Finding,
    Location,
    Overlay,
    Part,
    Precision,
    Resource,
    Skipped,
)
from vllm_kustomize.pipeline.targets import shown

MaskOf = Callable[[Iterable[str]], Mask]
"""Makes the mask of a build, of what is secret in it and some more values."""


def of_overlay(rendered: Rendered, plan: Plan, tree: SourceTree) -> Part:
    """What came of an overlay that the engine has rendered, or could not render."""
    overlay = rendered.overlay
    file = display_path(kustomization_in(overlay.directory) or overlay.directory)
    return _guarded(partial(_check_overlay, rendered, plan, tree), overlay.name, file)


def of_file(name: str, plan: Plan, tree: SourceTree) -> Part:
    """What came of a file of rendered YAML, or of standard input ("-")."""
    return _guarded(partial(_check_file, name, plan, tree), None, shown(name))


def _guarded(check: Callable[[], Part], overlay: str | None, file: str) -> Part:
    """What came of an overlay or file; where checking it fails or takes too much, a finding that says so."""
    try:
        with budget():
            return check()
    except OverBudget as over:
        return hide(Part((not_checked(str(over), overlay, file),)), Mask())
    except Error:
        raise
    except Exception as fault:
        return Part((internal_error("of the whole", fault, overlay, file),))


def _check_overlay(rendered: Rendered, plan: Plan, tree: SourceTree) -> Part:
    resources: list[Resource] = []
    part = _check_rendered(rendered, plan, tree, resources)
    graph = tree.graph(rendered.overlay.directory)
    return _read_sources(part, tree.texts, graph.reads, partial(mask_of_overlay, graph, tree, resources))


def _check_rendered(rendered: Rendered, plan: Plan, tree: SourceTree, resources: list[Resource]) -> Part:
    """What came of what the engine rendered, which is added to `resources`."""
    overlay = rendered.overlay
    graph = tree.graph(overlay.directory)
    about_sources = tuple(check_sources(overlay, graph, plan))
    file = display_path(kustomization_in(overlay.directory) or overlay.directory)
    whole = Location(file, 1, 1, precision=Precision.FILE)
    if rendered.error:
        if missing := what_it_needs(rendered.error, overlay.directory):
            return Part(about_sources, skipped=(Skipped(overlay.name, missing, whole=True),))
        where = find_failure(graph, rendered.error) or whole
        failed = _finding("build-failed", shortened(rendered.error), where, plan, overlay)
        return Part(failed + about_sources)
    try:
        resources += load_rendered(rendered.output, overlay.name)
    except Error as error:
        return Part((not_checked(str(error), overlay.name, file), *about_sources))
    if not resources and (missing := what_is_blank(graph.files)):
        return Part((), skipped=(Skipped(overlay.name, missing, whole=True),))
    if not resources:
        message = "the build is empty: it renders no object"
        return Part(_finding("empty-build", message, whole, plan, overlay) + about_sources)
    part = _check(Build(tuple(resources), overlay), plan, tree)
    skipped = part.skipped + tuple(gaps(overlay, graph, plan))
    return replace(part, findings=part.findings + about_sources, skipped=skipped)


def _check_file(name: str, plan: Plan, tree: SourceTree) -> Part:
    file = shown(name)
    try:
        tree.texts[file] = _read(name)
    except OSError as error:
        return hide(Part((not_checked(f"it cannot be read: {error.strerror}", None, file),)), Mask())
    except UnicodeDecodeError as error:
        whole = Location(file, 1, 1, precision=Precision.FILE)
        message = f"{file} is not UTF-8 (byte {error.start})"
        return Part(_finding("invalid-yaml", message, whole, plan))
    resources: list[Resource] = []
    part = _check_text(file, plan, tree, resources)
    return _read_sources(
        part, tree.texts, file.__eq__, partial(mask_of_file, file, tree.texts[file], resources)
    )


def _check_text(file: str, plan: Plan, tree: SourceTree, resources: list[Resource]) -> Part:
    """What came of a file's text, whose objects are added to `resources`."""
    try:
        documents = read_documents(tree.texts[file], file)
    except DocumentError as error:
        return Part(_finding("invalid-yaml", error.message, error.location, plan))
    for index, document in enumerate(documents):
        resources += resources_in(document.data, index)
    if not resources:
        whole = Location(file, 1, 1, precision=Precision.FILE)
        return Part(_finding("empty-build", "the file holds no object", whole, plan))
    duplicates = tuple(
        finding
        for document in documents
        for duplicate in document.duplicates
        for finding in _finding(
            "duplicate-key",
            f"the key '{duplicate.path[-1]}' stands here for the second time",
            duplicate.location,
            plan,
            related=(replace(duplicate.first, note="first here"),),
        )
    )
    part = _check(Build(tuple(resources), file=file), plan, tree, documents)
    return replace(part, findings=duplicates + part.findings)


def _check(build: Build, plan: Plan, tree: SourceTree, documents: Sequence[Document] = ()) -> Part:
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
    from vllm_kustomize.findings.locate import locate  # a run without findings does without

    return replace(part, findings=tuple(locate(build, checked.diagnoses, tree, documents)))


def _read_sources(
    part: Part, texts: Mapping[str, str], is_behind: Callable[[str], bool], mask_of: MaskOf
) -> Part:
    """Read the comments in the files, quote the lines that findings point at, and hide secrets."""
    part = replace(part, allows=tuple(read_allows(texts, is_behind)))
    if not (part.findings or part.skipped or part.undecided or part.allows):
        return part
    mask = mask_of(value for finding in part.findings for value in finding.withheld)
    return hide(replace(part, findings=tuple(quote(part.findings, texts, mask))), mask)


def _finding(
    rule_id: str,
    message: str,
    location: Location,
    plan: Plan,
    overlay: Overlay | None = None,
    related: tuple[Location, ...] = (),
) -> tuple[Finding, ...]:
    """A finding that no check can make because there is nothing to check; none where it is not wanted."""
    if not plan.settings.selects(rule_id):
        return ()
    rule = rules.get(rule_id)
    name = overlay.name if overlay else None
    return (Finding(rule_id, rule.severity, message, rule.help, name, None, (), location, related),)


def _read(name: str) -> str:
    data = read_stream(sys.stdin) if name == "-" else read_bytes(name)
    return data.decode("utf-8-sig")
