"""Whole objects inside of a custom resource, `x-kubernetes-embedded-resource`, and every object's metadata.

Source: k8s.io/apiextensions-apiserver/pkg/apiserver/schema/objectmeta. Metadata is decoded strictly into
ObjectMeta (k8s.io/apimachinery/pkg/apis/meta/v1/types.go): a field that it lacks or of another type is
refused.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from vllm_kustomize.apiserver.custom.decoding import decode
from vllm_kustomize.apiserver.custom.schema import Schema, read
from vllm_kustomize.apiserver.custom.values import Refusal, Values
from vllm_kustomize.apiserver.framework.combinators import Scope
from vllm_kustomize.apiserver.framework.metadata import object_meta
from vllm_kustomize.kubernetes import names
from vllm_kustomize.model import FieldPath, KubernetesVersion
from vllm_kustomize.wording import quote

_TEXT = {"type": "string", "nullable": True}
_FLAG = {"type": "boolean", "nullable": True}
_NUMBER = {"type": "integer", "format": "int64", "nullable": True}
_TEXTS = {"type": "object", "nullable": True, "additionalProperties": _TEXT}
_ANYTHING = {"type": "object", "nullable": True, "x-kubernetes-preserve-unknown-fields": True}
_OWNER = {
    **dict.fromkeys(("apiVersion", "kind", "name", "uid"), _TEXT),
    **dict.fromkeys(("controller", "blockOwnerDeletion"), _FLAG),
}
_MANAGER = {
    **dict.fromkeys(("manager", "operation", "apiVersion", "time", "fieldsType", "subresource"), _TEXT),
    "fieldsV1": _ANYTHING,
}


def _list(items: dict[str, Any]) -> dict[str, Any]:
    return {"type": "array", "nullable": True, "items": {**items, "nullable": True}}


OBJECT_META = read(
    {
        "type": "object",
        "nullable": True,
        "properties": {
            **dict.fromkeys(
                ("name", "generateName", "namespace", "selfLink", "uid", "resourceVersion"), _TEXT
            ),
            **dict.fromkeys(("creationTimestamp", "deletionTimestamp"), _TEXT),
            **dict.fromkeys(("generation", "deletionGracePeriodSeconds"), _NUMBER),
            **dict.fromkeys(("labels", "annotations"), _TEXTS),
            "finalizers": _list(_TEXT),
            "ownerReferences": _list({"type": "object", "properties": _OWNER}),
            "managedFields": _list({"type": "object", "properties": _MANAGER}),
        },
    }
)


def metadata(value: Any, version: KubernetesVersion, path: FieldPath = ("metadata",)) -> Iterator[Refusal]:
    """Yield what cannot be decoded as an object's metadata: unknown fields and wrong types."""
    wrapped = Schema(types=("object",), additional=OBJECT_META)
    decoded, unknown = decode({"metadata": value}, wrapped, root=False)
    for field in unknown:
        yield Refusal((*path, *field[1:]), "unknown field", blocking=True)
    values = Values(version)
    values.check(decoded["metadata"], OBJECT_META, path)
    yield from values.found


def resources(
    value: Any, schema: Schema | None, version: KubernetesVersion, path: FieldPath = ()
) -> Iterator[Refusal]:
    """Yield what is wrong with the identity of each embedded resource in a value."""
    if schema is None:
        return
    if isinstance(value, dict):
        if schema.embedded:
            yield from _resource(value, version, path)
        for name, item in value.items():
            if isinstance(item, (dict, list)):
                yield from resources(item, schema.child(name), version, (*path, name))
    elif isinstance(value, list):
        for index, item in enumerate(value):
            if isinstance(item, (dict, list)):
                yield from resources(item, schema.items, version, (*path, index))


def _resource(value: dict[str, Any], version: KubernetesVersion, path: FieldPath) -> Iterator[Refusal]:
    for field in ("apiVersion", "kind"):
        text = value.get(field)
        at = (*path, field)
        if field not in value:
            yield Refusal(at, "is required", blocking=True)
        elif not isinstance(text, str):
            yield Refusal(at, "must be a string")
        elif not text:
            yield Refusal(at, "must not be empty")
        elif field == "apiVersion" and text.count("/") > 1:
            yield Refusal(at, f"{quote(text)} is not an apiVersion, such as apps/v1")
        elif field == "kind" and (message := names.dns1035_label(text.lower())):
            yield Refusal(at, message)
    if "metadata" in value:
        undecodable = list(metadata(value["metadata"], version, (*path, "metadata")))
        yield from undecodable
        if not undecodable and isinstance(value["metadata"], dict):
            named = {"name": "any", **value["metadata"]}
            scope = Scope(version)
            object_meta(_path_segment, custom=True)(named, (*path, "metadata"), scope)
            yield from (Refusal(problem.path, problem.message) for problem in scope.problems)


def _path_segment(name: str) -> str:
    """A name that can stand in a URL's path: the rule for kinds that nobody knows."""
    if name in (".", "..") or "/" in name or "%" in name:
        return f"{quote(name)} may not be . or .. and may not have / or % in it"
    return ""
