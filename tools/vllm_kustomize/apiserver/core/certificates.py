"""Certificates and trust bundles that are projected into pods, on by default since Kubernetes 1.37.

Rules of pkg/apis/core/validation (validateProjectionSources); feature gates ClusterTrustBundleProjection and
PodCertificateRequest, without which the server drops the field.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from vllm_kustomize.apiserver.framework.combinators import Family, Fault, Scope, warning
from vllm_kustomize.kubernetes import names
from vllm_kustomize.kubernetes.fields import is_set, number, text

api = Family("volumes")
SINCE = (1, 37)
KEY_TYPES = ("RSA3072", "RSA4096", "ECDSAP256", "ECDSAP384", "ECDSAP521", "ED25519")
SHORTEST = 60 * 60
LONGEST = 91 * 24 * SHORTEST
KUBERNETES_LONGEST = 24 * SHORTEST
PATHS = ("credentialBundlePath", "keyPath", "certificateChainPath")


def trust_bundle(value: Any, scope: Scope) -> Iterator[Fault]:
    """A bundle is chosen by its name or by its signer, and written to a file."""
    if not scope.stricter_since(SINCE):
        yield _dropped()
        return
    by_name, by_signer = is_set(value, "name"), is_set(value, "signerName")
    if by_name and by_signer:
        yield Fault((), "name and signerName exclude each other")
    elif by_name:
        name = text(value, "name")
        if message := "" if ":" in name else names.dns_subdomain(name):
            yield Fault(("name",), message)
        if is_set(value, "labelSelector"):
            yield Fault(("labelSelector",), "may not be set beside name")
    elif by_signer:
        yield from _signer(value)
    else:
        yield Fault((), "needs name or signerName")
    if not text(value, "path"):
        yield Fault(("path",), "is required")
    elif message := names.file_below_volume(text(value, "path")):
        yield Fault(("path",), message)


def pod_certificate(value: Any, scope: Scope) -> Iterator[Fault]:
    """A certificate has a signer, a type of key, and a file."""
    if not scope.stricter_since(SINCE):
        yield _dropped()
        return
    yield from _signer(value)
    if text(value, "keyType") not in KEY_TYPES:
        yield Fault(("keyType",), f"must be one of {', '.join(KEY_TYPES)}")
    seconds = number(value, "maxExpirationSeconds", default=SHORTEST)
    signer = text(value, "signerName")
    longest = KUBERNETES_LONGEST if signer.startswith("kubernetes.io/") else LONGEST
    if not SHORTEST <= seconds <= longest:
        yield Fault(("maxExpirationSeconds",), f"is {seconds}, but must be between {SHORTEST} and {longest}")
    paths = [field for field in PATHS if text(value, field)]
    if not paths:
        yield Fault((), f"needs one of {', '.join(PATHS)}")
    for field in paths:
        if message := names.file_below_volume(text(value, field)):
            yield Fault((field,), message)


def _signer(value: Any) -> Iterator[Fault]:
    name = text(value, "signerName")
    if message := names.domain_prefixed_path(name) if name else "is required":
        yield Fault(("signerName",), message)


def _dropped() -> Fault:
    return warning((), "is dropped by the server before Kubernetes 1.37, unless its feature gate is on")


TRUST_BUNDLE = api.struct({}, trust_bundle)
POD_CERTIFICATE = api.struct({}, pod_certificate)
