"""What `explain`, `rules`, SARIF and docs/rules.md say about everything that a finding can be called.

Besides the rules these are `schema` and the families of API-server checks, `api-<family>`.
"""

from __future__ import annotations

import pkgutil
from collections.abc import Iterator
from dataclasses import dataclass
from functools import cache
from importlib import import_module

from vllm_kustomize import apiserver, rules, schema, server
from vllm_kustomize.model import Error, Severity

API = "api-"
"""What the names of API-server checks begin with."""

_SCHEMA_HELP = "Compare the field with `kubectl explain`."
_API_HELP = "Change the value; the API server refuses the object as it is."


@dataclass(frozen=True, slots=True)
class Entry:
    """The page of the manual on one rule or family of checks."""

    id: str
    severity: Severity
    manual: str
    help: str

    @property
    def summary(self) -> str:
        """The manual's first line."""
        return self.manual.partition("\n")[0]

    def as_json(self) -> dict[str, str]:
        """The page for programs."""
        return {
            "id": self.id,
            "severity": str(self.severity),
            "summary": self.summary,
            "manual": self.manual,
            "help": self.help,
        }

    def markdown(self) -> str:
        """The page as Markdown, with the examples as a block of code."""
        paragraphs = self.manual.split("\n\n")
        blocks = (f"```text\n{text}\n```" if text.startswith("Bad:") else text for text in paragraphs)
        return "\n\n".join((*blocks, self.help))


def entry_for(name: str) -> Entry:
    """The page on a rule, `schema` or `api-<family>`; raises `Error` with the closest name for others."""
    if name in rules.load():
        rule = rules.load()[name]
        return Entry(rule.id, rule.severity, rule.manual, rule.help)
    if name == schema.RULE:
        return Entry(name, Severity.ERROR, (schema.__doc__ or "").strip(), _SCHEMA_HELP)
    if name == server.RULE:
        return Entry(name, Severity.ERROR, (server.__doc__ or "").strip(), _API_HELP)
    if name.startswith(API):
        return Entry(name, Severity.ERROR, _family_manual(name.removeprefix(API)), _API_HELP)
    raise Error(f"no rule '{name}'{rules.did_you_mean(name, names())}; `vllm-kustomize rules` lists them")


def entries() -> Iterator[Entry]:
    """Every page, by name."""
    return map(entry_for, names())


@cache
def names() -> tuple[str, ...]:
    """Everything that a finding can be called."""
    return tuple(sorted((*rules.load(), schema.RULE, server.RULE, *(API + family for family in families()))))


@cache
def families() -> tuple[str, ...]:
    """The families of API-server checks: modules that are named like the family they report."""
    modules = (module.name for module in pkgutil.iter_modules(apiserver.__path__))
    return tuple(name for name in modules if _family_of(name) == name)


def _family_of(module: str) -> str:
    return getattr(import_module(f"{apiserver.__name__}.{module}"), "FAMILY", "")


def _family_manual(family: str) -> str:
    for module in pkgutil.iter_modules(apiserver.__path__):
        if module.name == family:
            return (import_module(f"{apiserver.__name__}.{family}").__doc__ or "").strip()
    return f"What kube-apiserver rejects: {family.replace('-', ' ')}."
