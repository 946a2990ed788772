"""Two renders of an overlay, matched object by object, and how each object differs."""

from __future__ import annotations

import difflib
from collections.abc import Iterator, Sequence
from dataclasses import dataclass

from vllm_kustomize.checks.existing import identity
from vllm_kustomize.findings.excerpts import Excerpts
from vllm_kustomize.findings.mask import Mask
from vllm_kustomize.findings.sources import lines_of
from vllm_kustomize.kubernetes.addressing import HASH
from vllm_kustomize.kubernetes.secrets import HIDDEN
from vllm_kustomize.kustomize.load import load_rendered, texts_of
from vllm_kustomize.model import Resource

_GENERATED = ("ConfigMap", "Secret")
"""Kinds whose names end in a hash of the content where a kustomization generates them."""

_CONTEXT = 3
"""Lines around a change, as `diff -u` has them."""


@dataclass(frozen=True, slots=True)
class Rendering:
    """One object and its text."""

    resource: Resource
    text: str


@dataclass(frozen=True, slots=True)
class Pair:
    """An object before and after; one of the two is None where it was added or removed."""

    before: Rendering | None
    after: Rendering | None

    @property
    def change(self) -> str:
        """`added`, `removed`, `changed`, or an empty string where it is the same."""
        if self.before is None or self.after is None:
            return "added" if self.before is None else "removed"
        return "changed" if self.before.text != self.after.text else ""

    @property
    def resources(self) -> tuple[Resource | None, Resource | None]:
        """The two objects."""
        return (
            self.before.resource if self.before else None,
            self.after.resource if self.after else None,
        )

    def __str__(self) -> str:
        found = [each.resource for each in (self.before, self.after) if each]
        names = " -> ".join(dict.fromkeys(each.name for each in found))
        namespace = f" in {found[-1].namespace}" if found[-1].namespace else ""
        return f"{found[-1].kind}/{names}{namespace}"

    def lines(self, mask: Mask) -> list[str]:
        """A unified diff, without the two lines that name files; values that are secret are hidden."""
        old, new = (
            _shown(self.before, self.after, "before", mask),
            _shown(self.after, self.before, "after", mask),
        )
        return list(difflib.unified_diff(old, new, n=_CONTEXT, lineterm=""))[2:]


def renderings(output: bytes, name: str) -> tuple[Rendering, ...]:
    """What the engine rendered, object by object; raises `Error` where that is not YAML."""
    resources = tuple(load_rendered(output, name)) if output else ()
    return tuple(map(Rendering, resources, texts_of(output, resources)))


def match(before: Sequence[Rendering], after: Sequence[Rendering]) -> Iterator[Pair]:
    """Pair objects by what identifies them in a cluster, generated ones also by their name without the hash.

    Pairs come in the order of `after`; what is gone follows.
    """
    left = {identity(each.resource): each for each in before}
    paired = {identity(each.resource): left.pop(identity(each.resource), None) for each in after}
    unhashed = {_unhashed(each.resource): key for key, each in left.items()}
    for each in after:
        found = paired[identity(each.resource)]
        if found is None and (key := unhashed.pop(_unhashed(each.resource), None)):
            found = left.pop(key)
        yield Pair(found, each)
    yield from (Pair(each, None) for each in left.values())


def _unhashed(resource: Resource) -> tuple[str, str, str, str]:
    group, kind, namespace, name = identity(resource)
    return group, kind, namespace, HASH.sub("-", name) if kind in _GENERATED else name


def _shown(one: Rendering | None, other: Rendering | None, when: str, mask: Mask) -> list[str]:
    """The lines of one side; a secret that the other one lacks says that it differs, and not how."""
    if one is None:
        return []
    raw, excerpts = lines_of(one.text), Excerpts(one.text, mask)
    others = set(lines_of(other.text)) if other else set(raw)
    differs = f"{HIDDEN[:-1]}, {when}]"
    shown = (excerpts.line(number) for number in range(1, len(raw) + 1))
    return [
        line if mine in others else line.replace(HIDDEN, differs)
        for mine, line in zip(raw, shown, strict=True)
    ]
