"""Composable checks: a table of fields for each API type, and rules over whole values.

A check is called with a value, the value's path and the scope of the run, and reports what kube-apiserver
would reject. It is only ever given a value of a type that it accepts: a value of another type is the schema
check's to report, and null counts as absent, as it does for the server's decoder.

A mapping is a `dict` here, as every parser makes it: `isinstance` takes far longer for an abstract class.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import replace
from types import MappingProxyType
from typing import Any, NamedTuple

from vllm_kustomize.apiserver import knows
from vllm_kustomize.kubernetes.fields import sequence, text
from vllm_kustomize.model import FieldPath, KubernetesVersion, Problem, Severity
from vllm_kustomize.wording import quote

MOST_PROBLEMS = 1000


class Fault(NamedTuple):
    """What a rule found: `path` is relative to the rule's value and is the one that the server names.

    `at` is where the fault really is, in the cases where the server names another field.
    """

    path: FieldPath
    message: str
    severity: Severity = Severity.ERROR
    at: FieldPath = ()


def warning(path: FieldPath, message: str) -> Fault:
    """What the server accepts with a warning, or accepts although it cannot work."""
    return Fault(path, message, Severity.WARNING)


class Scope:
    """One run over one object: its Kubernetes version and the problems found so far."""

    __slots__ = ("known", "problems", "version")

    def __init__(self, version: KubernetesVersion) -> None:
        self.version = version
        self.known = knows(version)
        self.problems: list[Problem] = []

    def stricter_before(self, version: KubernetesVersion) -> bool:
        """Whether a rule that Kubernetes dropped in `version` applies; not where the version is unknown."""
        return self.known and self.version < version

    def stricter_since(self, version: KubernetesVersion) -> bool:
        """Whether a rule that Kubernetes brought in `version` applies; not where the version is unknown."""
        return self.known and self.version >= version

    def report(self, family: str, base: FieldPath, fault: Fault) -> None:
        """Add a fault of the value at `base` to the problems, of which there is a limit."""
        if len(self.problems) >= MOST_PROBLEMS:
            if len(self.problems) == MOST_PROBLEMS:
                message = f"has more than {MOST_PROBLEMS} faults; the rest is not listed"
                self.problems.append(Problem((), message, rule=f"api-{family}", severity=Severity.ERROR))
            return
        at = (*base, *fault.at) if fault.at else None
        path = (*base, *fault.path)
        problem = Problem(path, fault.message, rule=f"api-{family}", severity=fault.severity, at=at)
        self.problems.append(problem)


Rule = Callable[[Any, Scope], Iterator[Fault]]
"""What a single value must satisfy besides the checks of its fields."""

TextRule = Callable[[str], str]
"""The message for a text that the server rejects, or an empty string."""


class Check:
    """Checks one value of the types that it accepts; `zero` is what the server sees where there is none."""

    accepts: Any = object
    """A class or several, as `isinstance` takes them."""
    zero: Any = None

    def __call__(self, value: Any, path: FieldPath, scope: Scope) -> None:
        """Report what is wrong with `value`, which stands at `path`."""
        raise NotImplementedError


class Text(Check):
    """A string. An empty one counts as absent unless `empty` says that the server checks it too."""

    accepts = str
    zero = ""

    def __init__(self, family: str, *rules: TextRule, empty: bool = False) -> None:
        self.family = family
        self.rules = rules
        self.empty = empty

    def __call__(self, value: Any, path: FieldPath, scope: Scope) -> None:
        """Report the first rule that the text breaks."""
        if not value and not self.empty:
            return
        for rule in self.rules:
            if message := rule(value):
                scope.report(self.family, path, Fault((), message))
                return


class Number(Check):
    """An integer between two bounds, both included; zero counts as absent if `zero_is_absent`."""

    accepts = (int, float)
    zero = 0

    def __init__(
        self, family: str, least: int | None = None, most: int | None = None, *, zero_is_absent: bool = False
    ) -> None:
        self.family = family
        self.least = least
        self.most = most
        self.zero_is_absent = zero_is_absent

    def __call__(self, value: Any, path: FieldPath, scope: Scope) -> None:
        """Report a number out of range."""
        if isinstance(value, bool) or (self.zero_is_absent and value == 0):
            return
        if self.least is not None and value < self.least:
            below = f"is {value}, but must be at least {self.least}"
        elif self.most is not None and value > self.most:
            below = f"is {value}, but must be at most {self.most}"
        else:
            return
        if self.least is not None and self.most is not None:
            below = f"is {value}, but must be between {self.least} and {self.most}"
        scope.report(self.family, path, Fault((), below))


class Value(Check):
    """A value of several types, checked by rules alone."""

    def __init__(self, family: str, *rules: Rule, accepts: Any = object, zero: Any = None) -> None:
        self.family = family
        self.rules = rules
        self.accepts = accepts
        self.zero = zero

    def __call__(self, value: Any, path: FieldPath, scope: Scope) -> None:
        """Report what each rule finds."""
        for rule in self.rules:
            for fault in rule(value, scope):
                scope.report(self.family, path, fault)


class Items(Check):
    """A list. `unique` is the field that tells items apart, or "" where the items themselves do."""

    accepts = list
    zero = ()

    def __init__(
        self, family: str, check: Check | None = None, *rules: Rule, unique: str | None = None
    ) -> None:
        self.family = family
        self.check = check
        self.rules = rules
        self.unique = unique

    def __call__(self, value: Any, path: FieldPath, scope: Scope) -> None:
        """Check every item, that none comes twice, and the rules over the whole list."""
        check = self.check
        if check is not None:
            for index, item in enumerate(value):
                if item is None:
                    check(check.zero, (*path, index), scope)
                elif isinstance(item, check.accepts):
                    check(item, (*path, index), scope)
        if self.unique is not None and len(value) > 1:
            for fault in duplicates(value, self.unique):
                scope.report(self.family, path, fault)
        for rule in self.rules:
            for fault in rule(value, scope):
                scope.report(self.family, path, fault)


class Struct(Check):
    """An object: a check for each field that has one, and rules over the object.

    A field's check may be wrapped in `required` (it must be set) or `always` (the server checks its zero
    value where it is absent); without, an absent field is fine.
    """

    accepts = dict
    zero = MappingProxyType({})

    def __init__(
        self, family: str, fields: Mapping[str, Check | Presence] | None = None, *rules: Rule
    ) -> None:
        self.family = family
        self.rules = rules
        self.fields: dict[Any, Check] = {}
        self.required: list[tuple[str, str]] = []
        self.always: list[str] = []
        for name, field in (fields or {}).items():
            if isinstance(field, Presence):
                if field.required:
                    self.required.append((name, field.message))
                else:
                    self.always.append(name)
                field = field.check
            self.fields[name] = field

    def __call__(self, value: Any, path: FieldPath, scope: Scope) -> None:
        """Check the fields that are there, then what must be there, then the rules."""
        fields = self.fields
        for name, item in value.items():
            check = fields.get(name)
            if check is not None and item is not None and isinstance(item, check.accepts):
                check(item, (*path, name), scope)
        for name in self.always:
            if value.get(name) is None:
                check = fields[name]
                check(check.zero, (*path, name), scope)
        for name, message in self.required:
            if is_absent(value.get(name), fields[name]):
                scope.report(self.family, path, Fault((name,), message))
        for rule in self.rules:
            for fault in rule(value, scope):
                scope.report(self.family, path, fault)


class ReportedAt(Check):
    """A check whose faults the server reports under another name than the field's own."""

    def __init__(self, name: str, check: Check) -> None:
        self.name = name
        self.check = check
        self.accepts = check.accepts
        self.zero = check.zero

    def __call__(self, value: Any, path: FieldPath, scope: Scope) -> None:
        """Run the check, and rename the last step of the paths that it reports."""
        inner = Scope(scope.version)
        self.check(value, path, inner)
        for problem in inner.problems:
            renamed = (*path[:-1], self.name, *problem.path[len(path) :])
            scope.problems.append(replace(problem, path=renamed, at=problem.at or problem.path))


class Since(Check):
    """The check of a field that the server drops before the version in which its feature came on."""

    def __init__(self, version: KubernetesVersion, check: Check) -> None:
        self.version = version
        self.check = check
        self.accepts = check.accepts
        self.zero = check.zero

    def __call__(self, value: Any, path: FieldPath, scope: Scope) -> None:
        """Run the check where the server has the field."""
        if scope.stricter_since(self.version):
            self.check(value, path, scope)


class AllOf(Check):
    """One object that several checks look at."""

    accepts = dict
    zero = MappingProxyType({})

    def __init__(self, *checks: Check) -> None:
        self.checks = checks

    def __call__(self, value: Any, path: FieldPath, scope: Scope) -> None:
        """Run every check."""
        for check in self.checks:
            check(value, path, scope)


class Presence(NamedTuple):
    """A field's check, and what its absence means."""

    check: Check
    required: bool
    message: str = ""


def required(check: Check, message: str = "is required") -> Presence:
    """A field that must be set, and not to its type's zero value."""
    return Presence(check, True, message)


def always(check: Check) -> Presence:
    """A field whose zero value is checked where it is absent."""
    return Presence(check, False)


class Family:
    """Makes the checks of one family: all that they report carries the rule `api-<name>`."""

    def __init__(self, name: str) -> None:
        self.name = name

    def text(self, *rules: TextRule, empty: bool = False) -> Text:
        """A `Text` of this family."""
        return Text(self.name, *rules, empty=empty)

    def one_of(self, *allowed: str, empty: bool = False) -> Text:
        """A text from a fixed set; `empty` if the server has no default for an empty one."""
        wanted = frozenset(allowed)
        shown = ", ".join(sorted(allowed))

        def rule(value: str) -> str:
            return "" if value in wanted else f"{quote(value)} is not supported; use one of {shown}"

        return Text(self.name, rule, empty=empty)

    def number(
        self, least: int | None = None, most: int | None = None, *, zero_is_absent: bool = False
    ) -> Number:
        """A `Number` of this family."""
        return Number(self.name, least, most, zero_is_absent=zero_is_absent)

    def value(self, *rules: Rule, accepts: Any = object, zero: Any = None) -> Value:
        """A `Value` of this family."""
        return Value(self.name, *rules, accepts=accepts, zero=zero)

    def items(self, check: Check | None = None, *rules: Rule, unique: str | None = None) -> Items:
        """`Items` of this family."""
        return Items(self.name, check, *rules, unique=unique)

    def struct(self, fields: Mapping[str, Check | Presence] | None = None, *rules: Rule) -> Struct:
        """A `Struct` of this family."""
        return Struct(self.name, fields, *rules)


def is_absent(value: object, check: Check) -> bool:
    """Whether the server sees a value as not set: null, or the zero value of its own type."""
    if value is None:
        return True
    if value or value is False:
        return False
    return isinstance(value, check.accepts)


def duplicates(items: Sequence[Any], field: str) -> Iterator[Fault]:
    """A fault for each item whose `field` (or, if "", the item itself) an earlier one has."""
    seen: set[str] = set()
    for index, item in enumerate(items):
        value = text(item, field) if field else item
        if not isinstance(value, str) or not value:
            continue
        if value in seen:
            path = (index, field) if field else (index,)
            yield Fault(path, f"{quote(value)} is there twice; each may appear once")
        seen.add(value)


def structs(value: Any, name: str) -> Iterator[tuple[int, Mapping[Any, Any]]]:
    """The objects in a list field, with their indexes; null is an empty object."""
    for index, item in enumerate(sequence(value, name)):
        if item is None:
            yield index, {}
        elif isinstance(item, dict):
            yield index, item
