"""What secrets look like in text: what stands behind a telling name, in a URL, or in a known form of token.

In source text every shape counts. In a sentence (`prose`) only those do that no sentence has by chance: in
`--api-key needs a value`, "needs" is not the key.
"""

from __future__ import annotations

import re
from collections.abc import Collection, Iterator
from typing import NamedTuple

from vllm_kustomize.kubernetes.secrets import may_name_secret, stands_for_secret

Span = tuple[int, int]
"""Where a secret begins and ends in a text."""


class _Shape(NamedTuple):
    """A pattern whose `value` is secret, where it has a `name` only if that one says so."""

    pattern: re.Pattern[str]
    prose: bool = True


_QUOTED = r"\"(?:[^\"\\\n]|\\.){0,4096}\"|'[^'\n]{0,4096}'"
_WORD = r"[^\s\"'`,;&|<>(){}\[\]\\]"
_VALUE = rf"(?P<value>{_QUOTED}|{_WORD}{{1,4096}})"
_FLAG = r"(?<![\w-])-{1,2}(?P<name>[A-Za-z][\w.-]{0,80})"

_SHAPES = (
    # scheme://user:password@host, up to the last @ before a host; a port is not a password
    _Shape(
        re.compile(
            r"\b[A-Za-z][A-Za-z0-9+.-]{0,30}://[^\s/@:'\"<>\[\]]{0,200}:"
            r"(?!\d{1,5}(?:[/?#\s]|$))(?P<value>[^\s'\"<>]{1,512})@(?=[\w.\[-])"
        )
    ),
    # user:password@tcp(host), user:password@host:port, as drivers of databases take it
    _Shape(
        re.compile(
            r"(?<![\w:/.])[\w.-]{1,100}:(?P<value>[^\s:@/'\"]{4,200})@(?:\w{0,9}\(|[\w.-]{1,200}:\d{2,5}\b)"
        )
    ),
    _Shape(
        re.compile(
            r"\b(?:hooks\.slack\.com/\w+|discord(?:app)?\.com/api/webhooks/\d+)/(?P<value>[\w/-]{4,200})"
        )
    ),
    _Shape(re.compile(r"<(?P<name>[\w.-]{1,80})>(?P<value>[^<\n]{1,4096})</")),
    _Shape(re.compile(rf"\blogin\s+\S{{1,200}}\s+password\s+{_VALUE}"), prose=False),
    # https://token@host, as GitHub and GitLab take it
    _Shape(re.compile(r"\bhttps?://(?!git@)(?P<value>[^\s/@:'\"<>]{5,512})@(?=[\w.-])")),
    _Shape(re.compile(rf"[?&](?P<name>[\w.-]{{1,80}})=(?P<value>{_WORD}{{1,4096}})")),
    _Shape(re.compile(r"(?<![\w-])(?:-u|-U|--user|--proxy-user)(?:[= ]\s*)?[\"']?[\w.@+-]{0,100}:" + _VALUE)),
    _Shape(re.compile(r"(?i:\b(?:proxy-)?authorization[\"']?\s*[:=]\s*[\"']?(?:\w{1,20}\s+)?)" + _VALUE)),
    _Shape(re.compile(r"\b(?:Bearer|Basic)\s+(?P<value>(?=\S*\d)[\w.~+/=-]{8,4096})")),
    _Shape(re.compile(r"(?<![\w-])(?P<name>[A-Za-z]\w{0,40}(?:-\w{1,40}){1,8}):\s*" + _VALUE), prose=False),
    _Shape(re.compile(r"(?<![\w.-])(?P<name>[A-Za-z_][\w.-]{0,80})\s?=\s?" + _VALUE)),
    _Shape(
        re.compile(r"\"(?P<name>[\w.-]{1,80})\"\s*:\s*(?P<value>\"(?:[^\"\\]|\\.){0,4096}\"|[\w.+-]{1,100})")
    ),
    _Shape(re.compile(rf"{_FLAG}=(?P<value>{_QUOTED}|[^\s\"'`]{{1,4096}})")),
    _Shape(re.compile(rf"{_FLAG}[ \t]+(?!-){_VALUE}"), prose=False),
    _Shape(
        re.compile(
            r"\b(?:(?:mysql|mysqldump|mysqladmin|mariadb|mongosh?|sshpass|login)\b[^|;&\n]{0,400}?\s-p"
            r"|redis-cli\b[^|;&\n]{0,400}?\s-a)[ =]?" + _VALUE
        ),
        prose=False,
    ),
    _Shape(
        re.compile(
            r"(?P<value>\b(?:hf_|sk-|gh[pousr]_|glpat-|xox[abp]-|AKIA|AIza)(?=[a-z_-]*[A-Z0-9])[A-Za-z0-9_-]{8,200}"
            r"|\beyJ[\w-]{10,4096}\.[\w-]{1,4096}\.?[\w-]{0,4096})"
        )
    ),
    _Shape(
        re.compile(r"-----BEGIN [A-Z ]{0,40}PRIVATE KEY-----(?P<value>.{1,20000}?)(?:-----END|\Z)", re.DOTALL)
    ),
)
_MAY_HAVE_ONE = re.compile(
    r"[=@]|--|-[uUpa]|\":|\w-\w+:|</|password |hooks|[Aa]uthorization|Bearer|Basic|BEGIN"
    r"|hf_|sk-|gh[pousr]_|glpat|xox|AKIA|AIza|eyJ"
)
"""What every shape has in it: most texts have none of it."""
_IN_QUERY = re.compile(r"key|sig|auth|pass|code|.*[-_]?signature", re.IGNORECASE)


def secrets_in(text: str, *, prose: bool = False) -> Iterator[Span]:
    """Yield where a text holds secrets, in any order; they may overlap."""
    if len(text) < 4 or not _MAY_HAVE_ONE.search(text):
        return
    for shape in _SHAPES:
        if prose and not shape.prose:
            continue
        for found in shape.pattern.finditer(text):
            name = found.groupdict().get("name")
            if name is not None and not _tells(name, text[found.start() : found.start() + 1]):
                continue
            begin, end = _unquoted(text, *found.span("value"))
            if reference := _REFERENCE.match(text, begin):
                begin = reference.end()
            if end > begin and not stands_for_secret(text[begin:end]):
                yield begin, end


_REFERENCE = re.compile(r"(?:\$(?:\w+|\{[^{}\n]*\}|\([^()\n]*\)|\{\{[^{}\n]*\}\})|\{\{[^{}\n]*\}\})+")


def _tells(name: str, first: str) -> bool:
    return may_name_secret(name) or (first in "?&" and bool(_IN_QUERY.fullmatch(name)))


def _unquoted(text: str, begin: int, end: int) -> Span:
    if end - begin > 1 and text[begin] in "\"'" and text[end - 1] == text[begin]:
        return begin + 1, end - 1
    return begin, end


_POINTER = re.compile(r"/(?:data|binaryData|stringData)(?:/|\Z)")
_PAIR = re.compile(r"\s*[\"']?[-._a-zA-Z0-9]+[\"']?\s*[=:]\s*|\s*[-._a-zA-Z0-9]+\s+")
_ENVIRONMENT_NAME = re.compile(r"\s*[A-Z_][A-Z0-9_]*\s*\Z")


_FIELDS = frozenset({"apiVersion", "kind", "metadata", "type"})
_SECRET = re.compile(r"\bsecrets?\b", re.IGNORECASE)


def is_secret(kind: str) -> bool:
    """Whether a kind is Secret, also with a slip beside it."""
    return bool(_SECRET.search(kind))


def holds_secrets(key: str, owner: Collection[str], kind: str) -> bool:
    """Whether what stands below a field is secret, where `owner` are the fields beside it.

    In a Secret that is everything but what describes it: a value may have slipped out of its data.
    """
    if key == "stringData":
        return True
    if not is_secret(kind):
        return False
    return key in ("data", "binaryData") or (
        ("metadata" in owner or "apiVersion" in owner) and key not in _FIELDS
    )


def is_secret_field(key: str, name: str, path: str) -> bool:
    """Whether a field's value is secret by its key, or by the `name` or JSON pointer beside it."""
    if key == "value":
        return may_name_secret(name) or bool(_POINTER.match(path)) or may_name_secret(path.rpartition("/")[2])
    return may_name_secret(key)


def value_of_pair(text: str) -> int:
    """Where the value begins in `KEY=VALUE`, or in what should have been such a pair.

    What has no separator is all value, but for the name of a variable, which stands for its value.
    """
    if found := _PAIR.match(text):
        return found.end()
    return len(text) if _ENVIRONMENT_NAME.match(text) else 0
