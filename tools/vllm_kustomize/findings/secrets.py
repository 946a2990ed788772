"""The secrets in parsed values: objects, patches, kustomizations, and the text that stands in these."""

from __future__ import annotations

import base64
import binascii
import re
from collections.abc import Iterator, Mapping
from typing import Any

from vllm_kustomize.findings.shapes import holds_secrets, is_secret_field, secrets_in, value_of_pair
from vllm_kustomize.findings.sources import lines_of, secret_spans
from vllm_kustomize.kubernetes.names import config_key
from vllm_kustomize.kubernetes.secrets import may_name_secret, stands_for_secret
from vllm_kustomize.kustomize.yaml.reader import parse_yaml

_DEEPEST = 200
"""Levels of nesting, texts within texts included."""
_LONGEST_INLINE = 1 << 20
"""Characters of a text that are read as YAML or JSON; a ConfigMap holds at most as many."""

_TAKES_SEVERAL = "--api-key"
"""The option of vLLM that goes on taking values."""
_MAY_BE_YAML = re.compile(r"[{\[\n]|: ")


def in_value(value: Any) -> Iterator[str]:
    """Yield every secret in a parsed value, in each form in which it may come out."""
    yield from _walk(value, held=False, depth=0)


def in_source(text: str, *, broken: bool = False) -> Iterator[str]:
    """Yield the secrets that the lines of a source write; `broken` where the text is not valid YAML."""
    lines = lines_of(text)
    for number, spans in secret_spans(text, broken=broken).items():
        for begin, end in spans:
            yield from _forms(lines[number][begin:end])


def in_env_file(text: str) -> Iterator[str]:
    """Yield the values of a file of `KEY=VALUE` lines, and the lines that are not such a pair."""
    for line in text.splitlines():
        if not line.lstrip().startswith("#"):
            yield from _of_pair(line)


def in_file(text: str) -> Iterator[str]:
    """Yield what a file that is secret as a whole can come out as."""
    yield from _forms(text)


def _walk(value: Any, *, held: bool, depth: int) -> Iterator[str]:
    if depth > _DEEPEST:
        return
    if isinstance(value, Mapping):
        for key, child in value.items():
            yield from _field(value, str(key), child, held, depth + 1)
    elif isinstance(value, list):
        for child in value:
            yield from _walk(child, held=held, depth=depth + 1)
    elif isinstance(value, str):
        if not held:
            yield from _inside(value, depth + 1)
        elif not stands_for_secret(value):
            yield from _forms(value)
    elif held and value is not None and not isinstance(value, bool):
        yield str(value)


def _field(owner: Mapping[Any, Any], key: str, child: Any, held: bool, depth: int) -> Iterator[str]:
    if held:
        yield from _walk(child, held=True, depth=depth)
    elif key == "secretGenerator":
        yield from _generated(child)
    elif holds_secrets(key, owner.keys(), str(owner.get("kind"))):
        for name in (key, *(child if isinstance(child, Mapping) else ())):
            if config_key(str(name)):
                yield from _of_pair(str(name))
        yield from _walk(child, held=True, depth=depth)
    elif key in ("command", "args") and isinstance(child, list):
        yield from _words(child)
    elif key in ("path", "from") and "op" in owner and isinstance(child, str):
        yield from _of_pointer(child)
    else:
        named = is_secret_field(key, str(owner.get("name")), str(owner.get("path")))
        scalar = not isinstance(child, (Mapping, list)) and not _is_structured(child)
        # Below a name that only sounds secret stands where the secret is; ExternalSecrets name keys.
        secret = named and (scalar or key == "value") and "remoteRef" not in owner
        yield from _walk(child, held=secret, depth=depth)


def _is_structured(value: Any) -> bool:
    """Whether a value is a text of several lines that holds fields of its own."""
    if not isinstance(value, str) or "\n" not in value.strip():
        return False
    try:
        return any(isinstance(document, Mapping) for document in parse_yaml(value))
    except ValueError:
        return False


def _of_pointer(text: str) -> Iterator[str]:
    """What a JSON pointer holds below the data of a Secret: its key if that is a value, and the rest."""
    _, field, *steps = [*text.split("/", 3), "", ""][:4]
    if field in ("data", "stringData") and any(steps):
        key, rest = steps
        if config_key(key):
            yield from _of_pair(key)
        yield from filter(None, rest.split("/"))


def _generated(entries: Any) -> Iterator[str]:
    for entry in entries if isinstance(entries, list) else ():
        literals = entry.get("literals") if isinstance(entry, Mapping) else None
        for literal in literals if isinstance(literals, list) else ():
            yield from _of_pair(literal) if isinstance(literal, str) else _walk(literal, held=True, depth=0)


def _of_pair(text: str) -> Iterator[str]:
    value = text[value_of_pair(text) :].strip()
    if value:
        yield from _forms(value)
        yield from _forms(value.strip("'\""))


def _words(words: list[Any]) -> Iterator[str]:
    """Secrets among the words of a command line."""
    option = ""
    for word in words:
        if not isinstance(word, str):
            continue
        if option and not word.startswith("-"):
            yield from _of_option(option, word)
        name, equals, value = word.partition("=")
        is_option = word.startswith("-")
        if is_option and equals:
            yield from _of_option(name, value)
        if is_option or not option.startswith(_TAKES_SEVERAL):
            option = word if is_option and not equals else ""
        yield from _inside(word, 0)


def _of_option(option: str, value: str) -> Iterator[str]:
    if may_name_secret(option.lstrip("-")):
        yield from _walk(value, held=True, depth=0)
    elif option in ("-u", "-U", "--user", "--proxy-user"):
        yield from _forms(value.partition(":")[2])
    else:
        yield from _inside(value, 0)


def _inside(text: str, depth: int) -> Iterator[str]:
    """Secrets in a text that is none itself: by their shape, and in the YAML or JSON that it holds."""
    for begin, end in secrets_in(text):
        yield from _forms(text[begin:end])
    if len(text) > _LONGEST_INLINE or not _MAY_BE_YAML.search(text):
        return
    try:
        parsed = parse_yaml(text)
    except ValueError:
        yield from in_source(text, broken=True)
        return
    for document in parsed:
        if isinstance(document, (Mapping, list)):
            yield from _walk(document, held=False, depth=depth)


def _forms(text: str) -> Iterator[str]:
    """A secret as a whole, line by line, and what it encodes."""
    yield text
    if "\n" in text:
        yield from filter(None, map(str.strip, text.split("\n")))
    for begin, end in secrets_in(text):
        yield text[begin:end]
    if decoded := _decoded(text):
        yield from _forms(decoded)


def _decoded(text: str) -> str:
    if len(text) < 8 or len(text) % 4 or len(text) > _LONGEST_INLINE:
        return ""
    try:
        decoded = base64.b64decode(text, validate=True).decode("utf-8").strip()
    except (binascii.Error, ValueError):
        return ""
    return decoded if re.match(r"[\x20-\x7e\n\r\t]+\Z", decoded) else ""
