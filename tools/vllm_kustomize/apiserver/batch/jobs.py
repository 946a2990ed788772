"""Jobs and CronJobs.

Rules of pkg/apis/batch/validation, after the defaults of pkg/apis/batch/v1/defaults.go.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any

from vllm_kustomize.apiserver.apps.workloads import POD_TEMPLATE
from vllm_kustomize.apiserver.batch.schedules import schedule, time_zone
from vllm_kustomize.apiserver.framework.combinators import (
    Check,
    Family,
    Fault,
    Presence,
    Rule,
    Scope,
    always,
    required,
    structs,
)
from vllm_kustomize.apiserver.framework.metadata import (
    TEMPLATE_META,
    dotted_name,
    object_meta,
)
from vllm_kustomize.apiserver.framework.selectors import SELECTOR, is_valid
from vllm_kustomize.kubernetes import names
from vllm_kustomize.kubernetes.fields import is_integer, is_set, mapping, number, sequence, text
from vllm_kustomize.kubernetes.selectors import is_empty, matches
from vllm_kustomize.wording import quote

api = Family("jobs")
API_VERSION = "batch/v1"
NOT_NEGATIVE = api.number(0)
INDEXED_LIMIT = 100_000
CRON_NAME_LIMIT = 52


def indexed(value: Any) -> bool:
    """Whether each pod of a Job has an index."""
    return text(value, "completionMode") == "Indexed"


def completion(value: Any, scope: Scope) -> Iterator[Fault]:
    """What an indexed Job needs, and what only it can have."""
    completions, parallelism = value.get("completions"), number(value, "parallelism", default=1)
    if indexed(value):
        if completions is None:
            yield Fault(("completions",), "is required where completionMode is Indexed")
        if parallelism > INDEXED_LIMIT:
            yield Fault(("parallelism",), f"must be at most {INDEXED_LIMIT} where completionMode is Indexed")
    else:
        for field in ("backoffLimitPerIndex", "maxFailedIndexes"):
            if is_set(value, field):
                yield Fault((field,), "needs completionMode: Indexed")
        if is_set(value, "successPolicy"):
            yield Fault(("successPolicy",), "needs completionMode: Indexed")
    if is_set(value, "maxFailedIndexes"):
        failed = value["maxFailedIndexes"]
        if not is_set(value, "backoffLimitPerIndex"):
            yield Fault(("backoffLimitPerIndex",), "is required beside maxFailedIndexes")
        if is_integer(failed) and is_integer(completions) and failed > completions:
            yield Fault(("maxFailedIndexes",), f"is {failed}, but must be at most completions, {completions}")
    yield from _many_indexes(value, completions, parallelism)


def _many_indexes(value: Any, completions: Any, parallelism: int) -> Iterator[Fault]:
    if not indexed(value) or not is_set(value, "backoffLimitPerIndex") or not is_integer(completions):
        return
    failed = value.get("maxFailedIndexes")
    if completions <= INDEXED_LIMIT:
        if is_integer(failed) and failed > INDEXED_LIMIT:
            yield Fault(("maxFailedIndexes",), f"must be at most {INDEXED_LIMIT}")
        return
    if failed is None:
        yield Fault(("maxFailedIndexes",), f"is required where completions are more than {INDEXED_LIMIT}")
    elif is_integer(failed) and failed > 10_000:
        yield Fault(
            ("maxFailedIndexes",), f"must be at most 10000 where completions are more than {INDEXED_LIMIT}"
        )
    if parallelism > 10_000:
        yield Fault(
            ("parallelism",), f"must be at most 10000 where completions are more than {INDEXED_LIMIT}"
        )


def restart_policy(value: Any, scope: Scope) -> Iterator[Fault]:
    """Pods of a Job end."""
    policy = text(mapping(mapping(value, "template"), "spec"), "restartPolicy", default="Always")
    path = ("template", "spec", "restartPolicy")
    if policy == "Always":
        yield Fault(path, "is required in a Job: OnFailure or Never")
    elif policy not in ("OnFailure", "Never"):
        yield Fault(path, f"{quote(policy)} is not supported in a Job; use OnFailure or Never")
    if is_set(value, "podFailurePolicy") and policy != "Never":
        yield Fault(path, "must be Never beside podFailurePolicy")


ACTIONS = ("FailJob", "Ignore", "Count", "FailIndex")


def failure_policy(value: Any, scope: Scope) -> Iterator[Fault]:
    """Rules on how pods may fail: an action, and exit codes or conditions."""
    policy = value.get("podFailurePolicy")
    if not isinstance(policy, dict):
        return
    base = ("podFailurePolicy", "rules")
    if len(sequence(policy, "rules")) > 20:
        yield Fault(base, f"holds {len(sequence(policy, 'rules'))} rules, but may hold at most 20")
    pod = mapping(mapping(value, "template"), "spec")
    known = {
        text(item, "name") for field in ("containers", "initContainers") for _, item in structs(pod, field)
    }
    for index, rule in structs(policy, "rules"):
        for fault in _failure_rule(rule, known, is_set(value, "backoffLimitPerIndex")):
            yield fault._replace(path=(*base, index, *fault.path))


def _failure_rule(rule: Mapping[Any, Any], containers: set[str], per_index: bool) -> Iterator[Fault]:
    action = text(rule, "action")
    if not action:
        yield Fault(("action",), f"is required: one of {', '.join(ACTIONS)}")
    elif action not in ACTIONS:
        yield Fault(("action",), f"{quote(action)} is not supported; use one of {', '.join(ACTIONS)}")
    elif action == "FailIndex" and not per_index:
        yield Fault(("action",), "FailIndex needs backoffLimitPerIndex")
    codes, conditions = rule.get("onExitCodes"), sequence(rule, "onPodConditions")
    if codes is not None and conditions:
        yield Fault((), "may not have both onExitCodes and onPodConditions")
    elif codes is None and not conditions:
        yield Fault((), "needs onExitCodes or onPodConditions")
    if isinstance(codes, dict):
        yield from _exit_codes(codes, containers)
    if len(conditions) > 20:
        yield Fault(("onPodConditions",), "may hold at most 20 conditions")
    for index, condition in structs(rule, "onPodConditions"):
        kind = condition.get("type") or ""
        if isinstance(kind, str) and (message := names.qualified_name(kind)):
            yield Fault(("onPodConditions", index, "type"), message)
        if text(condition, "status", default="True") not in ("True", "False", "Unknown"):
            yield Fault(("onPodConditions", index, "status"), "must be True, False or Unknown")


def _exit_codes(codes: Mapping[Any, Any], containers: set[str]) -> Iterator[Fault]:
    operator, values = text(codes, "operator"), sequence(codes, "values")
    if operator not in ("In", "NotIn"):
        yield Fault(("onExitCodes", "operator"), "must be In or NotIn")
    name = codes.get("containerName")
    if isinstance(name, str) and name not in containers:
        yield Fault(("onExitCodes", "containerName"), f"{quote(name)} is not a container of the template")
    if not values:
        yield Fault(("onExitCodes", "values"), "needs at least one exit code")
    elif len(values) > 255:
        yield Fault(("onExitCodes", "values"), "may hold at most 255 exit codes")
    numbers = [0 if code is None else code for code in values]
    for index, code in enumerate(numbers):
        if operator == "In" and code == 0 and not isinstance(code, bool):
            yield Fault(("onExitCodes", "values", index), "may not be 0 for operator In")
        if index and is_integer(code) and is_integer(numbers[index - 1]) and code <= numbers[index - 1]:
            problem = "is there twice" if code == numbers[index - 1] else "is out of order"
            path = (
                ("onExitCodes", "values", index) if code == numbers[index - 1] else ("onExitCodes", "values")
            )
            yield Fault(path, f"{code} {problem}; write the codes in ascending order")


def success_policy(value: Any, scope: Scope) -> Iterator[Fault]:
    """Rules on when an indexed Job has succeeded early."""
    policy = value.get("successPolicy")
    if not isinstance(policy, dict) or not indexed(value):
        return
    rules = sequence(policy, "rules")
    if not rules:
        yield Fault(("successPolicy", "rules"), "needs at least one rule")
    elif len(rules) > 20:
        yield Fault(("successPolicy", "rules"), f"holds {len(rules)} rules, but may hold at most 20")
    completions = number(value, "completions")
    for index, rule in structs(policy, "rules"):
        base = ("successPolicy", "rules", index)
        count, indexes = rule.get("succeededCount"), rule.get("succeededIndexes")
        if count is None and indexes is None:
            yield Fault(base, "needs succeededCount or succeededIndexes")
        total = _index_count(indexes, completions) if isinstance(indexes, str) else completions
        if isinstance(indexes, str) and total is None:
            yield Fault(
                (*base, "succeededIndexes"), f"{quote(indexes)} is not a list of indexes such as 0,2-4"
            )
        if is_integer(count):
            if count < 1:
                yield Fault((*base, "succeededCount"), "must be at least 1")
            elif total is not None and count > total:
                yield Fault(
                    (*base, "succeededCount"), f"is {count}, but there are {total} indexes to succeed"
                )


def _index_count(indexes: str, completions: int) -> int | None:
    total, last = 0, -1
    for part in indexes.split(","):
        ends = part.split("-")
        if len(ends) > 2 or not all(end.isascii() and end.isdigit() and len(end) < 10 for end in ends):
            return None
        first, end = int(ends[0]), int(ends[-1])
        if first <= last or (len(ends) == 2 and end <= first) or end >= completions:
            return None
        total += end - first + 1
        last = end
    return total


def replacement_policy(value: Any, scope: Scope) -> Iterator[Fault]:
    """When a pod is replaced; beside a failure policy only once it has failed."""
    policy = value.get("podReplacementPolicy")
    if not isinstance(policy, str):
        return
    allowed = ("Failed",) if is_set(value, "podFailurePolicy") else ("TerminatingOrFailed", "Failed")
    if policy not in allowed:
        message = f"{quote(policy)} is not supported here; use {' or '.join(allowed)}"
        yield Fault(("podReplacementPolicy",), message)


def managed_by(value: str) -> str:
    """A controller's name: a domain and a path."""
    if len(value) > 63:
        return "may have at most 63 characters"
    return names.domain_prefixed_path(value)


JOB_FIELDS: Mapping[str, Check | Presence] = {
    "parallelism": NOT_NEGATIVE,
    "completions": NOT_NEGATIVE,
    "activeDeadlineSeconds": NOT_NEGATIVE,
    "backoffLimit": NOT_NEGATIVE,
    "backoffLimitPerIndex": NOT_NEGATIVE,
    "maxFailedIndexes": NOT_NEGATIVE,
    "ttlSecondsAfterFinished": NOT_NEGATIVE,
    "completionMode": api.one_of("NonIndexed", "Indexed", empty=True),
    "managedBy": api.text(managed_by, empty=True),
    "template": always(POD_TEMPLATE),
}
JOB_RULES: tuple[Rule, ...] = (completion, restart_policy, failure_policy, success_policy, replacement_policy)


def own_selector(value: Any, scope: Scope) -> Iterator[Fault]:
    """A Job's selector is made by the server, unless manualSelector says otherwise."""
    selector = value.get("selector")
    if value.get("manualSelector") is not True:
        if isinstance(selector, dict) and not is_empty(selector):
            yield Fault(("selector",), "is made by the server; leave it out, or set manualSelector: true")
        return
    if selector is None:
        yield Fault(("selector",), "is required beside manualSelector: true")
    elif isinstance(selector, dict) and is_valid(selector, scope):
        labels = mapping(mapping(mapping(value, "template"), "metadata"), "labels")
        if not is_empty(selector) and not matches(selector, labels):
            yield Fault(("template", "metadata", "labels"), "do not match the selector")


def no_selector(value: Any, scope: Scope) -> Iterator[Fault]:
    """A CronJob's Jobs get their selectors from the server."""
    if is_set(value, "selector"):
        yield Fault(("selector",), "is made by the server; leave it out")
    if value.get("manualSelector") is True:
        yield Fault(("manualSelector",), "may not be true in a CronJob")


JOB_SPEC = api.struct({**JOB_FIELDS, "selector": SELECTOR}, *JOB_RULES, own_selector)
CRON_JOB_SPEC = api.struct(JOB_FIELDS, *JOB_RULES, no_selector)


def indexed_hostnames(value: Any, scope: Scope) -> Iterator[Fault]:
    """Pods of an indexed Job are called after it, so the name is short enough for a hostname."""
    spec, name = mapping(value, "spec"), text(mapping(value, "metadata"), "name")
    completions = number(spec, "completions")
    if indexed(spec) and completions > 0 and number(spec, "parallelism", default=1) > 0 and name:
        hostname = f"{name}-{completions - 1}"
        if message := names.dns_label(hostname):
            yield Fault(("metadata", "name"), f'makes the hostname "{hostname[:80]}", which {message}')


def cron_name(value: Any, scope: Scope) -> Iterator[Fault]:
    """A CronJob's name leaves room for what is appended to its Jobs' names."""
    name = text(value, "name")
    if len(name) > CRON_NAME_LIMIT and not names.dns_subdomain(name):
        yield Fault(
            ("name",), f"has {len(name)} characters, but a CronJob's may have at most {CRON_NAME_LIMIT}"
        )


CRON_JOB = api.struct(
    {
        "schedule": required(api.text(schedule)),
        "timeZone": api.text(time_zone, empty=True),
        "startingDeadlineSeconds": NOT_NEGATIVE,
        "concurrencyPolicy": api.one_of("Allow", "Forbid", "Replace"),
        "successfulJobsHistoryLimit": NOT_NEGATIVE,
        "failedJobsHistoryLimit": NOT_NEGATIVE,
        "jobTemplate": always(api.struct({"metadata": TEMPLATE_META, "spec": always(CRON_JOB_SPEC)})),
    },
)

KINDS = {
    "Job": api.struct(
        {"metadata": always(object_meta(names.dns_subdomain, dotted_name)), "spec": always(JOB_SPEC)},
        indexed_hostnames,
    ),
    "CronJob": api.struct(
        {
            "metadata": always(object_meta(names.dns_subdomain, cron_name, dotted_name)),
            "spec": always(CRON_JOB),
        },
    ),
}
