"""Move a repository to another release of vLLM or Kubernetes: what changes, and what to look at."""

from __future__ import annotations

import difflib
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from contextlib import AbstractContextManager
from dataclasses import dataclass, field, replace
from functools import cached_property
from pathlib import Path
from typing import Literal

from vllm_kustomize import pipeline
from vllm_kustomize.checks import published
from vllm_kustomize.checks.upgrades import mixed_releases
from vllm_kustomize.kustomize.discover import display_path, exists, resolved, yaml_files
from vllm_kustomize.kustomize.edit import Edit, Scalars, edited, users
from vllm_kustomize.kustomize.load import load_rendered
from vllm_kustomize.kustomize.provenance import Locator
from vllm_kustomize.kustomize.replay.tree import SourceTree
from vllm_kustomize.kustomize.repository import root_of
from vllm_kustomize.kustomize.yaml.nodes import DocumentError
from vllm_kustomize.model import (
    Build,
    Error,
    Finding,
    KubernetesVersion,
    Location,
    Overlay,
    Precision,
    Report,
    Resource,
    without_offset,
)
from vllm_kustomize.pipeline import Progress
from vllm_kustomize.pipeline.render import engine_of
from vllm_kustomize.pipeline.targets import default_paths, discover
from vllm_kustomize.settings import Settings
from vllm_kustomize.verbs.releases import Named, named_in
from vllm_kustomize.verbs.trial import new_findings, validate_with
from vllm_kustomize.vllm.cli import flags
from vllm_kustomize.vllm.cli.catalog import Option, Release, nearest, version_key
from vllm_kustomize.vllm.container.reading import servers
from vllm_kustomize.vllm.server import Server

Kind = Literal["changed", "by hand", "note"]


@dataclass(frozen=True, slots=True)
class Remark:
    """What becomes of one place: it is `changed`, is left to somebody `by hand`, or only worth a `note`.

    `overlays` are those whose builds read the file.
    """

    location: Location
    text: str
    kind: Kind = "note"
    overlays: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class Upgrade:
    """What an upgrade comes to. `contents` are the files as they will be, `before` as they are.

    `findings` are those that it would bring; with one that fails a run nothing may be written.
    """

    remarks: tuple[Remark, ...]
    mixed: tuple[Finding, ...]
    findings: tuple[Finding, ...]
    before: Mapping[Path, bytes]
    contents: Mapping[Path, bytes]
    report: Report

    @property
    def left(self) -> tuple[Remark, ...]:
        """What somebody has to do by hand."""
        return tuple(remark for remark in self.remarks if remark.kind == "by hand")

    def diff(self) -> Iterator[str]:
        """The change of the sources as a unified diff, line by line."""
        for file, content in self.contents.items():
            old, new = (text.decode("utf-8", "replace").splitlines() for text in (self.before[file], content))
            name = display_path(file)
            yield from difflib.unified_diff(old, new, f"a/{name}", f"b/{name}", lineterm="")


def upgrade(
    paths: Sequence[str],
    settings: Settings,
    vllm: str,
    kubernetes: KubernetesVersion | None,
    progress: Callable[[str], AbstractContextManager[Progress | None]],
) -> Upgrade:
    """Work out an upgrade of everything at `paths`, and validate what it would come to; writes nothing.

    `progress` shows how far a step has come, given what it does. Raises `Error` for a release that is not
    known, where nothing can be built, and for a file outside of the repository.
    """
    target = flags.release(vllm) if vllm else None
    built = tuple(path for path in paths if _is_built(path, settings)) or paths
    work = _Upgrading(paths, built, settings, target, kubernetes)
    work.bump()
    work.build()
    contents = edited(work.edits, root_of(Path()))
    checked = (*(built or default_paths(settings)), *work.alone(contents))
    with progress("Validating as it is") as advance:
        before = pipeline.validate(checked, settings, advance)
    wanted = replace(settings, kubernetes_versions=(kubernetes,)) if kubernetes else settings
    with progress("Validating as it will be") as advance:
        after = validate_with(contents, checked, wanted, advance)
    using = users([Path(each.location.file) for each in work.remarks], work.overlays, work.tree)
    remarks = tuple(
        replace(each, overlays=using[Path(each.location.file)]) for each in dict.fromkeys(work.remarks)
    )
    return Upgrade(
        remarks,
        tuple(mixed_releases.findings([(each.version, each.location) for each in work.named])),
        new_findings(before, after),
        {file: file.read_bytes() for file in contents},
        contents,
        after,
    )


def _is_built(path: str, settings: Settings) -> bool:
    """Whether a path has something to build and validate: a folder of Helm values has not."""
    try:
        found = discover([path], settings)
        return bool(found.overlays or found.files)
    except Error:
        return not exists(Path(path))  # which is said of it later


@dataclass
class _Upgrading:
    """What gathers while an upgrade is worked out; of the paths some are `built`, others only read."""

    paths: Sequence[str]
    built: Sequence[str]
    settings: Settings
    target: Release | None
    kubernetes: KubernetesVersion | None
    tree: SourceTree = field(default_factory=SourceTree)
    edits: list[Edit] = field(default_factory=list)
    remarks: list[Remark] = field(default_factory=list)
    named: list[Named] = field(default_factory=list)
    scalars: dict[str, Scalars] = field(default_factory=dict)

    @cached_property
    def overlays(self) -> tuple[Overlay, ...]:
        """The overlays that are upgraded."""
        return discover(self.built, self.settings).overlays

    def files(self) -> Iterable[Path]:
        """The YAML files below the paths, the working directory where none is given, and what builds read."""
        below = (
            file for path in self.paths or (".",) for file in yaml_files(Path(path), self.settings.exclude)
        )
        read = (file for overlay in self.overlays for file in self.tree.graph(overlay.directory).files)
        found = {resolved(file): file for file in (*read, *below)}
        root = resolved(root_of(Path()))
        return sorted(
            file for file in found if file.suffix in (".yaml", ".yml") and file.is_relative_to(root)
        )

    def alone(self, files: Iterable[Path]) -> Iterator[str]:
        """Those of some files that hold objects and that no overlay reads: targets of their own."""
        for file, overlays in users(files, self.overlays, self.tree).items():
            documents = () if overlays else self.tree.documents(file)
            if documents and all(document.root.text("kind") for document in documents):
                yield display_path(file)

    def bump(self) -> None:
        """Put the release in where another one is named."""
        if self.target is None:
            return
        for file in self.files():
            try:
                documents = self.tree.documents(file)
            except (OSError, UnicodeDecodeError, DocumentError):
                continue  # validation says so, where a build reads it
            for document in documents:
                for named in named_in(document.root):
                    self.named.append(named)
                    self._bump(named, self.target.version)

    def _bump(self, named: Named, version: str) -> None:
        if version_key(named.version) >= version_key(version):
            if version_key(named.version) > version_key(version):
                self.remarks.append(Remark(named.location, f"{named.tag} is newer than {version}, and stays"))
            return
        new = named.bumped(version)
        reason = named.by_hand
        if not reason and not self._replace(named.location, named.tag, new):
            reason = "it is written in a way that is not edited"
        text = f"{named.tag} stays: {reason}" if reason else f"{named.tag} -> {new}"
        self.remarks.append(Remark(named.location, text, "by hand" if reason else "changed"))

    def _replace(self, at: Location, old: str, new: str) -> bool:
        """Edit a scalar; False where that cannot be done surely."""
        if at.precision is not Precision.EXACT or at.file not in self.tree.texts:
            return False
        edit = self._scalars(at.file).replace(Path(at.file), at, old, new)
        self.edits += [edit] if edit else []
        return edit is not None

    def _scalars(self, file: str) -> Scalars:
        if file not in self.scalars:
            self.scalars[file] = Scalars(self.tree.texts[file])
        return self.scalars[file]

    def build(self) -> None:
        """Look at what each overlay renders now."""
        with engine_of(self.settings) as engine:
            for rendered in engine.build_all(self.overlays, self.settings.jobs):
                if rendered.error:
                    continue  # validation says so
                resources = tuple(load_rendered(rendered.output, rendered.overlay.name))
                locator = Locator(self.tree.graph(rendered.overlay.directory))
                if self.target is not None:
                    for server in servers(Build(resources, rendered.overlay))[0]:
                        self._options(server, self.target, locator)
                if self.kubernetes is not None:
                    for resource in resources:
                        self._api_version(resource, self.kubernetes, locator)

    def _options(self, server: Server, new: Release, locator: Locator) -> None:
        """What becomes of the options of one server."""
        if server.assumed:
            return
        old, _ = nearest(server.release)
        changes = flags.compare(old, new)
        given: set[str] = set()
        for argument in server.line.arguments:
            name = argument.text.partition("=")[0]
            option = old.options.get(name.replace("_", "-"))
            if not name.startswith("-") or option is None:
                continue
            given.add(option.name)
            path, _ = without_offset(argument.path)
            at = locator.locate(server.resource, path).primary
            self.remarks += self._of_option(name, option, old, new, changes, at)
        place = locator.locate(server.resource, server.container.path).primary
        for before, after in changes.defaults:
            if before.name not in given and (before.default or after.default):
                text = f"{after.name} is not set, and its default changes: {_changed(before, after)}"
                self.remarks.append(Remark(place, text))

    def _of_option(
        self, name: str, option: Option, old: Release, new: Release, changes: flags.Changes, at: Location
    ) -> Iterator[Remark]:
        current = new.options.get(option.name)
        renamed, same = _renamed(option, old, new)
        if renamed:
            done = same and self._replace(at, name, renamed)
            yield _remark(at, f"{name} {'->' if done else 'is now'} {renamed}", done)
        elif current is None:
            yield Remark(at, f"{name} is gone in vLLM {new.version}", "by hand")
        elif current.deprecated and not option.deprecated:
            removal = f", to go in {current.deprecated.removal}" if current.deprecated.removal else ""
            yield Remark(at, f"{name} is deprecated{removal}")
        for before, after in changes.values:
            if before == option:
                text = f"{flags.takes(before) or 'no value'} -> {flags.takes(after) or 'no value'}"
                yield Remark(at, f"{name} takes other values: {text}")
        for before, after in changes.defaults:
            if before == option:
                yield Remark(at, f"{name} is set, and its default changes: {_changed(before, after)}")

    def _api_version(self, resource: Resource, version: KubernetesVersion, locator: Locator) -> None:
        """Put in the API version that the release serves, where it no longer serves the object's own."""
        old = resource.api_version
        group = old.rpartition("/")[0]
        served = published.api_versions(group, resource.kind, version)
        if old in served or not served:
            return
        located = locator.locate(resource, ("apiVersion",))
        new = served[-1]
        for at in (located.primary, *located.related):
            done = self._replace(at, old, new)
            text = f"{resource.kind}: {old} {'->' if done else 'is now'} {new}"
            self.remarks.append(_remark(at, text, done))


def _renamed(option: Option, old: Release, new: Release) -> tuple[str, bool]:
    """The new name of an option, empty where it keeps its own, and whether it takes the same as before."""
    current = new.options.get(option.name)
    use = current.deprecated.use if current and current.deprecated else ""
    if "." in use and use.partition(".")[0] in new.options:
        return use, True  # a key of an option that takes JSON
    after = new.options.get(use) or flags.successor(option, old, new)
    return (after.name, flags.takes(after) == flags.takes(option)) if after else ("", False)


def _remark(at: Location, text: str, done: bool) -> Remark:
    return Remark(at, text, "changed" if done else "by hand")


def _changed(before: Option, after: Option) -> str:
    return f"{_shown(before.default)} -> {_shown(after.default)}"


def _shown(default: object) -> str:
    return "unset" if default is None else str(default)
