"""The grace period is longer than the shutdown that it has to cover.

At the end of a pod Kubernetes runs preStop, then sends SIGTERM; vLLM then lets requests finish for
`--shutdown-timeout` seconds. What is left when terminationGracePeriodSeconds are over is killed.

Bad:   preStop sleep 15, --shutdown-timeout=45, terminationGracePeriodSeconds: 30
Good:  preStop sleep 15, --shutdown-timeout=45, terminationGracePeriodSeconds: 75

Source: vllm/config/vllm.py (shutdown_timeout, since 0.18; 0 aborts at once)
"""

from __future__ import annotations

from collections.abc import Iterator
from itertools import pairwise

from vllm_kustomize.model import FieldPath, Problem, Related, Resource, Severity
from vllm_kustomize.workload import Container, get, number, pods, strings

SEVERITY = Severity.ERROR
HELP = "Raise terminationGracePeriodSeconds above preStop plus --shutdown-timeout."

_DEFAULT_GRACE = 30
_OPTION = "--shutdown-timeout"


def check(resource: Resource) -> Iterator[Problem]:
    """Yield vLLM pods that are killed before they have drained, or that abort requests at once."""
    for pod in pods(resource):
        grace = number(pod.spec.get("terminationGracePeriodSeconds"), _DEFAULT_GRACE)
        path: FieldPath = (*pod.spec_path, "terminationGracePeriodSeconds")
        for container in pod.servers:
            timeout = shutdown_timeout(container)
            sleep = pre_stop_sleep(container)
            if timeout is None:
                yield Problem(
                    (*container.path, "args"),
                    f"{container} aborts requests in flight on SIGTERM: {_OPTION} is not set",
                    severity=Severity.WARNING,
                    help=f"Add {_OPTION}=45 to the arguments.",
                )
            elif sleep + timeout[1] >= grace:
                yield Problem(
                    path,
                    f"{container} is killed after {grace} s, but preStop takes {sleep} s "
                    f"and {_OPTION} another {timeout[1]} s",
                    related=(Related(timeout[0], f"{_OPTION} is set here"),),
                )


def shutdown_timeout(container: Container) -> tuple[FieldPath, int] | None:
    """The seconds of `--shutdown-timeout` and its path, or None where it is not given as a number."""
    words = strings(container.spec.get("args"))
    for index, word in enumerate(words):
        option, equals, value = word.replace("_", "-").partition("=")
        if option == _OPTION:
            seconds = value if equals else "".join(words[index + 1 : index + 2])
            if seconds.isdigit():
                return (*container.path, "args", index), int(seconds)
    return None


def pre_stop_sleep(container: Container) -> int:
    """The seconds that preStop sleeps, by the sleep action or by a `sleep` command; 0 where it does not."""
    seconds = get(container.spec, ("lifecycle", "preStop", "sleep", "seconds"))
    if seconds is not None:
        return number(seconds, 0)
    words = " ".join(strings(get(container.spec, ("lifecycle", "preStop", "exec", "command")))).split()
    for command, argument in pairwise(words):
        if command.rpartition("/")[2] == "sleep" and argument.rstrip("s").isdigit():
            return int(argument.rstrip("s"))
    return 0
