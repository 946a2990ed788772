"""Deployments, StatefulSets, DaemonSets and ReplicaSets.

Rules of pkg/apis/apps/validation, after the defaults of pkg/apis/apps/v1/defaults.go.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import replace
from types import MappingProxyType
from typing import Any

from vllm_kustomize.apiserver.core.claims import TEMPLATE_CLAIM_SPEC
from vllm_kustomize.apiserver.core.pod import POD_SPEC, pod_annotations
from vllm_kustomize.apiserver.framework.combinators import (
    AllOf,
    Check,
    Family,
    Fault,
    Rule,
    Scope,
    Since,
    Struct,
    TextRule,
    always,
    structs,
)
from vllm_kustomize.apiserver.framework.metadata import (
    TEMPLATE_META,
    dotted_name,
    object_meta,
    template_labels,
)
from vllm_kustomize.apiserver.framework.selectors import SELECTOR, is_valid
from vllm_kustomize.kubernetes import names
from vllm_kustomize.kubernetes.fields import is_integer, is_set, mapping, number, sequence, text
from vllm_kustomize.kubernetes.selectors import is_empty, matches
from vllm_kustomize.model import FieldPath, Problem, Severity
from vllm_kustomize.wording import quote

api = Family("workloads")
API_VERSION = "apps/v1"
NOT_NEGATIVE = api.number(0)


def int_or_percent(value: Any, scope: Scope) -> Iterator[Fault]:
    """A count, or a share such as 25%."""
    if isinstance(value, str):
        if message := names.percent(value):
            yield Fault((), message)
    elif is_integer(value) and value < 0:
        yield Fault((), f"is {value}, but may not be negative")


def at_most_all(value: Any, scope: Scope) -> Iterator[Fault]:
    """A share of 100% at most."""
    if isinstance(value, str) and not names.percent(value) and int(value[:-1][:9]) > 100:
        yield Fault((), f"is {value[:20]}, but must be at most 100%")


def some(value: Any, scope: Scope) -> Iterator[Fault]:
    """More than none."""
    if share({"": value}, "", 1) == 0:
        yield Fault((), "may not be 0")


INT_OR_PERCENT = api.value(int_or_percent, accepts=(int, float, str), zero=0)
AT_MOST_ALL = api.value(int_or_percent, at_most_all, accepts=(int, float, str), zero=0)
SOME_UNAVAILABLE = api.value(int_or_percent, at_most_all, some, accepts=(int, float, str), zero=0)


def share(value: Any, field: str, default: int) -> int:
    """The number before the % (or the count itself) as the server reads it: 0 where it is not a share."""
    found = value.get(field)
    if found is None:
        return default
    if isinstance(found, str):
        return 0 if names.percent(found) else int(found[:-1][:9])
    return int(found) if is_integer(found) else default


def no_ephemeral_containers(value: Any, scope: Scope) -> Iterator[Fault]:
    """Debug containers are added to running pods."""
    if sequence(mapping(value, "spec"), "ephemeralContainers"):
        yield Fault(("spec", "ephemeralContainers"), "may not be set in a template")


POD_TEMPLATE = api.struct(
    {"metadata": TEMPLATE_META, "spec": always(POD_SPEC)},
    template_labels,
    pod_annotations,
    no_ephemeral_containers,
)


def always_restarted(value: Any, scope: Scope) -> Iterator[Fault]:
    """The pods of a workload that keeps them running restart always, and have no deadline."""
    spec = mapping(mapping(value, "template"), "spec")
    policy = text(spec, "restartPolicy", default="Always")
    if policy != "Always":
        yield Fault(
            ("template", "spec", "restartPolicy"), f"{quote(policy)} is not supported here; use Always"
        )
    if is_set(spec, "activeDeadlineSeconds"):
        yield Fault(("template", "spec", "activeDeadlineSeconds"), "may not be set here; Jobs have deadlines")


def selects_template(kind: str, *, needed: bool = True) -> Rule:
    """A rule: the selector is there, selects something, and that is the template's pods."""

    def rule(value: Any, scope: Scope) -> Iterator[Fault]:
        selector = value.get("selector")
        if selector is None:
            if needed:
                yield Fault(("selector",), "is required")
            yield Fault(("template", "metadata", "labels"), "no selector matches these labels")
            return
        if not isinstance(selector, dict):
            return
        if is_empty(selector):
            yield Fault(("selector",), f"may not be empty for a {kind}")
        elif not is_valid(selector, scope):
            yield Fault(("selector",), "is not a valid selector")
        elif not matches(selector, mapping(mapping(value.get("template"), "metadata"), "labels")):
            message = "do not match the selector: give the template every label that spec.selector asks for"
            yield Fault(("template", "metadata", "labels"), message)

    return rule


def deployment_strategy(value: Any, scope: Scope) -> Iterator[Fault]:
    """Recreate has no rolling update; a rolling update moves something."""
    strategy = mapping(value, "strategy")
    kind = text(strategy, "type", default="RollingUpdate")
    rolling = strategy.get("rollingUpdate")
    if kind not in ("RollingUpdate", "Recreate"):
        message = f"{quote(kind)} is not supported; use Recreate or RollingUpdate"
        yield Fault(("strategy",), message, at=("strategy", "type"))
    elif kind == "Recreate":
        if rolling is not None:
            yield Fault(
                ("strategy", "rollingUpdate"),
                "may not be set where type is Recreate; a patch removes it with `rollingUpdate: null`",
            )
    elif isinstance(rolling, dict):
        yield from _moves(rolling, ("strategy", "rollingUpdate"))


def _moves(rolling: Mapping[Any, Any], base: tuple[str, ...]) -> Iterator[Fault]:
    if share(rolling, "maxUnavailable", 25) == 0 and share(rolling, "maxSurge", 25) == 0:
        yield Fault((*base, "maxUnavailable"), "may not be 0 where maxSurge is 0: nothing could be replaced")


def progress(value: Any, scope: Scope) -> Iterator[Fault]:
    """A Deployment gets longer to progress than a pod needs to be ready."""
    deadline, ready = value.get("progressDeadlineSeconds"), number(value, "minReadySeconds")
    seconds = 600 if deadline is None else deadline
    if is_integer(seconds) and seconds <= ready:
        yield Fault(
            ("progressDeadlineSeconds",), f"is {seconds}, but must be more than minReadySeconds, {ready}"
        )


ROLLING = api.struct({"maxUnavailable": AT_MOST_ALL, "maxSurge": INT_OR_PERCENT})


DEPLOYMENT = api.struct(
    {
        "replicas": NOT_NEGATIVE,
        "minReadySeconds": NOT_NEGATIVE,
        "revisionHistoryLimit": NOT_NEGATIVE,
        "progressDeadlineSeconds": NOT_NEGATIVE,
        "selector": SELECTOR,
        "strategy": api.struct({"rollingUpdate": ROLLING}),
        "template": always(POD_TEMPLATE),
    },
    selects_template("Deployment"),
    always_restarted,
    deployment_strategy,
    progress,
)

REPLICA_SET = api.struct(
    {
        "replicas": NOT_NEGATIVE,
        "minReadySeconds": NOT_NEGATIVE,
        "selector": SELECTOR,
        "template": always(POD_TEMPLATE),
    },
    selects_template("ReplicaSet"),
    always_restarted,
)


def daemon_strategy(value: Any, scope: Scope) -> Iterator[Fault]:
    """A DaemonSet replaces pods one way: first the old ones go, or first the new ones come."""
    strategy = mapping(value, "updateStrategy")
    kind = text(strategy, "type", default="RollingUpdate")
    if kind not in ("RollingUpdate", "OnDelete"):
        message = f"{quote(kind)} is not supported; use RollingUpdate or OnDelete"
        yield Fault(("updateStrategy",), message, at=("updateStrategy", "type"))
    rolling = strategy.get("rollingUpdate")
    if kind != "RollingUpdate" or not isinstance(rolling, dict):
        return
    unavailable, surge = share(rolling, "maxUnavailable", 1), share(rolling, "maxSurge", 0)
    base = ("updateStrategy", "rollingUpdate")
    if unavailable and surge:
        yield Fault((*base, "maxSurge"), "may not be set where maxUnavailable is not 0")
    elif not unavailable and not surge:
        yield Fault((*base, "maxUnavailable"), "may not be 0 where maxSurge is 0: nothing could be replaced")


DAEMON_SET = api.struct(
    {
        "minReadySeconds": NOT_NEGATIVE,
        "revisionHistoryLimit": NOT_NEGATIVE,
        "selector": SELECTOR,
        "updateStrategy": api.struct(
            {"rollingUpdate": api.struct({"maxUnavailable": AT_MOST_ALL, "maxSurge": AT_MOST_ALL})},
        ),
        "template": always(POD_TEMPLATE),
    },
    selects_template("DaemonSet", needed=False),
    always_restarted,
    daemon_strategy,
)


def service_name(value: Any, scope: Scope) -> Iterator[Fault]:
    """The governing Service's name, checked since Kubernetes 1.34."""
    name = text(value, "serviceName")
    if name and scope.stricter_since((1, 34)) and (message := names.dns_label(name)):
        yield Fault(("serviceName",), message)


def stateful_strategy(value: Any, scope: Scope) -> Iterator[Fault]:
    """A StatefulSet updates in order, or when its pods are deleted."""
    strategy = mapping(value, "updateStrategy")
    kind, rolling = text(strategy, "type", default="RollingUpdate"), strategy.get("rollingUpdate")
    if kind not in ("RollingUpdate", "OnDelete"):
        message = f"{quote(kind)} is not supported; use RollingUpdate or OnDelete"
        yield Fault(("updateStrategy",), message, at=("updateStrategy", "type"))
    elif kind == "OnDelete" and rolling is not None:
        yield Fault(("updateStrategy", "rollingUpdate"), "may only be set where type is RollingUpdate")


def with_claims(value: Any) -> dict[str, Any]:
    """A StatefulSet's pod spec with its claims among the volumes; they hide others of their name."""
    spec = dict(mapping(mapping(value, "template"), "spec"))
    for field in ("hostname", "subdomain"):  # the controller's own to set
        spec.pop(field, None)
    claims = dict.fromkeys(
        text(mapping(claim, "metadata"), "name") for _, claim in structs(value, "volumeClaimTemplates")
    )
    others = [volume for volume in sequence(spec, "volumes") if text(volume, "name") not in claims]
    added = [{"name": name, "persistentVolumeClaim": {"claimName": name}} for name in claims]
    return {**spec, "volumes": [*others, *added]}


class StatefulPods(Check):
    """The pods of a StatefulSet and the claims that they mount.

    Kubernetes 1.34 began to check both. Before, the server stores whatever is there, and the controller fails
    to create the pods: those faults are warnings here.
    """

    accepts = dict
    zero = MappingProxyType({})
    parts = (POD_SPEC, TEMPLATE_CLAIM_SPEC)
    note = " (the server accepts this, but no pod can be created from it)"

    def __call__(self, value: Any, path: FieldPath, scope: Scope) -> None:
        """Check the pod spec with the claims among its volumes, and each claim."""
        inner = Scope(scope.version)
        spec = with_claims(value)
        own = len(spec["volumes"]) - len(sequence(value, "volumeClaimTemplates"))
        POD_SPEC(spec, (*path, "template", "spec"), inner)
        for index, claim in structs(value, "volumeClaimTemplates"):
            TEMPLATE_CLAIM_SPEC(mapping(claim, "spec"), (*path, "volumeClaimTemplates", index, "spec"), inner)
        checked = scope.stricter_since((1, 34))
        for problem in inner.problems:
            problem = _at_claim(problem, own, path)
            if not checked and problem.severity is Severity.ERROR:
                problem = replace(problem, severity=Severity.WARNING, message=problem.message + self.note)
            scope.problems.append(problem)


def _at_claim(problem: Problem, own: int, path: FieldPath) -> Problem:
    """A problem of a volume that is really a claim (the pod has `own` others) stands at the claim's name."""
    base = (*path, "template", "spec", "volumes")
    index = (
        problem.path[len(base)] if problem.path[: len(base)] == base and len(problem.path) > len(base) else -1
    )
    if not isinstance(index, int) or index < own:
        return problem
    return replace(problem, at=(*path, "volumeClaimTemplates", index - own, "metadata", "name"))


RETENTION = api.one_of("Retain", "Delete")
_STATEFUL_FIELDS = api.struct(
    {
        "replicas": NOT_NEGATIVE,
        "minReadySeconds": NOT_NEGATIVE,
        "revisionHistoryLimit": NOT_NEGATIVE,
        "ordinals": api.struct({"start": NOT_NEGATIVE}),
        "podManagementPolicy": api.one_of("OrderedReady", "Parallel"),
        "persistentVolumeClaimRetentionPolicy": api.struct(
            {"whenDeleted": RETENTION, "whenScaled": RETENTION}
        ),
        "selector": SELECTOR,
        "updateStrategy": api.struct(
            {
                "rollingUpdate": api.struct(
                    {"partition": NOT_NEGATIVE, "maxUnavailable": Since((1, 37), SOME_UNAVAILABLE)}
                )
            },
        ),
        "volumeClaimTemplates": api.items(api.struct({"metadata": TEMPLATE_META})),
        "template": api.struct(
            {"metadata": TEMPLATE_META}, template_labels, pod_annotations, no_ephemeral_containers
        ),
    },
    selects_template("StatefulSet"),
    always_restarted,
    stateful_strategy,
    service_name,
)
STATEFUL_SET = AllOf(_STATEFUL_FIELDS, StatefulPods())


def _kind(spec: Check, name: TextRule = names.dns_subdomain, *rules: Rule) -> Struct:
    return api.struct({"metadata": always(object_meta(name, *rules)), "spec": always(spec)})


KINDS = {
    "Deployment": _kind(DEPLOYMENT, names.dns_subdomain, dotted_name),
    "ReplicaSet": _kind(REPLICA_SET, names.dns_subdomain, dotted_name),
    "DaemonSet": _kind(DAEMON_SET),
    "StatefulSet": _kind(STATEFUL_SET, names.dns_label),
}
