"""Containers: their names, images, ports and everything that hangs on them.

Rules of pkg/apis/core/validation (validateContainers, validateInitContainers, validateContainerCommon).
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any

from vllm_kustomize.apiserver.core import probes, resources, security, volumes
from vllm_kustomize.apiserver.core.env import ENV, ENV_FROM
from vllm_kustomize.apiserver.framework.combinators import (
    Check,
    Family,
    Fault,
    Presence,
    Scope,
    required,
    structs,
    warning,
)
from vllm_kustomize.kubernetes import names
from vllm_kustomize.kubernetes.fields import is_set, number, sequence, text
from vllm_kustomize.kubernetes.pods import PROBES
from vllm_kustomize.wording import quote

api = Family("containers")
RESTART_POLICIES = ("Always", "OnFailure", "Never")

_PORT = api.number(1, 65535, zero_is_absent=True)


PORT = api.struct(
    {
        "name": api.text(names.port_name),
        "containerPort": required(_PORT),
        "hostPort": _PORT,
        "protocol": api.one_of("TCP", "UDP", "SCTP"),
    },
)


def same_port_twice(value: Any, scope: Scope) -> Iterator[Fault]:
    """Two ports with one number and protocol: accepted, but server-side apply rejects them.

    Number and protocol are the list's key in the API's schema, so `kubectl apply --server-side`, Argo CD and
    Flux refuse the object, and a client-side apply may drop one of the two.
    """
    if len(value) < 2:
        return
    seen: dict[tuple[int, str], int] = {}
    for index, port in enumerate(value):
        key = (number(port, "containerPort"), text(port, "protocol", default="TCP"))
        if key[0] and key in seen:
            message = f"port {key[0]}/{key[1]} is there twice; server-side apply (Argo CD, Flux) rejects that"
            yield warning((index,), message)
        seen[key] = index


PORTS = api.items(PORT, same_port_twice, unique="name")


RESIZE_FIELDS = {"resourceName": ("cpu", "memory"), "restartPolicy": ("NotRequired", "RestartContainer")}


def resize_policies(value: Any, scope: Scope) -> Iterator[Fault]:
    """Each resource has one policy. The server reports all but duplicates at the list."""
    seen = set()
    for index, policy in structs({"policies": value}, "policies"):
        name = text(policy, "resourceName")
        if name and name in seen:
            yield Fault((index,), f"{quote(name)} is there twice")
        seen.add(name)
        for field, allowed in RESIZE_FIELDS.items():
            found = policy.get(field) or ""
            if isinstance(found, str) and found not in allowed:
                what = f"{quote(found)} is not supported" if found else f"{field} is required"
                yield Fault((), f"{what}; use {' or '.join(allowed)}", at=(index, field))


RESIZE = api.items(None, resize_policies)

COMMON: Mapping[str, Check | Presence] = {
    "name": required(api.text(names.dns_label)),
    "image": required(api.text()),
    "imagePullPolicy": api.one_of("Always", "IfNotPresent", "Never"),
    "terminationMessagePolicy": api.one_of("File", "FallbackToLogsOnError"),
    "env": ENV,
    "envFrom": ENV_FROM,
    "ports": PORTS,
    "resources": resources.RESOURCES,
    "resizePolicy": RESIZE,
    "securityContext": security.CONTAINER,
    "volumeMounts": api.items(volumes.MOUNT),
    "volumeDevices": api.items(volumes.DEVICE),
    "lifecycle": probes.LIFECYCLE,
    "livenessProbe": probes.LIVENESS,
    "startupProbe": probes.LIVENESS,
    "readinessProbe": probes.READINESS,
}


def restart_rules(value: Any, scope: Scope) -> Iterator[Fault]:
    """A container's own restart policy and the rules that refine it (Kubernetes 1.34 and later)."""
    policy = value.get("restartPolicy")
    rules = sequence(value, "restartPolicyRules")
    if isinstance(policy, str) and policy not in RESTART_POLICIES:
        shown = ", ".join(RESTART_POLICIES)
        yield Fault(("restartPolicy",), f"{quote(policy)} is not supported; use one of {shown}")
    if rules and policy is None:
        yield Fault(("restartPolicy",), "is required beside restartPolicyRules")
    if len(rules) > 20:
        yield Fault(("restartPolicyRules",), f"holds {len(rules)} rules, but may hold at most 20")
    for index, rule in structs(value, "restartPolicyRules"):
        base = ("restartPolicyRules", index)
        if text(rule, "action") not in ("Restart", "RestartAllContainers"):
            yield Fault((*base, "action"), "must be Restart")
        codes = rule.get("exitCodes")
        if codes is None:
            yield Fault((*base, "exitCodes"), "is required")
            continue
        if text(codes, "operator") not in ("In", "NotIn"):
            yield Fault((*base, "exitCodes", "operator"), "must be In or NotIn")
        if len(sequence(codes, "values")) > 255:
            yield Fault((*base, "exitCodes", "values"), "may hold at most 255 exit codes")


def plain_restart(value: Any, scope: Scope) -> Iterator[Fault]:
    """Rules for restarts came on with Kubernetes 1.35."""
    if scope.stricter_since((1, 35)):
        yield from restart_rules(value, scope)


def is_sidecar(container: Any) -> bool:
    """Whether an init container keeps running beside the others."""
    return text(container, "restartPolicy") == "Always"


def init_restart(value: Any, scope: Scope) -> Iterator[Fault]:
    """Only an init container that keeps running has probes and hooks."""
    yield from plain_restart(value, scope)
    if is_sidecar(value):
        return
    for field in ("lifecycle", *PROBES):
        if is_set(value, field):
            yield Fault((field,), "may only be set for an init container with restartPolicy: Always")


CONTAINER = api.struct(COMMON, plain_restart)
INIT_CONTAINER = api.struct(COMMON, init_restart)

EPHEMERAL_FORBIDDEN = (
    "ports",
    "resources",
    *PROBES,
    "lifecycle",
    "resizePolicy",
    "restartPolicy",
)


def ephemeral_fields(value: Any, scope: Scope) -> Iterator[Fault]:
    """A debug container has neither ports nor probes nor resources."""
    for field in EPHEMERAL_FORBIDDEN:
        if is_set(value, field) and value[field] not in ([], {}):
            yield Fault((field,), "may not be set for an ephemeral container")


EPHEMERAL_CONTAINER = api.struct(COMMON, ephemeral_fields)


def names_unique(pod: Any, scope: Scope) -> Iterator[Fault]:
    """Containers of all three lists share one set of names."""
    seen: set[str] = set()
    for field in ("containers", "initContainers", "ephemeralContainers"):
        for index, container in structs(pod, field):
            name = text(container, "name")
            if name in seen:
                yield Fault((field, index, "name"), f"{quote(name)} is the name of another container too")
            if name:
                seen.add(name)


def host_ports(pod: Any, scope: Scope) -> Iterator[Fault]:
    """No two containers take one port of the node."""
    for field in ("containers", "initContainers"):
        taken: set[tuple[str, str, int]] = set()
        for index, container in structs(pod, field):
            for place, port in structs(container, "ports"):
                value = number(port, "hostPort")
                if not value:
                    continue
                key = (text(port, "protocol", default="TCP"), text(port, "hostIP"), value)
                if key in taken:
                    yield Fault(
                        (field, index, "ports", place, "hostPort"), f"{value} is taken by another port"
                    )
                taken.add(key)


def host_network_ports(pod: Any, scope: Scope) -> Iterator[Fault]:
    """On the node's own network a port is the same inside and outside."""
    if pod.get("hostNetwork") is not True:
        return
    for field in ("containers", "initContainers"):
        for index, container in structs(pod, field):
            for place, port in structs(container, "ports"):
                outer, inner = number(port, "hostPort"), number(port, "containerPort")
                if outer and outer != inner:
                    message = f"is {outer}, but must equal containerPort {inner} where hostNetwork is true"
                    yield Fault((field, index, "ports", place, "hostPort"), message)
