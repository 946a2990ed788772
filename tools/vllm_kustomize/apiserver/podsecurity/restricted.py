"""The controls that Pod Security `restricted` adds to `baseline`: current practice of hardening pods.

Each function names the file of k8s.io/pod-security-admission/policy that says so.
"""

from __future__ import annotations

from collections.abc import Iterator

from vllm_kustomize.apiserver.framework.combinators import structs
from vllm_kustomize.apiserver.podsecurity import baseline
from vllm_kustomize.apiserver.podsecurity.pod import Control, Pod, Violation, is_profile, unmasked_proc
from vllm_kustomize.kubernetes.fields import is_set, mapping, sequence

VOLUMES = (
    "configMap",
    "csi",
    "downwardAPI",
    "emptyDir",
    "ephemeral",
    "persistentVolumeClaim",
    "projected",
    "secret",
)
IMAGE_VOLUMES_SINCE = (1, 33)
"""The release whose plugin knows image volumes, whatever version of the standards it applies."""


def volumes(pod: Pod) -> Iterator[Violation]:
    """Volumes come from Kubernetes, not from the node or the network (check_restrictedVolumes.go).

    A volume without a source is an emptyDir.
    """
    allowed = (*VOLUMES, "image") if pod.kubernetes >= IMAGE_VOLUMES_SINCE else VOLUMES
    for index, volume in structs(pod.spec, "volumes"):
        sources = [field for field in volume if field != "name" and is_set(volume, field)]
        if sources and not any(source in allowed for source in sources):
            message = f"is not an allowed volume type; use one of {', '.join(sorted(allowed))}"
            yield Violation(("spec", "volumes", index, str(sources[0])), message)


def escalation(pod: Pod) -> Iterator[Violation]:
    """Processes gain no privileges (check_allowPrivilegeEscalation.go)."""
    if pod.version >= (1, 25) and pod.is_windows:
        return
    for context in pod.containers:
        allowed = context.security.get("allowPrivilegeEscalation")
        if allowed is None:
            message = f"{context.name} needs securityContext.allowPrivilegeEscalation: false"
            yield Violation(context.path, message)
        elif allowed is not False:
            yield Violation(context.at("allowPrivilegeEscalation"), "must be false")


def non_root(pod: Pod) -> Iterator[Violation]:
    """Containers say that they do not run as root, or the pod does (check_runAsNonRoot.go)."""
    if pod.version >= (1, 35) and pod.in_user_namespace:
        return
    settled = pod.itself.security.get("runAsNonRoot") is True
    for context in pod.contexts:
        value = context.security.get("runAsNonRoot")
        if value is False:
            yield Violation(context.at("runAsNonRoot"), "must be true")
        elif value is None and context.path != pod.itself.path and not settled:
            message = f"{context.name}, or the pod, needs securityContext.runAsNonRoot: true"
            yield Violation(context.path, message)


def user(pod: Pod) -> Iterator[Violation]:
    """The user is not root's number (check_runAsUser.go)."""
    if pod.version >= (1, 35) and pod.in_user_namespace:
        return
    for context in pod.contexts:
        value = context.security.get("runAsUser")
        if value == 0 and value is not False:
            yield Violation(context.at("runAsUser"), "may not be 0")


def seccomp(pod: Pod) -> Iterator[Violation]:
    """Every container has a seccomp profile, or the pod does (check_seccompProfile_restricted.go)."""
    if pod.version >= (1, 25) and pod.is_windows:
        return
    yield from baseline.seccomp(pod)
    if is_profile(mapping(pod.itself.security, "seccompProfile")):
        return
    for context in pod.containers:
        if not is_set(context.security, "seccompProfile"):
            message = f"{context.name}, or the pod, needs securityContext.seccompProfile.type: RuntimeDefault"
            yield Violation(context.path, message)


def capabilities(pod: Pod) -> Iterator[Violation]:
    """Containers drop all capabilities and add one at most (check_capabilities_restricted.go)."""
    if pod.version >= (1, 25) and pod.is_windows:
        return
    for context in pod.containers:
        found = mapping(context.security, "capabilities")
        if "ALL" not in sequence(found, "drop"):
            message = f'{context.name} needs securityContext.capabilities.drop: ["ALL"]'
            at = context.at("capabilities", "drop") if is_set(found, "drop") else context.path
            yield Violation(at, message)
        for index, capability in enumerate(sequence(found, "add")):
            if capability != "NET_BIND_SERVICE":
                message = f"{capability} may not be added; only NET_BIND_SERVICE may"
                yield Violation(context.at("capabilities", "add", index), message)


RESTRICTED = (
    Control("restrictedVolumes", volumes, replaces=("hostPathVolumes",)),
    Control("allowPrivilegeEscalation", escalation, since=(1, 8)),
    Control("runAsNonRoot", non_root),
    Control("runAsUser", user, since=(1, 23)),
    Control("seccompProfile_restricted", seccomp, since=(1, 19), replaces=("seccompProfile",)),
    Control("capabilities_restricted", capabilities, since=(1, 22), replaces=("capabilities",)),
    Control("procMount_restricted", unmasked_proc, since=(1, 35), replaces=("procMount",)),
)
