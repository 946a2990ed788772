"""The controls of Pod Security `baseline`: no known way to gain privileges on the node.

Each function names the file of k8s.io/pod-security-admission/policy that says so.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from vllm_kustomize.apiserver.framework.combinators import structs
from vllm_kustomize.apiserver.podsecurity.pod import Control, Pod, Violation, is_profile, unmasked_proc
from vllm_kustomize.kubernetes.fields import flag, is_set, mapping, number, sequence, text
from vllm_kustomize.kubernetes.pods import PROBES

CAPABILITIES = frozenset(
    {
        "AUDIT_WRITE",
        "CHOWN",
        "DAC_OVERRIDE",
        "FOWNER",
        "FSETID",
        "KILL",
        "MKNOD",
        "NET_BIND_SERVICE",
        "SETFCAP",
        "SETGID",
        "SETPCAP",
        "SETUID",
        "SYS_CHROOT",
    }
)
"""What container runtimes grant by default; the rest may not be added."""

SYSCTLS = {
    "kernel.shm_rmid_forced": (1, 0),
    "net.ipv4.ip_local_port_range": (1, 0),
    "net.ipv4.tcp_syncookies": (1, 0),
    "net.ipv4.ping_group_range": (1, 0),
    "net.ipv4.ip_unprivileged_port_start": (1, 0),
    "net.ipv4.ip_local_reserved_ports": (1, 27),
    "net.ipv4.tcp_keepalive_time": (1, 29),
    "net.ipv4.tcp_fin_timeout": (1, 29),
    "net.ipv4.tcp_keepalive_intvl": (1, 29),
    "net.ipv4.tcp_keepalive_probes": (1, 29),
    "net.ipv4.tcp_rmem": (1, 32),
    "net.ipv4.tcp_wmem": (1, 32),
    "net.ipv4.tcp_slow_start_after_idle": (1, 37),
    "net.ipv4.tcp_notsent_lowat": (1, 37),
}
"""Kernel parameters that a pod may set, and the release that began to allow each."""

SELINUX_TYPES = {
    "": (1, 0),
    "container_t": (1, 0),
    "container_init_t": (1, 0),
    "container_kvm_t": (1, 0),
    "container_engine_t": (1, 31),
}
APP_ARMOR = "container.apparmor.security.beta.kubernetes.io/"
SECCOMP_POD = "seccomp.security.alpha.kubernetes.io/pod"
SECCOMP_CONTAINER = "container.seccomp.security.alpha.kubernetes.io/"


def host_namespaces(pod: Pod) -> Iterator[Violation]:
    """The pod has namespaces of its own (check_hostNamespaces.go)."""
    for field in ("hostNetwork", "hostPID", "hostIPC"):
        if flag(pod.spec, field):
            yield Violation(("spec", field), "must be false, or not set")


def host_paths(pod: Pod) -> Iterator[Violation]:
    """No volume is a folder of the node (check_hostPathVolumes.go)."""
    for index, volume in structs(pod.spec, "volumes"):
        if is_set(volume, "hostPath"):
            yield Violation(
                ("spec", "volumes", index, "hostPath"), "may not be used; use another volume type"
            )


def host_ports(pod: Pod) -> Iterator[Violation]:
    """No port of the node is taken (check_hostPorts.go)."""
    for context in pod.containers:
        for index, port in structs(context.spec, "ports"):
            if number(port, "hostPort"):
                yield Violation((*context.path, "ports", index, "hostPort"), "may not be set; use a Service")


def probe_hosts(pod: Pod) -> Iterator[Violation]:
    """Probes and hooks call the pod itself (check_hostProbesAndhostLifecycle.go)."""
    for context in pod.containers:
        handlers = [(field,) for field in PROBES]
        hooks = [("lifecycle", field) for field in ("postStart", "preStop")]
        for path in (*handlers, *hooks):
            handler: Any = context.spec
            for step in path:
                handler = mapping(handler, step)
            for field in ("httpGet", "tcpSocket"):
                if text(mapping(handler, field), "host"):
                    message = "may not be set: the pod itself is called without it"
                    yield Violation((*context.path, *path, field, "host"), message)


def privileged(pod: Pod) -> Iterator[Violation]:
    """No container is privileged (check_privileged.go)."""
    for context in pod.containers:
        if flag(context.security, "privileged"):
            yield Violation(context.at("privileged"), "must be false, or not set")


def capabilities(pod: Pod) -> Iterator[Violation]:
    """Only capabilities of the runtimes' default set are added (check_capabilities_baseline.go)."""
    for context in pod.containers:
        for index, capability in enumerate(sequence(mapping(context.security, "capabilities"), "add")):
            if capability not in CAPABILITIES:
                message = f"{capability} may not be added; allowed are {', '.join(sorted(CAPABILITIES))}"
                yield Violation(context.at("capabilities", "add", index), message)


def masked_proc(pod: Pod) -> Iterator[Violation]:
    """/proc is masked, since 1.35 only outside of user namespaces (check_procMount_baseline.go)."""
    if not (pod.version >= (1, 35) and pod.in_user_namespace):
        yield from unmasked_proc(pod)


def selinux(pod: Pod) -> Iterator[Violation]:
    """SELinux labels are those of containers (check_seLinuxOptions.go)."""
    allowed = [name for name, since in SELINUX_TYPES.items() if since <= pod.version]
    for context in pod.contexts:
        options = mapping(context.security, "seLinuxOptions")
        if text(options, "type") not in allowed:
            message = f"{text(options, 'type')} is not allowed; use one of {', '.join(filter(None, allowed))}"
            yield Violation(context.at("seLinuxOptions", "type"), message)
        for field in ("user", "role"):
            if text(options, field):
                yield Violation(context.at("seLinuxOptions", field), "may not be set")


def app_armor(pod: Pod) -> Iterator[Violation]:
    """AppArmor is not switched off (check_appArmorProfile.go; a field since Kubernetes 1.30)."""
    for key, profile in pod.annotations.items():
        if not str(key).startswith(APP_ARMOR) or not isinstance(profile, str):
            continue
        if profile not in ("", "runtime/default") and not profile.startswith("localhost/"):
            message = f"{profile} is not allowed; use runtime/default or localhost/…"
            yield Violation(("metadata", "annotations", str(key)), message)
    if pod.kubernetes >= (1, 30):
        yield from _profiles(pod, "appArmorProfile")


def seccomp(pod: Pod) -> Iterator[Violation]:
    """Seccomp is not switched off (check_seccompProfile_baseline.go): by annotations before v1.19."""
    if pod.version < (1, 19):
        yield from _seccomp_annotations(pod)
    else:
        yield from _profiles(pod, "seccompProfile")


def _profiles(pod: Pod, field: str) -> Iterator[Violation]:
    for context in pod.contexts:
        profile = context.security.get(field)
        if isinstance(profile, dict) and not is_profile(profile):
            yield Violation(context.at(field, "type"), "must be RuntimeDefault or Localhost")


def _seccomp_annotations(pod: Pod) -> Iterator[Violation]:
    named = [SECCOMP_CONTAINER + text(context.spec, "name") for context in pod.containers]
    for key in (SECCOMP_POD, *named):
        profile = pod.annotations.get(key)
        if not isinstance(profile, str) or profile.startswith("localhost/"):
            continue
        if profile not in ("runtime/default", "docker/default"):
            yield Violation(("metadata", "annotations", key), "must be runtime/default or localhost/…")


def sysctls(pod: Pod) -> Iterator[Violation]:
    """Kernel parameters are safe ones (check_sysctls.go)."""
    for index, sysctl in structs(pod.itself.security, "sysctls"):
        name = text(sysctl, "name")
        if SYSCTLS.get(name, (2, 0)) > pod.version:
            allowed = ", ".join(name for name, since in SYSCTLS.items() if since <= pod.version)
            path = pod.itself.at("sysctls", index, "name")
            yield Violation(path, f"{name} may not be set; allowed are {allowed}")


def host_process(pod: Pod) -> Iterator[Violation]:
    """No process of a Windows node (check_windowsHostProcess.go)."""
    for context in pod.contexts:
        if flag(mapping(context.security, "windowsOptions"), "hostProcess"):
            yield Violation(context.at("windowsOptions", "hostProcess"), "must be false, or not set")


BASELINE = (
    Control("appArmorProfile", app_armor),
    Control("capabilities", capabilities),
    Control("hostNamespaces", host_namespaces),
    Control("hostPathVolumes", host_paths),
    Control("hostPorts", host_ports),
    Control("hostProbesAndHostLifecycle", probe_hosts, since=(1, 34)),
    Control("privileged", privileged),
    Control("procMount", masked_proc),
    Control("seLinuxOptions", selinux),
    Control("seccompProfile", seccomp),
    Control("sysctls", sysctls),
    Control("windowsHostProcess", host_process),
)
