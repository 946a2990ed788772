"""Pod specs, and the Pod itself.

Rules of pkg/apis/core/validation (ValidatePodSpec, ValidatePodTemplateSpec, ValidatePodCreate), after the
defaults of pkg/apis/core/v1/defaults.go.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from vllm_kustomize.apiserver.core import (
    containers,
    operating_systems,
    probes,
    resources,
    scheduling,
    security,
)
from vllm_kustomize.apiserver.core.volumes import VOLUMES, mounts
from vllm_kustomize.apiserver.framework import deprecations
from vllm_kustomize.apiserver.framework.combinators import (
    Family,
    Fault,
    Scope,
    Since,
    always,
    structs,
    warning,
)
from vllm_kustomize.apiserver.framework.metadata import dotted_name, object_meta, prefixed
from vllm_kustomize.kubernetes import names
from vllm_kustomize.kubernetes.fields import flag, is_integer, is_set, mapping, number, sequence, text

api = Family("pod")
API_VERSION = "v1"
NAMESERVER_LIMIT = 3
SEARCH_LIMIT = 32
SEARCH_CHARACTERS = 2048
DEFAULT_GRACE = 30
SERVICE_ACCOUNT = api.text(names.dns_subdomain)


def address(value: str, scope: Scope) -> str:
    """What is wrong with an IP address: leading zeros are, since 1.36."""
    return (names.strict_ip if scope.stricter_since((1, 36)) else names.ip)(value)


def dns(pod: Any, scope: Scope) -> Iterator[Fault]:
    """DNS settings: policy None needs nameservers, and each list has its limit."""
    config = pod.get("dnsConfig")
    if text(pod, "dnsPolicy") == "None":
        if config is None:
            yield Fault(("dnsConfig",), "is required where dnsPolicy is None")
        elif not sequence(config, "nameservers"):
            yield Fault(("dnsConfig", "nameservers"), "needs a nameserver where dnsPolicy is None")
    if not isinstance(config, dict):
        return
    servers, searches = sequence(config, "nameservers"), sequence(config, "searches")
    if len(servers) > NAMESERVER_LIMIT:
        yield Fault(
            ("dnsConfig", "nameservers"), f"holds {len(servers)}, but may hold at most {NAMESERVER_LIMIT}"
        )
    for index, server in enumerate(servers):
        if isinstance(server, (str, type(None))) and (message := address(server or "", scope)):
            yield Fault(("dnsConfig", "nameservers", index), message)
    if len(searches) > SEARCH_LIMIT:
        yield Fault(("dnsConfig", "searches"), f"holds {len(searches)}, but may hold at most {SEARCH_LIMIT}")
    if sum(len(str(search)) + 1 for search in searches) - 1 > SEARCH_CHARACTERS:
        yield Fault(("dnsConfig", "searches"), f"may have at most {SEARCH_CHARACTERS} characters in all")
    for index, search in enumerate(searches):
        if isinstance(search, (str, type(None))) and (message := _search(search or "")):
            yield Fault(("dnsConfig", "searches", index), message)
    for index, option in structs(config, "options"):
        if not option.get("name"):
            yield Fault(("dnsConfig", "options", index), "needs a name")


def _search(domain: str) -> str:
    return "" if domain == "." else names.dns_subdomain_underscore(domain.removesuffix("."))


def host_aliases(pod: Any, scope: Scope) -> Iterator[Fault]:
    """Lines of /etc/hosts: an address, once, and names."""
    seen: set[str] = set()
    for index, alias in structs(pod, "hostAliases"):
        given = alias.get("ip") or ""
        if isinstance(given, str):
            if message := address(given, scope):
                yield Fault(("hostAliases", index, "ip"), message)
            elif given in seen:
                message = f"{given} is there twice; server-side apply (Argo CD, Flux) rejects that"
                yield warning(("hostAliases", index), message)
            seen.add(given)
        for place, hostname in enumerate(sequence(alias, "hostnames")):
            if isinstance(hostname, (str, type(None))) and (message := names.dns_subdomain(hostname or "")):
                yield Fault(("hostAliases", index, "hostnames", place), message)


def pull_secrets(pod: Any, scope: Scope) -> Iterator[Fault]:
    """Pull secrets are named, each once; the server only warns."""
    seen: set[str] = set()
    for index, reference in structs(pod, "imagePullSecrets"):
        name = text(reference, "name")
        if not name:
            yield warning(("imagePullSecrets", index, "name"), "is empty")
        elif name in seen:
            message = f'"{name}" is there twice; server-side apply (Argo CD, Flux) rejects that'
            yield warning(("imagePullSecrets", index, "name"), message)
        seen.add(name)


def some_containers(pod: Any, scope: Scope) -> Iterator[Fault]:
    """A pod has a container."""
    found = pod.get("containers")
    if not found and isinstance(found, (list, type(None))):
        yield Fault(("containers",), "needs at least one container")


def volume_mounts(pod: Any, scope: Scope) -> Iterator[Fault]:
    """Containers mount the pod's own volumes."""
    known = {text(volume, "name"): volume for _, volume in structs(pod, "volumes")}
    for field in ("containers", "initContainers", "ephemeralContainers"):
        for index, container in structs(pod, field):
            yield from prefixed((field, index), mounts(container, known))


def resource_claims(pod: Any, scope: Scope) -> Iterator[Fault]:
    """Resource claims are named, each once, and come from one place; containers use those of their pod."""
    known: set[str] = set()
    for index, claim in structs(pod, "resourceClaims"):
        base = ("resourceClaims", index)
        name = text(claim, "name")
        if not name:
            yield Fault((*base, "name"), "is required")
        elif name in known:
            yield Fault((*base, "name"), f'"{name}" is there twice')
        elif message := names.dns_label(name):
            yield Fault((*base, "name"), message)
        known.add(name)
        sources = [
            field for field in ("resourceClaimName", "resourceClaimTemplateName") if is_set(claim, field)
        ]
        if len(sources) != 1:
            yield Fault(base, "needs either resourceClaimName or resourceClaimTemplateName")
        for field in sources:
            if isinstance(claim[field], str) and (message := names.dns_subdomain(claim[field])):
                yield Fault((*base, field), message)
    for field in ("containers", "initContainers"):
        for index, container in structs(pod, field):
            for place, claim in structs(container.get("resources"), "claims"):
                if text(claim, "name") and text(claim, "name") not in known:
                    path = (field, index, "resources", "claims", place)
                    yield Fault(path, f'the pod has no resource claim "{text(claim, "name")}"')


def grace_periods(pod: Any, scope: Scope) -> Iterator[Fault]:
    """Hooks that sleep end in time; a negative grace period counts as one second."""
    grace = number(pod, "terminationGracePeriodSeconds", default=DEFAULT_GRACE)
    if is_integer(pod.get("terminationGracePeriodSeconds")) and grace < 0:
        yield warning(("terminationGracePeriodSeconds",), f"is {grace}, and the server makes it 1")
    for field in ("containers", "initContainers"):
        for index, container in structs(pod, field):
            if not is_set(container, "lifecycle"):
                continue
            for fault in probes.hooks_fit_grace_period(container, grace):
                yield fault._replace(path=(field, index, *fault.path))


def _fits_kernel(hostname: str) -> str:
    longest = 64
    return "" if len(hostname) <= longest else f"may have at most {longest} characters"


def hostname_override(pod: Any, scope: Scope) -> Iterator[Fault]:
    """A hostname that is given in full is neither the node's nor made from the pod's domain."""
    if text(pod, "hostnameOverride") and scope.stricter_since((1, 35)):
        for field in ("hostNetwork", "setHostnameAsFQDN"):
            if flag(pod, field):
                yield Fault(("hostnameOverride",), f"may not be set where {field} is true")


def service_account(pod: Any, scope: Scope) -> Iterator[Fault]:
    """The field's old name counts where the new one is empty."""
    old = text(pod, "serviceAccount")
    if old and not text(pod, "serviceAccountName") and (message := names.dns_subdomain(old)):
        yield Fault(("serviceAccountName",), message, at=("serviceAccount",))


def admitted(pod: Any, scope: Scope) -> Iterator[Fault]:
    """What the admission plugins that are on by default refuse when the pod is created."""
    if mapping(pod, "overhead") and not text(pod, "runtimeClassName"):
        message = "comes from the runtime class, but there is no runtimeClassName; no pod can be created"
        yield warning(("overhead",), message)
    if text(pod, "priorityClassName"):
        return
    note = "no pod can be created unless the cluster's default priority class says the same"
    if number(pod, "priority"):
        yield warning(("priority",), f"needs a priorityClassName; {note}")
    if text(pod, "preemptionPolicy") == "Never":
        yield warning(("preemptionPolicy",), f"needs a priorityClassName; {note}")


def gates(pod: Any, scope: Scope) -> Iterator[Fault]:
    """A pod that waits behind a gate has no node yet."""
    if sequence(pod, "schedulingGates") and text(pod, "nodeName"):
        yield Fault(("nodeName",), "may not be set while the pod has schedulingGates")


def resize_and_restart(pod: Any, scope: Scope) -> Iterator[Fault]:
    """A pod that never restarts cannot restart a container to resize it."""
    if text(pod, "restartPolicy") != "Never":
        return
    for field in ("containers", "initContainers"):
        for index, container in structs(pod, field):
            if is_set(container, "restartPolicy"):
                continue
            for place, policy in structs(container, "resizePolicy"):
                if text(policy, "restartPolicy") == "RestartContainer":
                    path = (field, index, "resizePolicy")
                    message = "must be NotRequired where the pod's restartPolicy is Never"
                    yield Fault(path, message, at=(*path, place, "restartPolicy"))


POD_SPEC = api.struct(
    {
        "volumes": VOLUMES,
        "containers": api.items(containers.CONTAINER),
        "initContainers": api.items(containers.INIT_CONTAINER),
        "ephemeralContainers": api.items(containers.EPHEMERAL_CONTAINER),
        "restartPolicy": api.one_of("Always", "OnFailure", "Never"),
        "dnsPolicy": api.one_of("ClusterFirstWithHostNet", "ClusterFirst", "Default", "None"),
        "securityContext": security.POD,
        "serviceAccountName": SERVICE_ACCOUNT,
        "activeDeadlineSeconds": api.number(1, 2**31 - 1),
        "hostname": api.text(names.dns_label),
        "subdomain": api.text(names.dns_label),
        "hostnameOverride": Since((1, 35), api.text(names.dns_subdomain, _fits_kernel, empty=True)),
        "runtimeClassName": api.text(names.dns_subdomain, empty=True),
        "overhead": resources.OVERHEAD,
        "resources": Since((1, 34), resources.POD_RESOURCES),
        "readinessGates": api.items(
            api.struct({"conditionType": always(api.text(names.qualified_name, empty=True))}),
        ),
        **scheduling.POD_FIELDS,
    },
    some_containers,
    containers.names_unique,
    containers.host_ports,
    containers.host_network_ports,
    volume_mounts,
    dns,
    host_aliases,
    pull_secrets,
    resource_claims,
    grace_periods,
    admitted,
    deprecations.node_selector,
    gates,
    hostname_override,
    service_account,
    resize_and_restart,
    *security.POD_RULES,
    *operating_systems.RULES,
)


SECCOMP_POD = "seccomp.security.alpha.kubernetes.io/pod"
SECCOMP_CONTAINER = "container.seccomp.security.alpha.kubernetes.io/"
APP_ARMOR = "container.apparmor.security.beta.kubernetes.io/"
DELETION_COST = "controller.kubernetes.io/pod-deletion-cost"
MIRROR = "kubernetes.io/config.mirror"
SECCOMP_PROFILES = ("runtime/default", "docker/default", "unconfined")


def pod_annotations(value: Any, scope: Scope) -> Iterator[Fault]:
    """Annotations of a pod or its template that Kubernetes itself reads."""
    spec = mapping(value, "spec")
    for key, content in mapping(mapping(value, "metadata"), "annotations").items():
        key, content = str(key), content or ""
        if not isinstance(content, str):
            continue
        message = ""
        if key == DELETION_COST and content and not _is_int32(content):
            message = "must be a 32-bit integer"
        elif key == MIRROR and not text(spec, "nodeName"):
            message = "needs spec.nodeName"
        elif key == SECCOMP_POD or key.startswith(SECCOMP_CONTAINER):
            message = _seccomp(content)
        elif key.startswith(APP_ARMOR):
            message = _app_armor(key.removeprefix(APP_ARMOR), content, spec)
        if message:
            yield Fault(("annotations", key), message, at=("metadata", "annotations", key))


def _seccomp(profile: str) -> str:
    if profile.startswith("localhost/"):
        return names.relative_path(profile.removeprefix("localhost/"))
    return "" if profile in SECCOMP_PROFILES else "must be runtime/default, unconfined or localhost/…"


def _app_armor(container: str, profile: str, spec: Any) -> str:
    lists = ("containers", "initContainers", "ephemeralContainers")
    if not any(text(item, "name") == container for field in lists for _, item in structs(spec, field)):
        return f'names container "{container[:60]}", which the pod does not have'
    if profile in ("", "runtime/default", "unconfined") or profile.startswith("localhost/"):
        return ""
    return "must be runtime/default, unconfined or localhost/…"


def own_annotations(value: Any, scope: Scope) -> Iterator[Fault]:
    """The same, at the path that they have in a pod of its own."""
    for fault in pod_annotations(value, scope):
        yield Fault(fault.at, fault.message)


def _is_int32(value: str) -> bool:
    digits = value.removeprefix("-")
    canonical = digits == "0" or (
        digits.isascii() and digits.isdigit() and digits[0] != "0" and len(digits) <= 10
    )
    return canonical and value != "-0" and -(2**31) <= int(value) < 2**31


def only_for_pods(value: Any, scope: Scope) -> Iterator[Fault]:
    """What the server checks for a pod, but not for a template."""
    spec = mapping(value, "spec")
    for field in ("containers", "initContainers"):
        for index, container in structs(spec, field):
            image = text(container, "image")
            if image != image.strip():
                yield Fault(("spec", field, index, "image"), "may not begin or end with a space")
    if sequence(spec, "ephemeralContainers"):
        yield Fault(("spec", "ephemeralContainers"), "may not be set in a new pod")


POD = api.struct(
    {"metadata": always(object_meta(names.dns_subdomain, dotted_name)), "spec": always(POD_SPEC)},
    own_annotations,
    only_for_pods,
)
KINDS = {"Pod": POD}
