"""No token, key or password stands in the manifests.

Whatever is committed stays in the history and is read by everyone who reads the repo; a placeholder is
applied as it stands and overwrites the real value. A Secret without data keeps what was added to it in
the cluster.

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
from vllm_kustomize.kubernetes.secrets import names_secret
from vllm_kustomize.model import FieldPath, Problem, Resource, Severity

SEVERITY = Severity.ERROR
HELP = "Leave data out of the Secret and add it in the cluster, or use an external secret store."

_TOKEN = re.compile(
    r"\b(?:hf_[A-Za-z0-9]{20,}|sk-[A-Za-z0-9_-]{20,}|gh[pousr]_[A-Za-z0-9]{20,}|AKIA[A-Z0-9]{16})\b"
)
_PLACEHOLDER = re.compile(
    r"\$\([A-Za-z_]+\)|\$\{[A-Za-z_]+\}|<[^>]+>|xxx+|changeme|your[_ -]"
    r"|(?:replace|change|insert|fill|put)[_ -]",
    re.IGNORECASE,
)


def check(resource: Resource) -> Iterator[Problem]:
    """Yield Secret values and literal tokens, without ever quoting one."""
    if resource.kind == "Secret":
        yield from _check_secret(resource)
    for pod in pods(resource):
        for container in pod.all_containers:
            for path, variable in items(container.spec.get("env"), (*container.path, "env")):
                name, value = text(variable.get("name")), text(variable.get("value"))
                if names_secret(name) and value and not value.startswith("$("):
                    yield Problem((*path, "value"), f"{container} has a literal value for {name}")
                elif _TOKEN.search(value):
                    yield Problem((*path, "value"), f"{container} has what looks like a token in {name}")
            for key in ("command", "args"):
                for index, word in enumerate(strings(container.spec.get(key))):
                    if _TOKEN.search(word):
                        path = (*container.path, key, index)
                        yield Problem(path, f"{container} has what looks like a token among its arguments")


def _check_secret(resource: Resource) -> Iterator[Problem]:
    if "sops" in resource.manifest:  # encrypted: the values are safe to commit
        return
    for key in ("data", "stringData"):
        for name, value in mapping(resource.manifest.get(key)).items():
            path: FieldPath = (key, str(name))
            plain = _decoded(text(value)) if key == "data" else text(value)
            if not text(value):
                continue
            if _PLACEHOLDER.match(plain) or _PLACEHOLDER.match(text(value)):
                yield Problem(path, f"the value of '{name}' is a placeholder, which an apply would store")
            else:
                yield Problem(path, f"the value of '{name}' is in the manifests")


def _decoded(value: str) -> str:
    try:
        return base64.b64decode(value, validate=True).decode("utf-8", "replace")
    except (binascii.Error, ValueError):
        return value
