"""Probes and lifecycle hooks.

Rules of pkg/apis/core/validation (validateProbe, validateHandler, validateLifecycle), after the defaults of
pkg/apis/core/v1/defaults.go: a period, threshold or timeout of 0 becomes its default.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from vllm_kustomize.apiserver.framework.combinators import Family, Fault, Scope, always, required, structs
from vllm_kustomize.kubernetes import names
from vllm_kustomize.kubernetes.fields import is_integer, is_set, mapping, number

api = Family("probes")
HANDLERS = ("exec", "httpGet", "tcpSocket", "grpc")
HOOKS = ("exec", "httpGet", "tcpSocket", "sleep")


def port(value: Any, scope: Scope) -> Iterator[Fault]:
    """A port's number or its name."""
    if isinstance(value, str):
        if message := names.port_name(value):
            hint = "; write a number without quotes" if value.isdigit() else ""
            yield Fault((), message + hint)
    elif is_integer(value) and not 1 <= value <= 65535:
        yield Fault((), f"is {value}, but a port must be between 1 and 65535")


PORT = api.value(port, accepts=(int, float, str), zero=0)
PORT_NUMBER = api.number(1, 65535)


def headers(value: Any, scope: Scope) -> Iterator[Fault]:
    """HTTP headers have names."""
    for index, header in structs(value, "httpHeaders"):
        name = header.get("name") or ""
        if isinstance(name, str) and (message := names.http_header_name(name)):
            yield Fault(("httpHeaders",), f"header name {message}", at=("httpHeaders", index))


HANDLER_FIELDS = {
    "exec": api.struct({"command": required(api.items())}),
    "httpGet": api.struct({"port": always(PORT), "scheme": api.one_of("HTTP", "HTTPS")}, headers),
    "tcpSocket": api.struct({"port": always(PORT)}),
    "grpc": api.struct({"port": always(PORT_NUMBER)}),
}


def single_handler(handlers: tuple[str, ...]) -> Any:
    """A rule: exactly one of the handlers is set."""

    def rule(value: Any, scope: Scope) -> Iterator[Fault]:
        found = [name for name in handlers if is_set(value, name)]
        if not found:
            yield Fault((), f"needs a handler: one of {', '.join(handlers)}")
        for extra in found[1:]:
            yield Fault((extra,), f"only one handler may be set, and {found[0]} is set too")

    return rule


_NOT_NEGATIVE = api.number(0)
PROBE_FIELDS = {
    **HANDLER_FIELDS,
    "initialDelaySeconds": _NOT_NEGATIVE,
    "timeoutSeconds": _NOT_NEGATIVE,
    "periodSeconds": _NOT_NEGATIVE,
    "successThreshold": _NOT_NEGATIVE,
    "failureThreshold": _NOT_NEGATIVE,
}


def grace_period(value: Any, scope: Scope) -> Iterator[Fault]:
    """A probe's own grace period is at least a second."""
    if is_integer(value.get("terminationGracePeriodSeconds")) and value["terminationGracePeriodSeconds"] <= 0:
        yield Fault(("terminationGracePeriodSeconds",), "must be greater than 0")


def single_success(value: Any, scope: Scope) -> Iterator[Fault]:
    """One success is enough for liveness and startup."""
    if number(value, "successThreshold", default=1) not in (0, 1):
        yield Fault(("successThreshold",), "must be 1 for a liveness or startup probe")


def no_grace_period(value: Any, scope: Scope) -> Iterator[Fault]:
    """A readiness probe ends nothing."""
    if is_set(value, "terminationGracePeriodSeconds"):
        yield Fault(("terminationGracePeriodSeconds",), "may not be set for a readiness probe")


LIVENESS = api.struct(PROBE_FIELDS, single_handler(HANDLERS), grace_period, single_success)
READINESS = api.struct(PROBE_FIELDS, single_handler(HANDLERS), no_grace_period)

HOOK = api.struct(HANDLER_FIELDS, single_handler(HOOKS))
STOP_SIGNALS = frozenset(
    [
        "SIGABRT",
        "SIGALRM",
        "SIGBUS",
        "SIGCHLD",
        "SIGCLD",
        "SIGCONT",
        "SIGFPE",
        "SIGHUP",
        "SIGILL",
        "SIGINT",
        "SIGIO",
        "SIGIOT",
        "SIGKILL",
        "SIGPIPE",
        "SIGPOLL",
        "SIGPROF",
        "SIGPWR",
        "SIGQUIT",
        "SIGSEGV",
        "SIGSTKFLT",
        "SIGSTOP",
        "SIGSYS",
        "SIGTERM",
        "SIGTRAP",
        "SIGTSTP",
        "SIGTTIN",
        "SIGTTOU",
        "SIGURG",
        "SIGUSR1",
        "SIGUSR2",
        "SIGVTALRM",
        "SIGWINCH",
        "SIGXCPU",
        "SIGXFSZ",
        "SIGRTMIN",
        "SIGRTMAX",
    ]
    + [f"SIGRTMIN+{step}" for step in range(1, 16)]
    + [f"SIGRTMAX-{step}" for step in range(1, 15)]
)

LIFECYCLE = api.struct({"postStart": HOOK, "preStop": HOOK})


def hooks_fit_grace_period(container: Any, grace: int) -> Iterator[Fault]:
    """A sleep before the stop ends within the pod's grace period, in seconds."""
    for hook in ("postStart", "preStop"):
        sleep = mapping(mapping(container, "lifecycle"), hook).get("sleep")
        if sleep is None or not isinstance(sleep, dict):
            continue
        seconds = number(sleep, "seconds")
        if not 0 <= seconds <= grace:
            message = f"sleeps {seconds} seconds, but must be 0 to the pod's grace period, {grace}"
            yield Fault(("lifecycle", hook, "sleep"), message)
