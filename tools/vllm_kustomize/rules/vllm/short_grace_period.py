"""The grace period is shorter than the shutdown that it has to cover, or requests are aborted.

At the end of a pod Kubernetes runs preStop, then sends SIGTERM; vLLM then lets requests finish for
`--shutdown-timeout` seconds. What is left when terminationGracePeriodSeconds are over is killed.

Bad:   preStop sleep 15, --shutdown-timeout=45, terminationGracePeriodSeconds: 30
Good:  preStop sleep 15, --shutdown-timeout=45, terminationGracePeriodSeconds: 75

Source: vllm/config/vllm.py (shutdown_timeout, since 0.18; 0 aborts at once)
"""

from __future__ import annotations

from collections.abc import Iterator
from itertools import pairwise

from vllm_kustomize.kubernetes.fields import get, is_count, number, strings
from vllm_kustomize.kubernetes.pods import Container
from vllm_kustomize.model import Outcome, Problem, Related, Severity
from vllm_kustomize.vllm import missing
from vllm_kustomize.vllm.server import Server

SEVERITY = Severity.ERROR
HELP = "Raise terminationGracePeriodSeconds well above preStop plus --shutdown-timeout."

_DEFAULT_GRACE = 30
_OPTION = "shutdown_timeout"
_SINCE = (0, 18)
_TO_DRAIN, _MARGIN = 45, 15
"""Seconds to suggest for requests to finish, and for the process to end behind that."""


def check_server(server: Server) -> Iterator[Outcome]:
    """Yield servers that are killed before they have drained, or that abort requests at once."""
    if server.headless or server.pod.partial or server.version < _SINCE or server.unknown(_OPTION):
        return
    grace = number(server.pod.spec.get("terminationGracePeriodSeconds"), default=_DEFAULT_GRACE)
    timeout, sleep = server.count(_OPTION, 0), pre_stop_sleep(server.container)
    if timeout == 0 and server.assumed and _OPTION not in server.options:
        yield missing.release(server)
    elif timeout == 0:
        yield Problem(
            server.place(_OPTION),
            f"{server} aborts requests in flight on SIGTERM: {server.shown(_OPTION)} ({server.vllm})",
            severity=Severity.WARNING,
            help=_drain(grace, sleep),
        )
    elif sleep + timeout >= grace:
        yield Problem(
            (*server.pod.spec_path, "terminationGracePeriodSeconds"),
            f"{server} is killed after {grace} s, but preStop takes {sleep} s and {server.shown(_OPTION)} "
            f"another {timeout} s ({server.vllm})",
            related=(Related(server.place(_OPTION), "the time to drain is set here"),),
        )


def _drain(grace: int, sleep: int) -> str:
    """What to write so that requests finish: everything that belongs together."""
    needed = sleep + _TO_DRAIN + _MARGIN
    grace_too = (
        "" if grace >= needed else f", and set terminationGracePeriodSeconds: {needed} in the pod's spec"
    )
    return f"Add --shutdown-timeout={_TO_DRAIN} to the arguments{grace_too}."


def pre_stop_sleep(container: Container) -> int:
    """The seconds that preStop sleeps, by the sleep action or by a `sleep` command; 0 where it does not."""
    seconds = get(container.spec, ("lifecycle", "preStop", "sleep", "seconds"))
    if seconds is not None:
        return number(seconds, default=0)
    words = " ".join(strings(get(container.spec, ("lifecycle", "preStop", "exec", "command")))).split()
    for command, argument in pairwise(words):
        if command.rpartition("/")[2] == "sleep" and is_count(argument.rstrip("s")):
            return int(argument.rstrip("s"))
    return 0
