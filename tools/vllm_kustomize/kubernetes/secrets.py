"""What says that a value is secret, and what says that it only stands for one."""

from __future__ import annotations

import re

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
