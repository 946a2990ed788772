"""An argument has a variable that Kubernetes does not replace.

Kubernetes replaces `$(NAME)` by a variable of the container, and leaves it as it is where there is none. It
never replaces `$NAME`: that is a shell's, and without one vLLM gets the text itself.

Bad:   args: [$MODEL_ID], or args: [$(MODEL)] without a variable MODEL
Good:  args: [$(MODEL_ID)] with env: [{name: MODEL_ID, value: ...}]

Source: the field args in the reference of Container; third_party/forked/golang/expansion and
makeEnvironmentVariables in pkg/kubelet/kubelet_pods.go of Kubernetes
"""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Iterator

from vllm_kustomize.kubernetes.fields import get, text
from vllm_kustomize.model import FieldPath, Problem, Severity
from vllm_kustomize.vllm.server import Server

SEVERITY = Severity.ERROR
HELP = "Write $(NAME), and give the container a variable NAME."

_SHELL = re.compile(r"(?:--[\w-]+=)?(\$[A-Za-z_]\w*)")
_OF_SERVICES = re.compile(r"[A-Z0-9_]+_(?:SERVICE_HOST|(?:SERVICE_)?PORT\w*)")
_KUBERNETES = re.compile(r"(?<!\$)\$\(([A-Za-z_][\w.-]*)\)")


def check_server(server: Server) -> Iterator[Problem]:
    """Yield references that reach the server as they are written."""
    more = (
        "envFrom" in server.container.spec
        or not server.certain
        or server.pod.may_have("containers.env", server.container)
    )
    for path in _arguments(server):
        word = text(get(server.resource.manifest, path))
        if shell := _SHELL.fullmatch(word):
            message = f"{server} has no shell: {shell[1]} stays as it is"
            yield Problem(path, message, severity=_severity(server, path))
        for name in dict.fromkeys(_KUBERNETES.findall(word)):
            if name not in server.env and not more and not _is_injected(server, name):
                message = f"{server} has no variable {name}: $({name}) stays as it is"
                yield Problem(path, message, severity=_severity(server, path))


def _is_injected(server: Server, name: str) -> bool:
    """Whether Kubernetes itself sets a variable: for Services, and for the pods of an indexed Job."""
    links = server.pod.spec.get("enableServiceLinks") is not False or name.startswith("KUBERNETES_")
    return (links and _OF_SERVICES.fullmatch(name) is not None) or (
        name == "JOB_COMPLETION_INDEX" and server.resource.kind in ("Job", "CronJob")
    )


def _arguments(server: Server) -> list[FieldPath]:
    """The fields that are one argument each, and not a script."""
    paths = Counter(argument.path for argument in server.line.arguments)
    return [
        path
        for path, arguments in paths.items()
        if arguments == 1 and " " not in text(get(server.resource.manifest, path)).strip()
    ]


def _severity(server: Server, path: FieldPath) -> Severity:
    """An error where no model has such a name; elsewhere the text may do no harm."""
    return Severity.ERROR if path == server.model_path and not server.pod.partial else Severity.WARNING
