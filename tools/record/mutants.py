"""Objects with one change each, made from baselines: the inputs whose verdicts are recorded.

The same baselines always give the same mutants, in the same order.
"""

# Tables of values, one kind per line.

from __future__ import annotations

import copy
import gzip
import json
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from record.schemas import Schema, SchemaOf, property_of, resolved

FieldPath = tuple[str | int, ...]

TEXTS = (
    "x",
    "str",
    "0",
    "-1",
    "true",
    "1.5",
    "50%",
    "100m",
    "8000",
    "6GG",
    "ok",
    "UPPER_case!",
    "bogus-value",
    "has space",
    "trailing-",
    ".dot",
    "/abs",
    "a/b/c",
    "../up",
    "é",
    "",
    "a" * 64,
    "a" * 254,
    "10.0.0.1",
    "2001:db8::1",
    "1Gi",
    "2",
    "Always",
    "latest",
    "a.b.c",
    "a_b",
    "80/tcp",
    "http",
    "_SERVICE",
    "$(VAR)",
    "a:b",
    "line\nbreak",
    "x.example.com/y",
)
NUMBERS = (0, 1, -1, 2, 7, 30, 101, 65535, 65536, 10000000000, 1.5)
CHOICES: Mapping[str, tuple[Any, ...]] = {
    "accessModes": (["ReadWriteOnce"], ["ReadWriteMany", "ReadWriteOncePod"]),
    "completionMode": ("Indexed", "NonIndexed"),
    "concurrencyPolicy": ("Allow", "Forbid", "Replace"),
    "dnsPolicy": ("Default", "ClusterFirst", "ClusterFirstWithHostNet", "None"),
    "effect": ("NoSchedule", "PreferNoSchedule", "NoExecute"),
    "externalTrafficPolicy": ("Local", "Cluster"),
    "imagePullPolicy": ("Always", "IfNotPresent", "Never"),
    "immutable": (True, False),
    "internalTrafficPolicy": ("Local", "Cluster"),
    "ipFamilyPolicy": ("SingleStack", "PreferDualStack", "RequireDualStack"),
    "operator": ("In", "NotIn", "Exists", "DoesNotExist", "Equal", "Gt"),
    "pathType": ("Exact", "Prefix", "ImplementationSpecific"),
    "persistentVolumeReclaimPolicy": ("Retain", "Delete", "Recycle"),
    "podManagementPolicy": ("OrderedReady", "Parallel"),
    "preemptionPolicy": ("Never", "PreemptLowerPriority"),
    "protocol": ("TCP", "UDP", "SCTP"),
    "reclaimPolicy": ("Retain", "Delete"),
    "restartPolicy": ("Always", "OnFailure", "Never"),
    "scheme": ("HTTP", "HTTPS"),
    "sessionAffinity": ("None", "ClientIP"),
    "strategy": ({"type": "Recreate"}, {"type": "RollingUpdate"}),
    "terminationMessagePolicy": ("File", "FallbackToLogsOnError"),
    "type": (
        "ClusterIP",
        "NodePort",
        "LoadBalancer",
        "ExternalName",
        "Recreate",
        "RollingUpdate",
        "OnDelete",
        "Opaque",
        "kubernetes.io/tls",
        "RuntimeDefault",
        "Unconfined",
        "Localhost",
    ),
    "updateStrategy": ({"type": "OnDelete"}, {"type": "RollingUpdate"}),
    "volumeBindingMode": ("Immediate", "WaitForFirstConsumer"),
    "volumeMode": ("Filesystem", "Block"),
    "whenUnsatisfiable": ("DoNotSchedule", "ScheduleAnyway"),
}
"""Values that mean something to the server, by the name of the field."""

NEVER = frozenset({"apiVersion", "kind", "status"})


@dataclass(frozen=True, slots=True)
class Mutant:
    """A baseline with one change: `set` puts a value at a path, `delete` takes it away."""

    base: int
    path: FieldPath
    op: str
    value: Any = None

    def manifest(self, baselines: Sequence[Mapping[str, Any]]) -> dict[str, Any]:
        """The object."""
        mutant: dict[str, Any] = copy.deepcopy(dict(baselines[self.base]))
        parent: Any = mutant
        for step in self.path[:-1]:
            parent = parent[step]
        last = self.path[-1]
        if self.op == "delete":
            del parent[last]
        elif isinstance(parent, list) and isinstance(last, int) and last >= len(parent):
            parent.append(self.value)
        else:
            parent[last] = self.value
        return mutant

    def renames(self, baselines: Sequence[Mapping[str, Any]]) -> bool:
        """Whether the object is another one with the change."""
        if self.path == ("metadata",) and isinstance(self.value, Mapping):
            named = baselines[self.base]["metadata"]["name"]
            return bool(self.value.get("name", named) != named)
        return self.path in (("metadata", "name"), ("metadata", "namespace"))

    @property
    def sets_null(self) -> bool:
        """Whether the change is a null, which no rendered manifest has."""
        return self.op == "set" and self.value is None

    def as_json(self) -> dict[str, Any]:
        """The mutant as it stands in a file of verdicts."""
        return {"base": self.base, "path": list(self.path), "op": self.op, "value": self.value}


def read(file: Path) -> Iterator[Mutant]:
    """The mutants of a file of verdicts."""
    with gzip.open(file, "rt", encoding="utf-8") as lines:
        for line in lines:
            fields = json.loads(line)
            yield Mutant(fields["base"], tuple(fields["path"]), fields["op"], fields["value"])


def generate(baselines: Sequence[Mapping[str, Any]], schema_of: SchemaOf) -> Iterator[Mutant]:
    """Every mutant of some baselines, each once."""
    for base, baseline in enumerate(baselines):
        seen = set()
        for path, op, value in _changes(baseline, schema_of(baseline)):
            key = (path, op, json.dumps(value, sort_keys=True))
            if key not in seen:
                seen.add(key)
                yield Mutant(base, path, op, value)


def _changes(baseline: Mapping[str, Any], root: Schema) -> Iterator[tuple[FieldPath, str, Any]]:
    for name, value in baseline.items():
        if name not in NEVER:
            yield from _of_field((name,), value, property_of(root, name))
    yield from _added((), baseline, root)


def _of_field(path: FieldPath, value: Any, schema: Schema) -> Iterator[tuple[FieldPath, str, Any]]:
    yield path, "delete", None
    for other in _others(str(path[-1]), value):
        yield path, "set", other
    if isinstance(value, dict):
        for name, inner in value.items():
            yield from _of_field((*path, name), inner, property_of(schema, name))
        yield from _added(path, value, schema)
    elif isinstance(value, list):
        for index, inner in enumerate(value):
            yield from _of_field((*path, index), inner, resolved(schema.get("items", {})))


def _others(name: str, value: Any) -> Iterator[Any]:
    """Values to put instead of one."""
    yield None
    yield from CHOICES.get(name, ())
    if isinstance(value, bool):
        yield from (not value, "true", 1)
    elif isinstance(value, (int, float)):
        yield from (*NUMBERS, value + 1, value * 2, str(value), [])
    elif isinstance(value, str):
        yield from (*TEXTS, f"{value}x", f"{value} ", 7, True, [])
    elif isinstance(value, list):
        yield from ([], [None], [{}], value[1:], [*value, value[-1]] if value else ["x"], value[::-1], {})
    elif isinstance(value, dict):
        yield from ({}, {"x": 1}, {**value, "bogusField": 1}, [], "str")
        yield from ({name: value[name]} for name in value)


def _added(path: FieldPath, value: Mapping[str, Any], schema: Schema) -> Iterator[tuple[FieldPath, str, Any]]:
    """Fields that the schema has and the object does not, with a few values each."""
    for name, field in schema.get("properties", {}).items():
        if name in value or (not path and name in NEVER):
            continue
        for sample in (*CHOICES.get(name, ()), *_samples(resolved(field))):
            yield (*path, name), "set", sample


def _samples(schema: Schema) -> tuple[Any, ...]:
    kind = schema.get("type")
    kinds = kind if isinstance(kind, list) else [kind]
    if "boolean" in kinds:
        return (True, False)
    if "integer" in kinds:
        return (0, 1, -1, 65536)
    if "array" in kinds:
        inner = resolved(schema.get("items", {}))
        return ([], *([sample] for sample in _samples(inner)[:4]))
    if "object" in kinds or "properties" in schema:
        required = {name: _samples(property_of(schema, name))[-1] for name in schema.get("required", ())}
        return ({}, required) if required else ({}, {"a": "b"})
    return ("x", "", "a/b")
