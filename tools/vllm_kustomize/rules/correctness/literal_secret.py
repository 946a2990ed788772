"""A token, key or password stands in the manifests.

Whatever is committed stays in the history and is read by everyone who reads the repo; a placeholder is
applied as it stands and overwrites the real value. A Secret without data keeps what was added to it in
the cluster. References to a store, variables and encrypted values are none; a known form of token
(hf_..., ghp_..., AKIA...) is an error, everything else a warning.

Bad:   env: [{name: HF_TOKEN, value: hf_...}]
Bad:   kind: Secret, stringData: {token: REPLACE_WITH_TOKEN}
Good:  env: [{name: HF_TOKEN, valueFrom: {secretKeyRef: {name: hf-token-secret, key: token}}}]
"""

from __future__ import annotations

import base64
import binascii
import re
from collections.abc import Iterator

from vllm_kustomize.kubernetes.fields import items, mapping, strings, text
from vllm_kustomize.kubernetes.pods import pods
from vllm_kustomize.kubernetes.secrets import is_reference, names_secret
from vllm_kustomize.model import Problem, Resource, Severity

SEVERITY = Severity.WARNING
HELP = "Leave data out of the Secret and add it in the cluster, or use an external secret store."

_TOKEN = re.compile(
    r"\b(?:hf_[A-Za-z0-9]{30,}|sk-[A-Za-z0-9_-]{30,}|gh[pousr]_[A-Za-z0-9]{30,}|AKIA[A-Z0-9]{16})\b"
)
_PLACEHOLDER = re.compile(
    r"^\$\(\w+\)$|<[^<>]+>|x{3,}|\*{3,}|\.{3}|change_?me|your[_ -]"
    r"|(?:replace|change|insert|fill|put|dummy|example|todo)\b"
    r"|(?:replace|change|insert|fill|put|dummy|example)[_ -]",
    re.IGNORECASE,
)

_NO_SECRET = re.compile(r"public|allow_empty|(?:name|path|file|url|host|id|user|time)$|\.pub$", re.IGNORECASE)
_IN_SECRETS = re.compile(
    r"token|passw|secret|credential|(?:access|private|api)[_.-]?key|\.key$|dockerconfigjson|kubeconfig",
    re.IGNORECASE,
)
"""Keys of Secret objects that hold something secret; elsewhere such names are too common to mean it."""


def check(resource: Resource) -> Iterator[Problem]:
    """Yield Secrets with data and literal tokens, without ever quoting one."""
    if resource.kind == "Secret":
        yield from _check_secret(resource)
    for pod in pods(resource):
        for container in pod.all_containers:
            for path, variable in items(container.spec.get("env"), (*container.path, "env")):
                name, value = text(variable.get("name")), text(variable.get("value"))
                if _is_token(value):
                    message = f"{container} has what looks like a token in {name}"
                    yield Problem((*path, "value"), message, severity=Severity.ERROR)
                elif names_secret(name) and value and not is_reference(value):
                    yield Problem((*path, "value"), f"{container} has a literal value for {name}")
            for key in ("command", "args"):
                words = strings(container.spec.get(key))
                for index, word in enumerate(words):
                    if _is_token(word) and not _is_api_key(words, index):
                        message = f"{container} has what looks like a token among its arguments"
                        yield Problem((*container.path, key, index), message, severity=Severity.ERROR)


def _check_secret(resource: Resource) -> Iterator[Problem]:
    """One finding for the object: whoever takes one value out looks at the others too."""
    if "sops" in resource.manifest or resource.manifest.get("type") == "helm.sh/release.v1":
        return
    literal: list[tuple[str, str]] = []
    placeholders: list[tuple[str, str]] = []
    token = False
    for key in ("data", "stringData"):
        for name, written in mapping(resource.manifest.get(key)).items():
            value = _decoded(text(written)) if key == "data" else text(written)
            if (
                not value
                or (is_reference(value) and not value.startswith("$("))
                or _NO_SECRET.search(str(name))
            ):
                continue
            if not _may_be_secret(str(name), value):
                continue
            (placeholders if _PLACEHOLDER.search(value) else literal).append((key, str(name)))
            token = token or _is_token(value)
    if literal:
        names = ", ".join(f"'{name}'" for _, name in literal)
        message = (
            f"the value{'s' if len(literal) > 1 else ''} of {names} {'are' if len(literal) > 1 else 'is'}"
        )
        severity = Severity.ERROR if token else None
        yield Problem(literal[0], f"{message} in the manifests", severity=severity)
    elif placeholders:
        names = ", ".join(f"'{name}'" for _, name in placeholders)
        message = f"the value of {names} is a placeholder, which an apply would store"
        yield Problem(placeholders[0], message)


def _is_api_key(words: list[str], index: int) -> bool:
    """Whether an argument is vLLM's own key, of which literal-api-key speaks."""
    return words[index].startswith("--api-key=") or (index > 0 and words[index - 1] == "--api-key")


def _is_token(value: str) -> bool:
    found = _TOKEN.search(value)
    return found is not None and not _PLACEHOLDER.search(found[0]) and len(set(found[0])) > 8


def _may_be_secret(name: str, value: str) -> bool:
    """Whether a key of a Secret holds something secret: configuration stands in Secrets too."""
    return names_secret(name) or bool(_IN_SECRETS.search(name)) or _is_token(value)


def _decoded(value: str) -> str:
    try:
        return base64.b64decode(value, validate=True).decode("utf-8", "replace")
    except (binascii.Error, ValueError):
        return value
