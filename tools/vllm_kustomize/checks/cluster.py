"""Ask the API server of the user's own cluster what it thinks of an object, and read its answer.

`kubectl apply --server-side --dry-run=server` runs everything that a real apply runs (defaults, validation,
admission, merging with what is there) and changes nothing.

Bad:   a field that is immutable in the object that the cluster already has
Good:  an object that the cluster would take as it is
"""

from __future__ import annotations

import json
import re
from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from typing import Any

from vllm_kustomize.kubernetes.fields import text as text_of
from vllm_kustomize.kubernetes.lookup import of_kind
from vllm_kustomize.model import (
    Build,
    Cluster,
    Error,
    FieldPath,
    Manifest,
    Problem,
    Resource,
    Severity,
    Skipped,
)

RULE = "api-server"

Ask = Callable[[Resource], "tuple[int, str]"]
"""Applies an object for trial; gives kubectl's exit code and what it printed as errors and warnings."""


@dataclass(frozen=True, slots=True)
class Server:
    """The API server of a cluster, and a way to ask it."""

    cluster: Cluster
    ask: Ask


@dataclass(frozen=True, slots=True)
class Answer:
    """What the server makes of one object, or why it cannot say before the build has been applied."""

    resource: Resource
    problems: tuple[Problem, ...] = ()
    no_verdict: str = ""

    @property
    def kind(self) -> str:
        """The object's kind, as it is called where it is skipped."""
        return f"{self.resource.kind} ({self.resource.api_version})"


_WARNING = "Warning: "
_INVALID = re.compile(r'^(?:Error from server \(Invalid\): )?.*?"? is invalid:\s*', re.DOTALL)
_CAUSE = re.compile(r"(\.?[A-Za-z](?:[^\s:\[]|\[[^\]]*\])*): (.*)", re.DOTALL)
_STEP = re.compile(r"([^.\[\]]+)|\[([^\]]*)\]?")
_UNKNOWN = re.compile(r'(unknown|duplicate) field "([^"]+)"')
_TYPED = re.compile(r"failed to create typed (?:patch )?object \([^)]*\):\s*(?:errors:\s*)?(.*)", re.DOTALL)
_VALUE = re.compile(r'(value): (?:"(?:\\.|[^"\\])*"|[^:]*): ')
_NO_KIND = re.compile(r'no matches for kind "([^"]*)" in version "([^"]*)"')
_NO_NAMESPACE = re.compile(r'namespaces "([^"]*)" not found')
_UNCHANGEABLE = re.compile(
    r"immutable|may not change|(?:may not|cannot|must not) be (?:changed|updated|modified)|cannot change"
    r"|updates to |pod updates may|less than previous|once set"
)
_NOT_ALLOWED = re.compile(r'User "[^"]*" cannot ')
_PREFIX = re.compile(r'(error: |unable to recognize "STDIN": |Error from server (\(\w+\))?: )+')
_UNAUTHORISED = re.compile(r"\bUnauthorized\b|must be logged in|provide credentials")
_UNREACHABLE = re.compile(r"onnect|dial |timeout|no such host|x509|tls:|EOF", re.IGNORECASE)
_DEPRECATED = re.compile(r"\S+ \S+ is deprecated(?: in v|$)")
_LOG = re.compile(r"[EWIF][0-9]{4} [0-9:.]+ ")
_NO_VERDICT = ("(Unauthorized)", "(ServiceUnavailable)", "(Timeout)", "(TooManyRequests)", "(InternalError)")


def check(build: Build, server: Server, jobs: int) -> Iterator[Answer]:
    """Yield what the server says about each object of a build, asking about `jobs` of them at a time.

    Raises `Error` where the server cannot be reached or does not let the user ask.
    """
    pool = ThreadPoolExecutor(jobs)
    try:
        answers = pool.map(server.ask, build.resources)
        for resource, (code, text) in zip(build.resources, answers, strict=True):
            no_verdict = _comes_with_build(text, build) if code else ""
            problems = () if no_verdict else tuple(read(code, text, resource.manifest, server.cluster))
            yield Answer(resource, problems, no_verdict)
    finally:
        pool.shutdown(cancel_futures=True)


def skipped(before: Sequence[Skipped], answers: Sequence[Answer]) -> Iterator[Skipped]:
    """What nobody could judge: what was left out before, less the kinds that the server knows."""
    known = {answer.kind for answer in answers if not answer.no_verdict}
    yield from (each for each in before if each.what not in known)
    for answer in answers:
        if answer.no_verdict:
            yield Skipped(f"{answer.resource} on the API server", answer.no_verdict)


def _comes_with_build(text: str, build: Build) -> str:
    """Why the server cannot know what an object needs, where the build itself brings it; or nothing."""
    if match := _NO_KIND.search(text):
        defined = (definition.manifest for definition in of_kind(build, "CustomResourceDefinition"))
        names = {(text_of(each, "spec", "group"), text_of(each, "spec", "names", "kind")) for each in defined}
        if (match[2].rpartition("/")[0], match[1]) in names:
            return f"it knows no {match[1]} until the definition in this build is applied"
    match = _NO_NAMESPACE.search(text)
    if match and any(each.name == match[1] for each in of_kind(build, "Namespace")):
        return f"it has no namespace '{match[1]}' until this build is applied"
    return ""


def read(code: int, text: str, manifest: Manifest, cluster: Cluster) -> Iterator[Problem]:
    """Yield the problems that kubectl printed about one object; raises `Error` for anything but a verdict."""
    lines = [line for line in text.splitlines() if not _LOG.match(line)]
    for line in lines:
        if line.startswith(_WARNING):
            yield _problem(line.removeprefix(_WARNING), manifest, Severity.WARNING)
    if code == 0:
        return
    answer = "\n".join(line for line in lines if not line.startswith(_WARNING)).strip()
    for message in _faults(answer, cluster):
        yield _problem(message, manifest, Severity.ERROR)


def _faults(answer: str, cluster: Cluster) -> Iterator[str]:
    """Take an answer apart into `field: message`."""
    if kind := _NO_KIND.search(answer):
        yield f"kind: the server has no {kind[1]} in {kind[2]}; install its CRD first"
    elif namespace := _NO_NAMESPACE.search(answer):
        yield f'metadata.namespace: the server has no namespace "{namespace[1]}"; create it first'
    elif fields := _UNKNOWN.findall(answer):
        yield from (f"{path}: {what} field" for what, path in fields)
    elif typed := _TYPED.search(answer):
        yield from (line.strip() for line in typed[1].splitlines() if line.strip())
    elif _INVALID.match(answer):
        yield from _causes(_INVALID.sub("", answer, count=1))
    elif answer.startswith("Error from server") and not _is_no_verdict(answer):
        yield answer.partition(": ")[2] or answer
    else:
        raise Error(_no_answer(answer, cluster))


def _no_answer(answer: str, cluster: Cluster) -> str:
    """Why there is no verdict, and what to do: unreachable, unauthorised and forbidden read differently."""
    said = " ".join(_PREFIX.sub("", answer).split()) or "kubectl says nothing"
    if _UNAUTHORISED.search(answer):
        return f"the API server of {cluster} does not accept the user's credentials: {said}; log in again"
    if _NOT_ALLOWED.search(answer):
        allowed = "a dry run needs the rights to create and patch the object"
        return f"the API server of {cluster} forbids the dry run: {said}; {allowed}"
    if _UNREACHABLE.search(answer):
        return (
            f"the API server of {cluster} cannot be reached: {said}; "
            "check the network, or name another context with --context"
        )
    return f"the API server of {cluster} gives no verdict: {said}"


def _is_no_verdict(answer: str) -> bool:
    return any(reason in answer for reason in _NO_VERDICT) or bool(_NOT_ALLOWED.search(answer))


def _causes(text: str) -> Iterator[str]:
    """One cause stands behind the sentence; several stand below, each after a star."""
    if not text.startswith("* "):
        yield text
        return
    for cause in re.split(r"(?:^|\n)\* ", text):
        if cause.strip():
            yield cause.strip()


def _problem(text: str, manifest: Manifest, severity: Severity) -> Problem:
    if _DEPRECATED.match(text):
        return Problem(("apiVersion",), text, RULE, severity)
    match = _CAUSE.match(text)
    path = field_path(match[1], manifest) if match else ()
    message = match[2] if match and path else text
    if _UNCHANGEABLE.search(message):
        message = f"differs from the object that is there: {message}"
    at = None
    if manifest.get("kind") == "Secret":
        message = _VALUE.sub(r"\1: ", message)
        plain = manifest.get("stringData")
        if path[:1] == ("data",) and isinstance(plain, dict) and path[-1] in plain:
            at = ("stringData", *path[1:])
    return Problem(path, " ".join(message.split()), RULE, severity, at=at)


def field_path(text: str, manifest: Manifest) -> FieldPath:
    """Read a path as the server writes it, such as `spec.containers[0].env[name="A"].value`.

    Whether a step is an index, a key, or the item that has some key, the object itself tells. Empty where the
    text begins with no field of an object.
    """
    steps: list[str | int] = []
    value: Any = manifest
    for name, key in _STEP.findall(text):
        step = name or _step(key, value)
        steps.append(step)
        try:
            value = value[step]
        except (KeyError, IndexError, TypeError):
            value = None
    first = steps[0] if steps else ""
    return tuple(steps) if first in manifest or first in ("metadata", "spec", "data") else ()


def _step(written: str, value: Any) -> str | int:
    if isinstance(value, dict):
        return written
    if written.isdecimal() and len(written) < 19:
        return int(written)
    if not isinstance(value, list):
        return written
    wanted = dict(part.partition("=")[::2] for part in written.split(","))
    for index, item in enumerate(value):
        if isinstance(item, dict) and all(_same(item.get(key), text) for key, text in wanted.items()):
            return index
    return written


def _same(value: object, written: str) -> bool:
    return json.dumps(value) == written or str(value) == written
