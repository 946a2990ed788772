"""Secrets, ConfigMaps, ServiceAccounts and Namespaces.

Rules of pkg/apis/core/validation (ValidateSecret, ValidateConfigMap, ValidateNamespace) and of the
PodSecurity admission plugin for the labels of a Namespace. No message shows a value: it may be secret.
"""

from __future__ import annotations

import base64
import binascii
import json
import re
from collections.abc import Iterator, Mapping
from typing import Any

from vllm_kustomize.apiserver.framework.combinators import (
    Family,
    Fault,
    Scope,
    Struct,
    always,
    structs,
    warning,
)
from vllm_kustomize.apiserver.framework.metadata import STANDARD_FINALIZERS, byte_length, object_meta
from vllm_kustomize.kubernetes import names
from vllm_kustomize.kubernetes.fields import is_integer, mapping, sequence, text

api = Family("config")
API_VERSION = "v1"
SIZE_LIMIT = 1024 * 1024

REQUIRED_KEYS: Mapping[str, tuple[str, ...]] = {
    "kubernetes.io/dockercfg": (".dockercfg",),
    "kubernetes.io/dockerconfigjson": (".dockerconfigjson",),
    "kubernetes.io/ssh-auth": ("ssh-privatekey",),
    "kubernetes.io/tls": ("tls.crt", "tls.key"),
}
_BASE64 = re.compile(r"[A-Za-z0-9+/]*={0,2}", re.ASCII)
_LEVEL_LABEL = re.compile(r"pod-security\.kubernetes\.io/(enforce|audit|warn)(-version)?")
_VERSION = re.compile(r"v1\.(0|[1-9][0-9]*)", re.ASCII)


def base64_fault(value: Any) -> str:
    """What is wrong with bytes written as base64 (or, as Go allows, as a list of numbers)."""
    if isinstance(value, list):
        fits = all(item is None or (is_integer(item) and 0 <= item <= 255) for item in value)
        return "" if fits else "must be base64 text"
    if not isinstance(value, str):
        return ""
    text = value.replace("\r", "").replace("\n", "")
    if len(text) % 4 or not _BASE64.fullmatch(text):
        return "is not base64; plain text belongs in stringData (or, in a ConfigMap, in data)"
    return ""


def decoded(value: Any) -> bytes:
    """The bytes behind base64, empty where there are none."""
    try:
        return base64.b64decode(value or "", validate=False) if isinstance(value, str) else b""
    except (binascii.Error, ValueError):
        return b""


def secret_data(value: Any, scope: Scope) -> Iterator[Fault]:
    """Keys, encoding and size of a Secret's data; stringData ends up there."""
    size = 0
    given, plain = mapping(value, "data"), mapping(value, "stringData")
    for key, content in given.items():
        if message := base64_fault(content):
            yield Fault(("data", str(key)), message)
        if key not in plain:
            size += len(content) * 3 // 4 if isinstance(content, str) else 0
    for content in plain.values():
        size += byte_length(content) if isinstance(content, str) else 0
    for field, keys in (("data", given), ("stringData", plain)):
        for key in keys:
            if message := names.config_key(str(key)):
                yield Fault(("data", str(key)), message, at=(field, str(key)))
    if size > SIZE_LIMIT:
        yield Fault(("data",), f"holds {size} bytes, but a Secret may hold at most {SIZE_LIMIT}")


def secret_type(value: Any, scope: Scope) -> Iterator[Fault]:
    """What a Secret of a known type must hold."""
    kind = text(value, "type")
    given, plain = mapping(value, "data"), mapping(value, "stringData")
    for key in REQUIRED_KEYS.get(kind, ()):
        if (key not in given and key not in plain) or (
            key == "ssh-privatekey" and _is_empty(given, plain, key)
        ):
            yield Fault(("data", key), f"is required in a Secret of type {kind}")
        elif kind.startswith("kubernetes.io/docker") and not _is_object(given, plain, key):
            at = ("stringData" if key in plain else "data", key)
            yield Fault(("data", key), "must hold a JSON object", at=at)
    if kind == "kubernetes.io/basic-auth" and not {"username", "password"} & {*given, *plain}:
        for key in ("username", "password"):
            yield Fault(("data", key), f"is required in a Secret of type {kind}, unless the other is there")
    if kind == "kubernetes.io/service-account-token":
        annotations = mapping(mapping(value, "metadata"), "annotations")
        if not annotations.get("kubernetes.io/service-account.name"):
            path = ("metadata", "annotations", "kubernetes.io/service-account.name")
            yield Fault(path, f"is required for a Secret of type {kind}")
    if kind == "kubernetes.io/tls":
        yield from _certificate(given, plain)


def _certificate(given: Mapping[Any, Any], plain: Mapping[Any, Any]) -> Iterator[Fault]:
    """The server warns of a TLS Secret whose certificate is none."""
    if "tls.crt" in plain:
        if "-----BEGIN" not in text(plain, "tls.crt"):
            yield warning(("stringData", "tls.crt"), "holds no PEM certificate")
    elif "tls.crt" in given and b"-----BEGIN" not in decoded(given["tls.crt"]):
        yield warning(("data", "tls.crt"), "holds no PEM certificate")


def _is_empty(given: Mapping[Any, Any], plain: Mapping[Any, Any], key: str) -> bool:
    return not (plain[key] if key in plain else given.get(key))


def _is_object(given: Mapping[Any, Any], plain: Mapping[Any, Any], key: str) -> bool:
    content = plain[key] or "" if key in plain else decoded(given[key])
    if not isinstance(content, (str, bytes)):
        return True
    try:
        found = json.loads(content)
    except (ValueError, RecursionError):
        return False
    return found is None or isinstance(found, dict)


def config_map(value: Any, scope: Scope) -> Iterator[Fault]:
    """Keys, encoding and size of a ConfigMap."""
    plain, binary = mapping(value, "data"), mapping(value, "binaryData")
    size = 0
    for field, keys, other in (("data", plain, binary), ("binaryData", binary, plain)):
        for key, content in keys.items():
            if message := names.config_key(str(key)):
                yield Fault((field, str(key)), message)
            if key in other:
                yield Fault((field, str(key)), "is in data and in binaryData")
            if field == "binaryData":
                if message := base64_fault(content):
                    yield Fault((field, str(key)), message)
                size += len(content) * 3 // 4 if isinstance(content, str) else 0
            else:
                size += byte_length(content) if isinstance(content, str) else 0
    if size > SIZE_LIMIT:
        yield Fault((), f"holds {size} bytes, but a ConfigMap may hold at most {SIZE_LIMIT}")


def security_levels(value: Any, scope: Scope) -> Iterator[Fault]:
    """Labels that the PodSecurity admission plugin reads."""
    for key, content in mapping(mapping(value, "metadata"), "labels").items():
        match = _LEVEL_LABEL.fullmatch(str(key))
        if not match or not isinstance(content, (str, type(None))):
            continue
        path = ("metadata", "labels", str(key))
        if match[2]:
            if content != "latest" and not _VERSION.fullmatch(content or ""):
                yield Fault(path, "must be latest or a version such as v1.36")
        elif content not in ("privileged", "baseline", "restricted"):
            yield Fault(path, "must be privileged, baseline or restricted")


def namespace_finalizers(value: Any, scope: Scope) -> Iterator[Fault]:
    """Finalizers of a namespace, reported without an index."""
    for index, name in enumerate(sequence(value, "finalizers")):
        if not isinstance(name, (str, type(None))):
            continue
        message = names.qualified_name(name or "")
        if not message and "/" not in (name or "") and name not in STANDARD_FINALIZERS:
            message = "is not a standard finalizer; give it a domain"
        if message:
            yield Fault(("finalizers",), message, at=("finalizers", index))


def references(value: Any, scope: Scope) -> Iterator[Fault]:
    """Pull secrets of a ServiceAccount are named, each once; the server only warns."""
    for field in ("imagePullSecrets", "secrets"):
        seen: set[str] = set()
        for index, reference in structs(value, field):
            name = text(reference, "name")
            if field == "imagePullSecrets" and not name:
                continue
            if name and name in seen:
                yield warning(
                    (field, index, "name"), f'"{name}" is there twice; server-side apply rejects that'
                )
            seen.add(name)


META = always(object_meta(counted=False))
KINDS: Mapping[str, Struct] = {
    "Secret": api.struct({"metadata": META}, secret_data, secret_type),
    "ConfigMap": api.struct({"metadata": META}, config_map),
    "ServiceAccount": api.struct({"metadata": META}, references),
    "Namespace": api.struct(
        {
            "metadata": always(object_meta(names.dns_label, namespaced=False, counted=False)),
            "spec": api.struct({}, namespace_finalizers),
        },
        security_levels,
    ),
}
