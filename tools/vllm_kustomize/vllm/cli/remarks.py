"""Turn what the parser remarks on a server's command line into problems, for the rules on options."""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence

from vllm_kustomize.kubernetes.secrets import stands_for_secret
from vllm_kustomize.model import Outcome, Problem, Severity
from vllm_kustomize.vllm import missing
from vllm_kustomize.vllm.cli import catalog
from vllm_kustomize.vllm.cli.parser import parse
from vllm_kustomize.vllm.cli.rewriting import Remark
from vllm_kustomize.vllm.server import Server

_BY_RELEASE = frozenset({"unknown", "value", "deprecated"})
"""Remarks that one release makes and another does not."""


def problems(server: Server, *kinds: str) -> Iterator[Outcome]:
    """The remarks of these kinds, each at the argument that it is about.

    Against a release that is not the server's own they are at most warnings, and say which one it is. Where
    the image names no release they are only those that every release has, and the others are undecided.
    """
    if server.assumed and server.options and _BY_RELEASE & set(kinds):
        yield missing.release(server)
    remarks = [remark for remark in (*server.parsed.errors, *server.parsed.notices) if remark.kind in kinds]
    certain = _in_every_release(server) if server.assumed and remarks else frozenset()
    words = server.line.texts
    for remark in remarks:
        if not server.assumed or _identity(remark) in certain:
            argument = server.line.arguments[min(remark.index, len(server.line.arguments) - 1)]
            if remark.kind == "extra" and _JOINED.match(argument.text):
                continue
            file = server.line.file(argument.text) if remark.key else None
            yield Problem(
                file.path if file else argument.path,
                _message(remark, server),
                severity=_severity(server),
                resource=file.resource if file else None,
                withheld=_withheld(remark, words),
            )


def _withheld(remark: Remark, words: Sequence[str]) -> tuple[str, ...]:
    """The value that no option takes, which may be a key behind a misspelt option, or pasted too far.

    A near miss, a number, a variable and a short word are what they seem to be; JSON has names of its own.
    """
    if remark.key or remark.kind not in ("unknown", "value", "unexpected", "extra"):
        return ()
    if remark.kind == "value" and remark.suggestion:
        return ()
    word, following = ([*words[remark.index : remark.index + 2], "", ""])[:2]
    _, equals, value = word.partition("=")
    if not word.startswith("-"):
        value = word
    elif not equals:
        value = following if remark.kind == "unknown" and not following.startswith("-") else ""
    return () if _PLAIN.match(value) or stands_for_secret(value) else (value,)


_JOINED = re.compile(r"--[a-z][\w-]* ")
"""An option and its value in one argument, of which the rule joined-arguments speaks."""
_PLAIN = re.compile(r"[\d.,_+-]*\s?[A-Za-z%]{0,3}\Z|[a-z0-9._-]{1,8}\Z|[\w.-]+/|[./~{\[]|.{0,3}\Z")


def _in_every_release(server: Server) -> frozenset[tuple[str, int, str]]:
    """What the parser of every release remarks on."""
    common = frozenset(map(_identity, (*server.parsed.errors, *server.parsed.notices)))
    for release in reversed(catalog.releases()):
        common &= frozenset(map(_identity, _remarks(server, release)))
        if not common:
            break
    return common


def _identity(remark: Remark) -> tuple[str, int, str]:
    return remark.kind, remark.index, remark.key


def _remarks(server: Server, release: str) -> Iterator[Remark]:
    line = server.line
    parsed = parse(line.texts, catalog.load(release), line.read, serve=line.serve)
    yield from parsed.errors
    yield from parsed.notices


def _severity(server: Server) -> Severity | None:
    return None if server.exact else Severity.WARNING


def _message(remark: Remark, server: Server) -> str:
    message = remark.message
    if remark.key:
        message = f"`{remark.key}` of the configuration file: {message}"
    if remark.suggestion:
        verb = "did you mean" if remark.kind in ("unknown", "value") else "use"
        message += f"; {verb} {remark.suggestion}{'?' if verb != 'use' else ''}"
    release = server.parsed.release.version
    if not server.exact:
        why = "the image is built from it"
        if server.assumed:
            why = "the image names no release that is known"
        elif server.release != release:
            why = f"{server.release} is not in the catalog"
        return f"{message} (checked against vLLM {release}: {why})"
    return message if f"vLLM {release}" in message else f"{message} (vLLM {release})"
