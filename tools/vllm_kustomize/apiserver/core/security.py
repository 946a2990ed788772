"""Security contexts of pods and containers.

Rules of pkg/apis/core/validation (ValidateSecurityContext, ValidatePodSecurityContext).
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from typing import Any

from vllm_kustomize.apiserver.framework.combinators import Family, Fault, Rule, Scope, Text, structs
from vllm_kustomize.apiserver.framework.metadata import byte_length
from vllm_kustomize.kubernetes import names
from vllm_kustomize.kubernetes.fields import flag, mapping, sequence, text
from vllm_kustomize.wording import quote

api = Family("security")
ID = api.number(0, 2**31 - 1)
PROFILE_TYPES = ("Localhost", "RuntimeDefault", "Unconfined")
_SYSCTL = re.compile(r"([a-z0-9]([-_a-z0-9]*[a-z0-9])?[./])*[a-z0-9]([-_a-z0-9]*[a-z0-9])?")
_NETBIOS = re.compile(r'[^\\/:*?"<>|.][^\\/:*?"<>|]{0,14}')
_DNS_LABEL = r"[A-Za-z0-9]([-A-Za-z0-9]{0,61}[A-Za-z0-9])?"
_DNS = re.compile(rf"{_DNS_LABEL}(\.{_DNS_LABEL})*")


def seccomp(value: Any, scope: Scope) -> Iterator[Fault]:
    """A seccomp profile's type, and its file if and only if it is a local one."""
    kind, profile = value.get("type") or "", value.get("localhostProfile")
    if not isinstance(kind, str):
        return
    if kind == "Localhost":
        if profile is None:
            yield Fault(("localhostProfile",), "is required for type Localhost")
        elif isinstance(profile, str) and (message := names.relative_path(profile)):
            yield Fault(("localhostProfile",), message)
    elif profile is not None:
        yield Fault(("localhostProfile",), "may only be set for type Localhost")
    if not kind:
        yield Fault(("type",), f"is required: one of {', '.join(PROFILE_TYPES)}")
    elif kind not in PROFILE_TYPES:
        yield Fault(("type",), f"{quote(kind)} is not supported; use one of {', '.join(PROFILE_TYPES)}")


def app_armor(value: Any, scope: Scope) -> Iterator[Fault]:
    """An AppArmor profile's type, and its name if and only if it is a local one."""
    kind, profile = value.get("type") or "", value.get("localhostProfile")
    if not isinstance(kind, str):
        return
    if kind == "Localhost":
        name = (profile or "").strip() if isinstance(profile, (str, type(None))) else "?"
        if not name:
            yield Fault(("localhostProfile",), "is required for type Localhost")
        elif isinstance(profile, str) and name != profile:
            yield Fault(("localhostProfile",), "may not begin or end with a space")
        elif len(name) > 4095:
            yield Fault(("localhostProfile",), "may have at most 4095 characters")
    elif profile is not None:
        yield Fault(("localhostProfile",), "may only be set for type Localhost")
    if not kind:
        yield Fault(("type",), f"is required: one of {', '.join(PROFILE_TYPES)}")
    elif kind not in PROFILE_TYPES:
        yield Fault(("type",), f"{quote(kind)} is not supported; use one of {', '.join(PROFILE_TYPES)}")


def windows_user(value: str) -> str:
    """A Windows user, with or without a domain before it."""
    if not value:
        return "may not be empty"
    if any(ord(character) < 32 or ord(character) == 127 for character in value):
        return "may not have control characters"
    if value.count("\\") > 1:
        return "may have at most one '\\'"
    domain, backslash, user = value.rpartition("\\")
    if len(domain) > 255 or (backslash and not (_NETBIOS.fullmatch(domain) or _DNS.fullmatch(domain))):
        return f"{quote(domain)} is not a Windows domain"
    if not 0 < len(user) <= 104:
        return "needs a user name of 1 to 104 characters"
    if not user.strip(". ") or set(user) & set('"/\\:;|=,+*?<>@[]'):
        return f"{quote(user)} is not a Windows user name"
    return ""


def gmsa_spec(value: str) -> str:
    """The contents of a gMSA credential spec."""
    if not value:
        return "may not be empty"
    return "has more than 64 KiB" if byte_length(value) > 64 * 1024 else ""


WINDOWS_OPTIONS = api.struct(
    {
        "gmsaCredentialSpecName": api.text(names.dns_subdomain, empty=True),
        "gmsaCredentialSpec": api.text(gmsa_spec, empty=True),
        "runAsUserName": api.text(windows_user, empty=True),
    },
)


def escalation(value: Any, scope: Scope) -> Iterator[Fault]:
    """Privileges that imply escalation contradict its ban."""
    if value.get("allowPrivilegeEscalation") is not False:
        return
    if flag(value, "privileged"):
        yield Fault((), "allowPrivilegeEscalation: false contradicts privileged: true")
    if "CAP_SYS_ADMIN" in sequence(mapping(value, "capabilities"), "add"):
        yield Fault((), "allowPrivilegeEscalation: false contradicts adding CAP_SYS_ADMIN")


_SHARED = {
    "runAsUser": ID,
    "runAsGroup": ID,
    "windowsOptions": WINDOWS_OPTIONS,
    "seccompProfile": api.struct({}, seccomp),
    "appArmorProfile": api.struct({}, app_armor),
}
CONTAINER = api.struct({**_SHARED, "procMount": api.one_of("Default", "Unmasked", empty=True)}, escalation)


def sysctls(value: Any, scope: Scope) -> Iterator[Fault]:
    """Kernel parameters are named, once each, and belong to a namespace that the pod has itself."""
    seen: set[str] = set()
    for index, sysctl in structs(value, "sysctls"):
        name = text(sysctl, "name")
        path = ("sysctls", index, "name")
        if not name:
            if isinstance(sysctl.get("name") or "", str):
                yield Fault(path, "is required")
        elif len(name) > 253 or not _SYSCTL.fullmatch(name):
            yield Fault(path, f"{quote(name)} is not the name of a kernel parameter")
        elif name in seen:
            yield Fault(path, f"{quote(name)} is there twice")
        seen.add(name)


IPC_SYSCTLS = ("kernel.shm", "kernel.msg", "kernel.sem", "fs.mqueue.")


def host_sysctls(pod: Any, scope: Scope) -> Iterator[Fault]:
    """A pod in one of the node's namespaces cannot tune that namespace."""
    network, ipc = flag(pod, "hostNetwork"), flag(pod, "hostIPC")
    if not network and not ipc:
        return
    for index, sysctl in structs(pod.get("securityContext"), "sysctls"):
        name = text(sysctl, "name").replace("/", ".")
        path = ("securityContext", "sysctls", index, "name")
        if network and name.startswith("net."):
            yield Fault(path, "may not be set where hostNetwork is true")
        elif ipc and name.startswith(IPC_SYSCTLS):
            yield Fault(path, "may not be set where hostIPC is true")


def select(policy: str, *allowed: str) -> tuple[str, Text]:
    """A policy field whose empty text is as wrong as any other."""
    return policy, api.one_of(*allowed, empty=True)


POD = api.struct(
    {
        **_SHARED,
        "fsGroup": ID,
        "supplementalGroups": api.items(ID),
        **dict(
            [
                select("fsGroupChangePolicy", "Always", "OnRootMismatch"),
                select("supplementalGroupsPolicy", "Merge", "Strict"),
            ]
        ),
    },
    sysctls,
)


def selinux_change_policy(value: Any, scope: Scope) -> Iterator[Fault]:
    """How SELinux labels reach a pod's volumes; mounting with them is behind a feature gate before 1.37."""
    policy = mapping(value, "securityContext").get("seLinuxChangePolicy")
    if not isinstance(policy, str):
        return
    allowed = ("Recursive",) if scope.stricter_before((1, 37)) else ("Recursive", "MountOption")
    if policy not in allowed:
        message = f"{quote(policy)} is not supported; use one of {', '.join(allowed)}"
        yield Fault(("securityContext", "seLinuxChangePolicy"), message)


def host_namespaces(pod: Any, scope: Scope) -> Iterator[Fault]:
    """What excludes what among the namespaces that a pod shares with its node."""
    if flag(pod, "shareProcessNamespace") and flag(pod, "hostPID"):
        yield Fault(
            ("securityContext", "shareProcessNamespace"),
            "shareProcessNamespace and hostPID exclude each other",
            at=("shareProcessNamespace",),
        )
    if pod.get("hostUsers") is False:
        for field, reported in (
            ("hostNetwork", "hostNetwork"),
            ("hostPID", "HostPID"),
            ("hostIPC", "HostIPC"),
        ):
            if flag(pod, field):
                yield Fault((reported,), "may not be true where hostUsers is false", at=(field,))


def unmasked_proc(pod: Any, scope: Scope) -> Iterator[Fault]:
    """An unmasked /proc needs a user namespace."""
    if pod.get("hostUsers") is False:
        return
    for field in ("containers", "initContainers", "ephemeralContainers"):
        for index, container in structs(pod, field):
            if text(mapping(container, "securityContext"), "procMount") == "Unmasked":
                yield Fault((field, index, "securityContext", "procMount"), "Unmasked needs hostUsers: false")


def windows_process(pod: Any, scope: Scope) -> Iterator[Fault]:
    """Windows HostProcess containers come all or none, and on the host's network."""
    pod_wide = mapping(mapping(pod, "securityContext"), "windowsOptions").get("hostProcess")
    uses = []
    for field in ("containers", "initContainers", "ephemeralContainers"):
        for index, container in structs(pod, field):
            own = mapping(mapping(container, "securityContext"), "windowsOptions").get("hostProcess")
            if own is not None and pod_wide is not None and own != pod_wide:
                path = (field, index, "securityContext", "windowsOptions", "hostProcess")
                yield Fault(path, "must be the same as for the pod")
            uses.append(bool(pod_wide if own is None else own))
    if any(uses) and not all(uses):
        yield Fault((), "either all containers are HostProcess containers, or none")
    if any(uses) and not flag(pod, "hostNetwork"):
        yield Fault(("hostNetwork",), "must be true where containers are HostProcess containers")


POD_RULES: tuple[Rule, ...] = (
    host_namespaces,
    host_sysctls,
    unmasked_proc,
    windows_process,
    selinux_change_policy,
)
