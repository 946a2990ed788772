"""What a pod may set for the operating system that it names.

Rules of pkg/apis/core/validation (validateOS, validateWindows, validateLinux).
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from vllm_kustomize.apiserver.core.probes import STOP_SIGNALS
from vllm_kustomize.apiserver.framework.combinators import Fault, Rule, Scope, structs, warning
from vllm_kustomize.kubernetes.fields import is_set, mapping, text
from vllm_kustomize.wording import quote

CONTAINER_LISTS = ("containers", "initContainers", "ephemeralContainers")

LINUX_POD = ("hostPID", "hostIPC")
LINUX_POD_IF_SET = ("hostUsers", "shareProcessNamespace")
LINUX_POD_CONTEXT = (
    "appArmorProfile",
    "seLinuxOptions",
    "seccompProfile",
    "fsGroup",
    "fsGroupChangePolicy",
    "sysctls",
    "runAsUser",
    "runAsGroup",
    "supplementalGroups",
    "supplementalGroupsPolicy",
    "seLinuxChangePolicy",
)
LINUX_CONTAINER_CONTEXT = (
    "appArmorProfile",
    "seLinuxOptions",
    "seccompProfile",
    "capabilities",
    "readOnlyRootFilesystem",
    "privileged",
    "allowPrivilegeEscalation",
    "procMount",
    "runAsUser",
    "runAsGroup",
)


def operating_system(pod: Any, scope: Scope) -> Iterator[Fault]:
    """The system is one that nodes have, and the pod sets nothing that it lacks."""
    system = pod.get("os")
    if not isinstance(system, dict):
        return
    name = system.get("name") or ""
    if not name:
        yield Fault(("os", "name"), "is required")
    elif isinstance(name, str) and name not in ("linux", "windows"):
        yield Fault(("os",), f"{quote(name)} is not supported; use linux or windows", at=("os", "name"))
    elif name == "windows":
        yield from _forbidden(
            pod, "windows", LINUX_POD + LINUX_POD_IF_SET, LINUX_POD_CONTEXT, LINUX_CONTAINER_CONTEXT
        )
    elif name == "linux":
        yield from _forbidden(pod, "linux", (), ("windowsOptions",), ("windowsOptions",))


def _forbidden(
    pod: Any, system: str, fields: tuple[str, ...], context: tuple[str, ...], container: tuple[str, ...]
) -> Iterator[Fault]:
    message = f"may not be set where os.name is {system}"
    for field in fields:
        if pod.get(field) is True or (field in LINUX_POD_IF_SET and is_set(pod, field)):
            yield Fault((field,), message)
    for field in context:
        found = mapping(pod, "securityContext").get(field)
        if found is not None and not (field == "sysctls" and found == []):
            yield Fault(("securityContext", field), message)
    for kind in CONTAINER_LISTS:
        for index, item in structs(pod, kind):
            for field in container:
                if is_set(mapping(item, "securityContext"), field):
                    yield Fault((kind, index, "securityContext", field), message)


def stop_signals(pod: Any, scope: Scope) -> Iterator[Fault]:
    """A stop signal is one that the pod's operating system has; servers drop it unless its feature is on."""
    note = ", so a server that knows stop signals rejects it"
    system = text(mapping(pod, "os"), "name")
    for kind in CONTAINER_LISTS:
        for index, container in structs(pod, kind):
            signal = mapping(container, "lifecycle").get("stopSignal")
            if not isinstance(signal, str):
                continue
            path = (kind, index, "lifecycle", "stopSignal")
            allowed = {"SIGTERM", "SIGKILL"} if system == "windows" else STOP_SIGNALS
            if not system:
                yield warning(path, "needs the pod's os.name" + note)
            elif signal not in allowed:
                yield warning(path, f"{quote(signal)} is not a signal of {system}" + note)


RULES: tuple[Rule, ...] = (operating_system, stop_signals)
