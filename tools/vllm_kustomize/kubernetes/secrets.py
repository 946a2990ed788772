"""What says that a value is secret, and what says that it only stands for one."""

from __future__ import annotations

import re
from functools import lru_cache

HIDDEN = "[hidden]"
"""What stands instead of a value that may be secret."""

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
_VARIABLE = re.compile(
    r"\$[A-Za-z_]\w*|\$\([A-Za-z_][\w.-]*\)|\$\((?:cat |<)?[\w./-]+\)|\$\{[A-Za-z_]\w*\}|\$?\{\{[^{}]*\}\}"
)
_LOOKED_UP = re.compile(r"os\.(?:environ|getenv)\b|process\.env\b|System\.getenv\b")
_STORE = re.compile(rf"(?!\s*[${{]){_REFERENCE.pattern}", re.VERBOSE)

_WORDS = re.compile(r"[A-Z]+(?![a-z])|[A-Z]?[a-z]+|[0-9]+")
_LAST_WORD = re.compile(
    r"\w*(?:token|password|passwd|passphrase|secret|apikey)|pwd|pass|passcode|credentials?|auth|authorization|cookie"
    r"|(?:access|secret|private)key|bearer|jwt|psk|pgpass|pat"
)
"""The last word of a name whose value is secret, numbers aside: `HF_TOKEN_2` ends in one."""
_SUFFIXES = frozenset(
    {"base", "old", "new", "current", "previous", "primary", "secondary", "prod", "dev", "test"}
)
_KEY_OWNER = re.compile(
    r"api|access|secret|private|encrypt|encryption|sign|signing|auth|master|account|shared|service|license|client"
    r"|webhook|admin|storage|deploy|session|hmac|aes|app|application|user|root|openai|anthropic|hf"
)
"""What a key opens, or whose it is; all other keys are ordinary ones (`topologyKey`)."""
_HARMLESS = re.compile(
    r"(?:^|[_.\-])(?:bos|eos|pad|unk|sep|cls|mask|stop|start|end|special|image|audio|video|think|tool|existing|pull"
    r"|batched|per|first|next|new|prompt|input|output|max|min|num|id)"
    r"[_.\-]?(?:token|secret)$|(?:existing|pull|tls|ca|cert|certificate)Secret$|public|allow_empty",
    re.IGNORECASE,
)
"""Tokens of a tokenizer, and the names of Secrets."""
_TRUTH = frozenset({"true", "false", "yes", "no", "on", "off", "none", "null", "0", "1"})


def names_secret(name: str) -> bool:
    """Whether a variable or field of that name holds a token, key or password."""
    return bool(_SECRET_NAME.search(name)) and not _NO_SECRET.search(name)


def is_reference(value: str) -> bool:
    """Whether a value only says where a secret is: a variable, an address, an encrypted text, a file."""
    return bool(_REFERENCE.match(value) or _PATH.match(value)) or value.strip().lower() in _TRUTH


@lru_cache(maxsize=1 << 14)
def may_name_secret(name: str) -> bool:
    """Whether a value under that name is never shown: also where the name is misspelt or only likely."""
    if len(name) > 200 or _HARMLESS.search(name):
        return False
    if names_secret(name) and name.lower() != "key":
        return True
    words = [word.lower() for word in _WORDS.findall(name)]
    while words and (words[-1].isdigit() or words[-1] in _SUFFIXES):
        words.pop()
    if not words:
        return False
    if _LAST_WORD.fullmatch(words[-1]):
        return True
    if words[-1] == "key":
        return len(words) > 1 and bool(_KEY_OWNER.fullmatch(words[-2]))
    return any(_one_slip(word, known) for word in ("".join(words[-2:]), words[-1]) for known in _MISSPELT)


_MISSPELT = (
    "token",
    "password",
    "passwd",
    "passphrase",
    "apikey",
    "secret",
    "accesskey",
    "secretkey",
    "privatekey",
)
_NO_SLIPS = frozenset({"tokens", "taken", "secrets", "passwords", "passed", "passes"})


def _one_slip(word: str, known: str) -> bool:
    """Whether a word is a known one with a letter left out, added, exchanged, or two that changed places."""
    if word in _NO_SLIPS or abs(len(word) - len(known)) > 1:
        return False
    at = next((at for at, (a, b) in enumerate(zip(word, known, strict=False)) if a != b), None)
    if at is None:
        return True
    mine, theirs = word[at:], known[at:]
    return (
        mine[1:] == theirs[1:]
        or mine == theirs[1:]
        or mine[1:] == theirs
        or (mine[:2] == theirs[1::-1] and mine[2:] == theirs[2:])
    )


def stands_for_secret(value: str) -> bool:
    """Whether a value as a whole only says where a secret is, so that it can be shown."""
    text = re.sub(r"^(?:Bearer|Basic|Token)\s+", "", value.strip(" \t\r\n,"))
    if not re.search(r"\w", text) or text.lower() in _TRUTH or _VARIABLE.fullmatch(text):
        return True
    return any(pattern.match(text) for pattern in (_STORE, _LOOKED_UP, _PATH))
