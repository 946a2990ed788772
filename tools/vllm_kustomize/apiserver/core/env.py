"""Environment variables and where their values come from.

Rules of pkg/apis/core/validation (ValidateEnv, ValidateEnvFrom).
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from vllm_kustomize.apiserver.framework.combinators import (
    Family,
    Fault,
    Rule,
    Scope,
    Since,
    Struct,
    always,
    required,
    warning,
)
from vllm_kustomize.apiserver.framework.metadata import as_prefix
from vllm_kustomize.apiserver.framework.quantity import QUANTITY
from vllm_kustomize.kubernetes import names, quantity
from vllm_kustomize.kubernetes.fields import is_set, text
from vllm_kustomize.wording import quote

api = Family("env")
SOURCES = ("fieldRef", "resourceFieldRef", "configMapKeyRef", "secretKeyRef", "fileKeyRef")

ENV_FIELDS = frozenset(
    {
        "metadata.name",
        "metadata.namespace",
        "metadata.uid",
        "spec.nodeName",
        "spec.serviceAccountName",
        "status.hostIP",
        "status.podIP",
        "status.podIPs",
        "status.hostIPs",
    }
)
VOLUME_FIELDS = frozenset(
    {"metadata.name", "metadata.namespace", "metadata.labels", "metadata.annotations", "metadata.uid"}
)
ENV_RESOURCES = tuple(
    f"{kind}.{name}" for kind in ("limits", "requests") for name in ("cpu", "ephemeral-storage", "memory")
)
_BINARY_DIVISORS = frozenset(
    quantity.parse(f"1{suffix}")
    for suffix in ("", "k", "M", "G", "T", "P", "E", "Ki", "Mi", "Gi", "Ti", "Pi", "Ei")
)
_CPU_DIVISORS = frozenset({quantity.parse("1m"), quantity.parse("1")})


def env_name(value: Any, scope: Scope) -> Iterator[Fault]:
    """A variable's name: nearly any text since 1.32."""
    if value and (message := names.env_name(value)):
        yield Fault((), message)


def field_reference(fields: frozenset[str]) -> Rule:
    """A rule: the reference names a field of the pod that can be passed on."""

    def rule(value: Any, scope: Scope) -> Iterator[Fault]:
        version, path = value.get("apiVersion") or "v1", value.get("fieldPath") or ""
        if not isinstance(path, str) or not isinstance(version, str):
            return
        if not path:
            yield Fault(("fieldPath",), "is required")
            return
        field, opened, key = path.partition("['")
        if version != "v1":
            yield Fault(("fieldPath",), f"apiVersion {quote(version)} is not known; use v1")
        elif field and opened and key.endswith("']"):
            yield from _subscript(field, key.removesuffix("']"))
        elif path not in fields:
            shown = ", ".join(sorted(fields))
            yield Fault(
                ("fieldPath",), f"{quote(path)} is not a field that can be passed on; use one of {shown}"
            )

    return rule


def _subscript(path: str, key: str) -> Iterator[Fault]:
    if path not in ("metadata.labels", "metadata.annotations"):
        yield Fault(("fieldPath",), f"{quote(path)} cannot be followed by ['…']; labels and annotations can")
        return
    if message := names.qualified_name(key.lower() if path == "metadata.annotations" else key):
        yield Fault((), message, at=("fieldPath",))


def divisor(value: Any, scope: Scope) -> Iterator[Fault]:
    """The unit in which a resource is passed on."""
    given = quantity.of(value.get("divisor"))
    resource = text(value, "resource")
    if not given or resource not in ENV_RESOURCES:
        if given and resource.partition(".")[2].startswith("hugepages-") and given not in _BINARY_DIVISORS:
            yield Fault(("divisor",), "must be 1, or 1 of a unit such as k, M, Ki, Mi")
        return
    if resource.endswith(".cpu"):
        if given not in _CPU_DIVISORS:
            yield Fault(("divisor",), f"is {value['divisor']}, but must be 1 or 1m for {resource}")
    elif given not in _BINARY_DIVISORS:
        message = f"is {value['divisor']}, but must be 1, or 1 of a unit such as k, M, Ki, Mi, for {resource}"
        yield Fault(("divisor",), message)


def resource_reference(volume: bool) -> Rule:
    """A rule: the reference names a resource of a container (by name, in a volume)."""

    def rule(value: Any, scope: Scope) -> Iterator[Fault]:
        container, resource = value.get("containerName") or "", value.get("resource") or ""
        if volume and not container:
            yield Fault(("containerName",), "is required in a volume")
        elif isinstance(resource, str) and not resource:
            yield Fault(("resource",), "is required")
        elif isinstance(resource, str) and not _known_resource(resource):
            yield Fault(
                ("resource",), f"{quote(resource)} is not supported; use one of {', '.join(ENV_RESOURCES)}"
            )

    return rule


def _known_resource(resource: str) -> bool:
    return resource in ENV_RESOURCES or resource.startswith(("limits.hugepages-", "requests.hugepages-"))


def field_ref(fields: frozenset[str]) -> Struct:
    """A reference to a field of the pod."""
    return api.struct({}, field_reference(fields))


def resource_ref(*, volume: bool) -> Struct:
    """A reference to a container's resource."""
    return api.struct({"divisor": QUANTITY}, resource_reference(volume), divisor)


KEY = api.text(names.config_key)
KEY_REFERENCE = api.struct({"name": always(api.text(names.dns_subdomain, empty=True)), "key": required(KEY)})
FILE_REFERENCE = api.struct(
    {
        "volumeName": required(api.text()),
        "path": required(api.text(names.file_below_volume)),
        "key": required(api.value(env_name, accepts=str, zero="")),
    },
)


def value_from(value: Any, scope: Scope) -> Iterator[Fault]:
    """A variable has one source, or a value, or neither."""
    sources = value.get("valueFrom")
    if not isinstance(sources, dict):
        return
    # Before 1.35 the server drops fileKeyRef (feature gate EnvFiles).
    known = [name for name in SOURCES if name != "fileKeyRef" or scope.stricter_since((1, 35))]
    count = sum(is_set(sources, name) for name in known)
    if not count and not is_set(sources, "fileKeyRef"):
        yield Fault(("valueFrom",), f"needs one of {', '.join(SOURCES)}")
    elif value.get("value"):
        yield Fault(("valueFrom",), "may not be set beside a value")
    elif count > 1:
        yield Fault(("valueFrom",), "has more than one source")


VALUE_FROM = api.struct(
    {
        "fieldRef": field_ref(ENV_FIELDS),
        "resourceFieldRef": resource_ref(volume=False),
        "configMapKeyRef": KEY_REFERENCE,
        "secretKeyRef": KEY_REFERENCE,
        "fileKeyRef": Since((1, 35), FILE_REFERENCE),
    },
)
VARIABLE = api.struct(
    {"name": required(api.value(env_name, accepts=str, zero="")), "valueFrom": VALUE_FROM},
    value_from,
)


def hidden(value: Any, scope: Scope) -> Iterator[Fault]:
    """The last of two variables with one name wins; server-side apply rejects the pair.

    The name is a list-map key in the API's schema, so `kubectl apply --server-side`, Argo CD and Flux, which
    apply that way, refuse the object, and a client-side apply may drop one of the two.
    """
    if len(value) < 2:
        return
    seen: dict[str, tuple[int, str]] = {}
    for index, variable in enumerate(value):
        name, content = text(variable, "name"), text(variable, "value")
        if not name:
            continue
        earlier = seen.get(name)
        if earlier and f"$({name})" not in content:
            message = (
                f"hides {name} of env[{earlier[0]}]; server-side apply (Argo CD, Flux) rejects two of a name"
            )
            yield warning((index,), message)
        seen[name] = (index, content)


ENV = api.items(VARIABLE, hidden)


def env_from_sources(value: Any, scope: Scope) -> Iterator[Fault]:
    """Each entry has one source."""
    for index, entry in enumerate(value):
        entry = {} if entry is None else entry
        if not isinstance(entry, dict):
            continue
        count = is_set(entry, "configMapRef") + is_set(entry, "secretRef")
        if not count:
            yield Fault((), "an entry needs configMapRef or secretRef", at=(index,))
        elif count > 1:
            yield Fault((), "an entry may not have both configMapRef and secretRef", at=(index,))


_SOURCE = api.struct({"name": required(api.text(as_prefix(names.dns_subdomain)))})
ENV_FROM = api.items(
    api.struct(
        {
            "prefix": api.value(env_name, accepts=str, zero=""),
            "configMapRef": _SOURCE,
            "secretRef": _SOURCE,
        },
    ),
    env_from_sources,
)
