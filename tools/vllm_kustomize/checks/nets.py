"""Where a check fails, the others still speak, and the report says which one did not."""

from __future__ import annotations

from collections.abc import Iterable, Iterator

from vllm_kustomize import rules
from vllm_kustomize.faults import describe
from vllm_kustomize.model import Diagnosis, Error, Finding, Location, Precision, Problem, Resource


def caught(check: str, found: Iterable[Diagnosis], resource: Resource | None = None) -> Iterator[Diagnosis]:
    """What a check yields; where it fails, a diagnosis that says so instead of the rest."""
    try:
        yield from found
    except Error:
        raise
    except Exception as fault:
        yield failed(check, fault, resource)


def failed(check: str, fault: Exception, resource: Resource | None) -> Diagnosis:
    """The diagnosis that a check failed on an object, or on a build as a whole."""
    return rules.get("internal-error").diagnose(Problem((), _sentence(check, fault)), resource)


def internal_error(check: str, fault: Exception, overlay: str | None, file: str) -> Finding:
    """The finding that a check failed on an overlay or file, which no other finding suffers from."""
    return _about("internal-error", _sentence(check, fault), overlay, file)


def not_checked(reason: str, overlay: str | None, file: str) -> Finding:
    """The finding that an overlay or file was left unchecked."""
    return _about("not-checked", f"not checked: {reason}", overlay, file)


def _about(rule_id: str, message: str, overlay: str | None, file: str) -> Finding:
    rule = rules.get(rule_id)
    whole = Location(file, 1, 1, precision=Precision.FILE)
    return Finding(rule.id, rule.severity, message, rule.help, overlay, location=whole)


def _sentence(check: str, fault: Exception) -> str:
    return f"the check {check} failed: {describe(fault)}"
