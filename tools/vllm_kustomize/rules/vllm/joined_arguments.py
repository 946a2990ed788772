"""Several words stand in one item of command or args.

Nothing splits an item at its spaces: `--model facebook/opt-125m` in one item is one word, which vLLM takes
for the name of the model, and `vllm serve model` as a command is a program of that name, which no image has.

Bad:   args: ["--model facebook/opt-125m --max-model-len 2048"]
Good:  args: [facebook/opt-125m, --max-model-len=2048]

Source: argparse's _parse_optional (a text with a space in it is positional); the OCI runtime's process.args
"""

from __future__ import annotations

import re
from collections.abc import Iterator

from vllm_kustomize.kubernetes.fields import get, strings
from vllm_kustomize.kubernetes.images import image_of
from vllm_kustomize.kubernetes.pods import Container, all_pods
from vllm_kustomize.model import Problem, Resource, Severity

SEVERITY = Severity.ERROR
HELP = "Write each word as an item of its own, or run it with `sh -c`."

_PROGRAM = re.compile(r"(?:\S*/)?(?:vllm serve|python3? -m vllm\.entrypoints)\b.*", re.DOTALL)
_OPTION = re.compile(r"(--[a-z][\w-]*) +\S.*", re.DOTALL)


def check(resource: Resource) -> Iterator[Problem]:
    """Yield programs and options that stand in one item with what follows them."""
    for pod in all_pods(resource):
        for container in pod.servers:
            command = strings(container.spec.get("command"))
            if command and _PROGRAM.fullmatch(command[0].strip()):
                message = f"{container} runs a program named '{command[0].strip()[:60]}', spaces included"
                yield Problem((*container.path, "command", 0), message)
                continue
            if _runs_a_shell(command):
                continue
            for key in ("command", "args"):
                for index, word in enumerate(strings(get(container.spec, (key,)))):
                    if option := _OPTION.fullmatch(word):
                        message = f"'{word[:60]}' is one argument, not {option[1]} and a value"
                        severity = None if command or _starts_vllm(container) else Severity.WARNING
                        yield Problem((*container.path, key, index), message, severity=severity)


def _starts_vllm(container: Container) -> bool:
    """Whether the image's own entrypoint is vLLM, and no script that may split words."""
    image = image_of(container.image)
    return image is not None and image.entrypoint is not None and image.releases is None


def _runs_a_shell(command: list[str]) -> bool:
    return any(re.fullmatch(r"(?:\S*/)?(?:ba|da|a|z|k)?sh", word) for word in command[:3])
