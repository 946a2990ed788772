"""No shell stands between Kubernetes and the server.

`sh -c "vllm serve ..."` keeps the shell as the container's first process. It does not pass SIGTERM on,
so the server never shuts down gracefully: every rollout waits for the whole grace period and then cuts
requests off.

Bad:   command: [/bin/sh, -c], args: ["vllm serve model"]
Good:  command: [vllm, serve], args: [model]
"""

from __future__ import annotations

import re
from collections.abc import Iterator

from vllm_kustomize.kubernetes.fields import strings
from vllm_kustomize.kubernetes.pods import Container, pods
from vllm_kustomize.model import FieldPath, Problem, Resource, Severity

SEVERITY = Severity.ERROR
HELP = "Use command: [vllm, serve] with the arguments as a list, or put `exec` before the server's command."

_SHELLS = frozenset({"sh", "bash", "dash", "ash", "zsh", "ksh"})
_EXEC = re.compile(r"(?:^|[\n;&|({])\s*exec\s+")


def check(resource: Resource) -> Iterator[Problem]:
    """Yield the vLLM containers that a shell starts without `exec`."""
    for pod in pods(resource):
        for container in pod.servers:
            script = shell_script(container)
            if script and not _EXEC.search(script[1]):
                yield Problem(
                    script[0], f"{container} runs vLLM in a shell without exec: SIGTERM never reaches it"
                )


def shell_script(container: Container) -> tuple[FieldPath, str] | None:
    """The script that a container hands to a shell with `-c`, and its path; None where no shell is used."""
    words = [
        ((*container.path, key, index), word)
        for key in ("command", "args")
        for index, word in enumerate(strings(container.spec.get(key)))
    ]
    if not words or words[0][1].rpartition("/")[2] not in _SHELLS:
        return None
    options = [index for index, (_, word) in enumerate(words) if re.fullmatch(r"-[a-z]*c", word)]
    if not options or options[0] + 1 >= len(words):
        return None
    return words[options[0] + 1]
