"""A flag contradicts the controller that makes the pod.

KubeAI, KServe's LLMInferenceService, llmaz and production-stack give vLLM flags of their own and append
what an object adds. vLLM takes the last one of two, but probes, Services and proxies go on asking the
controller's port and model: with another --port the pod never becomes ready.

Bad:   kind: Model (KubeAI), args: [--port=9000]
Good:  kind: Model (KubeAI), without --port

Source: `kubernetes/controllers.json`, which names the file of each controller
"""

from __future__ import annotations

from collections.abc import Iterator

from vllm_kustomize.kubernetes.controllers import Controller, controller_of
from vllm_kustomize.model import FieldPath, Problem, Resource, Severity

SEVERITY = Severity.WARNING
HELP = "Take the flag out; what the controller reads instead is in the message."


def check(resource: Resource) -> Iterator[Problem]:
    """Yield flags that the controller gives or relies on, with another value than the controller's."""
    controller = controller_of(resource)
    if controller is None:
        return
    for path, name, value in _flags(controller):
        option = controller.options.get(name)
        if option is None or (value is not None and (value == option.value or value.startswith("{{"))):
            continue
        given = name if value is None else f"{name}={value}"
        message = f"{given} is {controller.name}'s to set: {option.why}"
        yield Problem(path, message, severity=Severity.ERROR if option.fatal else Severity.WARNING)


def _flags(controller: Controller) -> Iterator[tuple[FieldPath, str, str | None]]:
    """The flags among an object's arguments by their long name, `--flag=value` and `--flag value` alike."""
    arguments = list(controller.arguments())
    following = (*(word for _, word in arguments[1:]), "--")
    for (path, word), after in zip(arguments, following, strict=False):
        name, equals, value = word.partition("=")
        if name.startswith("--"):
            separate = None if after.startswith("-") else after
            yield path, name.replace("_", "-"), value if equals else separate
