"""A shell stands between Kubernetes and the server.

`sh -c "vllm serve ..."` keeps the shell as the container's first process. It does not pass SIGTERM on,
so the server never shuts down gracefully: every rollout waits for the whole grace period and then cuts
requests off. bash runs the last command in its own place, so that only what follows the server keeps it;
dash, the `sh` of vLLM's images, never does. Which shell another image calls `sh` is not known.

Bad:   command: [/bin/sh, -c], args: ["vllm serve model"]
Good:  command: [vllm, serve], args: [model]

Source: bash 5.2 and dash 0.5.12, run; execute_cmd.c of bash, ONESHOT
"""

from __future__ import annotations

import re
from collections.abc import Iterator

from vllm_kustomize.kubernetes.fields import strings
from vllm_kustomize.kubernetes.images import image_of
from vllm_kustomize.kubernetes.pods import Container, pods
from vllm_kustomize.model import FieldPath, Offset, Problem, Resource, Severity

SEVERITY = Severity.WARNING
HELP = "Use command: [vllm, serve] with the arguments as a list, or put `exec` before the server's command."

_SHELLS = frozenset({"sh", "bash", "dash", "ash", "zsh", "ksh"})
_EXEC = re.compile(r"(?:^|[\n;&|({\"'])[ \t]*(?:(?:then|else|do)[ \t]+)?exec\s")
_SERVER = re.compile(r"vllm serve|vllm\.entrypoints")
_ENDS = re.compile(r"(?<!\\)[\n;]|&&|\|\||(?<![>&\d])&(?!>)|\|")


def check(resource: Resource) -> Iterator[Problem]:
    """Yield the vLLM containers whose shell stays while the server runs."""
    for pod in pods(resource):
        for container in pod.servers:
            script = shell_script(container)
            server = _SERVER.search(script[2]) if script else None
            if script is None or server is None or _EXEC.search(script[2]):
                continue
            shell = script[0]
            if shell == "dash" or (shell == "sh" and image_of(container.image)) or _goes_on(script[2]):
                message = f"{container} runs vLLM in {shell} without exec: SIGTERM never reaches it"
                yield Problem((*script[1], Offset(server.start())), message)


def _goes_on(script: str) -> bool:
    """Whether something follows the server's command, or catches signals: then every shell stays."""
    behind = script[next(_SERVER.finditer(script)).end() :]
    following = _ENDS.search(behind)
    rest = behind[following.end() :] if following else ""
    return "trap " in script or any(
        line.strip() and not line.strip().startswith("#") for line in rest.splitlines()
    )


def shell_script(container: Container) -> tuple[str, FieldPath, str] | None:
    """The shell that a container starts with `-c`, the field of the script, and the script; else None."""
    words = [
        ((*container.path, key, index), word)
        for key in ("command", "args")
        for index, word in enumerate(strings(container.spec.get(key)))
    ]
    shell = words[0][1].rpartition("/")[2] if words else ""
    options = [index for index, (_, word) in enumerate(words) if re.fullmatch(r"-[a-z]*c", word)]
    if shell not in _SHELLS or not options or options[0] + 1 >= len(words):
        return None
    path, script = words[options[0] + 1]
    return shell, path, script
