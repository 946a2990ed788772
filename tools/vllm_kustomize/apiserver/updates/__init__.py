"""What kube-apiserver refuses to change in an object that exists.

`check` takes the manifest that an object was last applied from and the next one, and plays server-side apply:
it fills in the server's defaults, merges, and compares. It knows nothing of the cluster beyond the two
manifests, so a claim may be bound, a Job has not started, and addresses that are not written are unknown.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace

from vllm_kustomize import apiserver
from vllm_kustomize.apiserver.updates.applying import apply, unmergeable_items
from vllm_kustomize.apiserver.updates.defaults import stored
from vllm_kustomize.apiserver.updates.frozen import FROZEN
from vllm_kustomize.apiserver.updates.special import SPECIAL, metadata
from vllm_kustomize.apiserver.updates.update import Update
from vllm_kustomize.model import FieldPath, KubernetesVersion, Manifest, Problem, Severity

RULE = "immutable-field"


def check(last: Manifest, manifest: Manifest, version: KubernetesVersion) -> Iterator[Problem]:
    """Yield what the server would refuse when `manifest` is applied to the object that came of `last`.

    Both are manifests of one object, and `manifest` on its own is one that the server would create. Custom
    resources have no problems here: their definitions say what may change.
    """
    update = _update(last, manifest, version)
    kind = _group_kind(manifest)
    fields, way_out = FROZEN.get(kind, ((), ""))
    for path in fields:
        yield from _named(update.frozen(path, way_out))
    if kind in SPECIAL:
        yield from _named(SPECIAL[kind](update))
    yield from _named(metadata(update))
    yield from _named(_unmergeable(manifest))
    if last != manifest:
        yield from _named(_left_over(update))


def _update(last: Manifest, manifest: Manifest, version: KubernetesVersion) -> Update:
    live = stored(last)
    return Update(last, manifest, live, stored(apply(live, last, manifest)), version)


def _group_kind(manifest: Manifest) -> tuple[str, str]:
    return str(manifest.get("apiVersion")).rpartition("/")[0], str(manifest.get("kind"))


def _named(problems: Iterator[Problem]) -> Iterator[Problem]:
    return (replace(problem, rule=RULE) for problem in problems)


def _unmergeable(manifest: Manifest) -> Iterator[Problem]:
    for path, wrong in unmergeable_items(manifest):
        message = f"{wrong}: server-side apply refuses the whole object"
        way_out = "Give every item of the list a key of its own."
        yield Problem(path, message, severity=Severity.ERROR, help=way_out)


def _left_over(update: Update) -> Iterator[Problem]:
    """What is fine on its own and wrong together with what the object keeps: the server's old defaults."""
    errors = _errors(update.applied, update.version)
    if not errors:
        return
    own = {**_errors(update.manifest, update.version), **_errors(stored(update.manifest), update.version)}
    for path, problem in errors.items():
        if path not in own:
            message = f"{problem.message}; the object that exists has kept this field"
            way_out = "Set the field to null once, or replace the object (kubectl replace)."
            yield replace(problem, message=message, help=way_out)


def _errors(manifest: Manifest, version: KubernetesVersion) -> dict[FieldPath, Problem]:
    return {
        problem.path: problem
        for problem in apiserver.check(manifest, version)
        if problem.severity is Severity.ERROR
    }
