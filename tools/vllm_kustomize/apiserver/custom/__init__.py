"""What kube-apiserver rejects of a custom resource: what its definition says, judged as the server judges it.

A CustomResourceDefinition says of each field what it may hold, which fields belong together (rules in the
Common Expression Language), and which lists may not repeat an item. The server fills in defaults first,
refuses unknown fields, and evaluates the rules once the structure is right.

Bad:   minReplicaCount: 5 above maxReplicaCount: 2
Good:  minReplicaCount: 1 below maxReplicaCount: 2
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, replace
from typing import Any

from vllm_kustomize.apiserver.custom import embedded, listtypes
from vllm_kustomize.apiserver.custom.applying import apply
from vllm_kustomize.apiserver.custom.correlation import ABSENT
from vllm_kustomize.apiserver.custom.decoding import decode, fill_defaults
from vllm_kustomize.apiserver.custom.definitions import Definition
from vllm_kustomize.apiserver.custom.rules import due
from vllm_kustomize.apiserver.custom.values import Refusal, Values
from vllm_kustomize.apiserver.framework.combinators import Family
from vllm_kustomize.model import FieldPath, KubernetesVersion, Manifest, Problem, Severity

api = Family("custom")
RULE = f"api-{api.name}"
SCHEMA_RULE = "schema"
_INT32 = 2**31


@dataclass(frozen=True, slots=True)
class Verdict:
    """What the server would refuse or warn of, and which patterns and rules could not be evaluated."""

    problems: tuple[Problem, ...]
    unchecked: tuple[str, ...] = ()


def check(manifest: Manifest, definition: Definition, version: KubernetesVersion) -> Verdict:
    """Judge a custom resource by its definition, as a new object.

    The metadata's own rules (names, labels, owners) are `apiserver.check`'s; here it only has to be
    decodable. Problems have the rule `schema` for the structure, `api-custom` for what goes beyond.
    """
    decoded, unknown = decode(manifest, definition.schema)
    verdict = _judge(decoded, unknown, definition, version, ABSENT)
    return replace(verdict, problems=(*verdict.problems, *_deprecated(definition)))


def check_update(
    manifest: Manifest, last: Manifest, definition: Definition, version: KubernetesVersion
) -> tuple[Problem, ...]:
    """What is refused when a custom resource is applied over the one that came of the manifest `last`.

    Both are manifests of one object. What a new object is refused for is not repeated.
    """
    schema = definition.schema
    live, _ = decode(last, schema)
    sent, unknown = decode(manifest, schema, defaults=False)
    applied = apply(live, decode(last, schema, defaults=False)[0], sent, schema)
    fill_defaults(applied, schema)
    as_new = set(check(manifest, definition, version).problems)
    verdict = _judge(applied, unknown, definition, version, live)
    return tuple(problem for problem in verdict.problems if problem not in as_new)


def _judge(
    decoded: dict[str, Any],
    unknown: list[FieldPath],
    definition: Definition,
    version: KubernetesVersion,
    before: Any,
) -> Verdict:
    """Judge a decoded object against its definition, and against the one before it unless that is ABSENT."""
    if definition.has_status:  # the status is not for an apply to set where it is a subresource
        decoded.pop("status", None)
    structure = [Refusal(path, "unknown field", blocking=True) for path in unknown]
    if "metadata" in decoded:
        structure.extend(embedded.metadata(decoded["metadata"], version))
    values = Values(version)
    values.check(decoded, definition.schema, (), before)
    structure.extend(values.found)
    known = {refusal.path for refusal in structure}
    beyond = [refusal for refusal in _scale(decoded, definition) if refusal.path not in known]
    beyond.extend(embedded.resources(decoded, definition.schema, version))
    if before is ABSENT or not any(listtypes.duplicates(before, definition.schema)):
        beyond.extend(listtypes.duplicates(decoded, definition.schema))
    unchecked = list(values.unchecked)
    if not any(refusal.blocking for refusal in (*structure, *beyond)):
        rules = tuple(due(decoded, definition.schema, before))
        if rules:
            from vllm_kustomize.apiserver.custom.evaluation import evaluate

            judgement = evaluate(rules)
            beyond.extend(judgement.found)
            unchecked.extend(judgement.unchecked)
    problems = (*_problems(structure, SCHEMA_RULE), *_problems(beyond, RULE))
    return Verdict(problems, tuple(unchecked))


def _problems(refusals: list[Refusal], rule: str) -> Iterator[Problem]:
    for refusal in dict.fromkeys(refusals):
        yield Problem(refusal.path, refusal.message, rule, Severity.ERROR, refusal.help)


def _deprecated(definition: Definition) -> Iterator[Problem]:
    if definition.deprecation:
        yield Problem(("apiVersion",), definition.deprecation, RULE, Severity.WARNING, "Use a newer version.")


def _scale(decoded: dict[str, Any], definition: Definition) -> Iterator[Refusal]:
    """What the scale subresource could not read: both replica counts and the selector, where they are set."""
    scale = definition.scale
    if scale is None:
        return
    for path in (scale.spec_replicas, scale.status_replicas):
        value = _at(decoded, path)
        if value is ABSENT:
            continue
        if isinstance(value, bool) or not isinstance(value, int):
            yield Refusal(path, "must be an integer: the scale subresource reads it")
        elif not 0 <= value < _INT32:
            yield Refusal(path, f"is {value}, but must be between 0 and {_INT32 - 1}, since it is a scale")
    selector = _at(decoded, scale.selector)
    if selector is not ABSENT and not isinstance(selector, str):
        yield Refusal(scale.selector, "must be a string: the scale subresource reads it")


def _at(value: Any, path: FieldPath) -> Any:
    """The value at a path, ABSENT where there is none, None where something on the way is not a mapping."""
    if not path:
        return ABSENT
    for name in path:
        if not isinstance(value, dict):
            return None
        if name not in value:
            return ABSENT
        value = value[name]
    return value
