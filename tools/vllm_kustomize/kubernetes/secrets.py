"""What says that a value is secret, and what says that it only stands for one."""

from __future__ import annotations

import re
from typing import Any

from vllm_kustomize.kubernetes.fields import get
from vllm_kustomize.model import FieldPath

HIDDEN = "[hidden]"
"""What stands instead of a value that may be secret."""

_KNOWN_TOKEN = re.compile(
    r"\b(?:hf_|sk-|gh[pousr]_|glpat-|xox[abp]-|AKIA)(?=[a-z_-]*[A-Z0-9])[A-Za-z0-9_-]{8,}"
)
_SECRET_NAME = re.compile(
    r"(?:^|[_.\-])(?:token|key|password|passwd|passphrase|secret|credentials?)$", re.IGNORECASE
)
_NO_SECRET = re.compile(
    r"public|allow_empty|(?:^|[_.\-])(?:partition|sort|primary|foreign|cache|lookup|label|tls|ssl)[_.\-]key$",
    re.IGNORECASE,
)
_REFERENCE = re.compile(
    r"""\s*(?:
        \$\(?\{?\{?[A-Za-z_.\ ]    # $VAR, $(VAR), ${VAR}, ${{ secrets.X }}
      | \{\{                       # a template
      | (?:op|vault|ref\+\w+|secretref|awssm|gcpsm|azurekv|sm|ssm|doppler|keybase)(?:\+[\w]+)?://
      | vault:
      | arn:aws:
      | projects/[\w-]+/secrets/
      | <path:                     # argocd-vault-plugin
      | ENC\[                      # SOPS
      | AQICA | \$ANSIBLE_VAULT | age1 | -----BEGIN\ AGE
    )""",
    re.VERBOSE,
)
_PATH = re.compile(r"(?:file:/|/)[\w./-]+\Z")
_TRUTH = frozenset({"true", "false", "yes", "no", "on", "off", "none", "null", "0", "1"})


def names_secret(name: str) -> bool:
    """Whether a variable or field of that name holds a token, key or password."""
    return bool(_SECRET_NAME.search(name)) and not _NO_SECRET.search(name)


def is_reference(value: str) -> bool:
    """Whether a value only says where a secret is: a variable, an address, an encrypted text, a file."""
    return bool(_REFERENCE.match(value) or _PATH.match(value)) or value.strip().lower() in _TRUTH


def is_secret(manifest: Any, path: FieldPath) -> bool:
    """Whether the value at a path of an object is secret: what a Secret holds, a variable or option so named.

    Takes a value for secret by what stands around it; `hide_tokens` knows tokens by their form.
    """
    if manifest.get("kind") == "Secret" and path[:1] in (("data",), ("stringData",)):
        return True
    value, around = get(manifest, path), get(manifest, path[:-1])
    if not isinstance(value, str) or is_reference(value):
        return False
    if path[-1] == "value" and isinstance(around, dict):
        return names_secret(str(around.get("name")))
    if isinstance(around, list) and isinstance(path[-1], int):
        option, equals, _ = value.partition("=")
        before = around[path[-1] - 1] if path[-1] else ""
        return (
            names_secret(option if equals else str(before)) and str(option if equals else before)[:1] == "-"
        )
    return False


def hide_tokens(text: str) -> str:
    """The text without what has the form of a well-known kind of token."""
    return _KNOWN_TOKEN.sub(HIDDEN, text)
