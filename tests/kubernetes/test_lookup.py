"""What rules ask of a build is looked up, not searched for again."""

from __future__ import annotations

from typing import Any

from vllm_kustomize.kubernetes.lookup import autoscalers, find, of_kind
from vllm_kustomize.kubernetes.once import once
from vllm_kustomize.model import Build, Resource


def _object(kind: str, name: str, **spec: Any) -> Resource:
    return Resource({"kind": kind, "metadata": {"name": name}, "spec": spec})


SERVER = _object("Deployment", "vllm")
SCALER = _object("HorizontalPodAutoscaler", "scaler", scaleTargetRef={"kind": "Deployment", "name": "vllm"})
KEDA = _object("ScaledObject", "keda", scaleTargetRef={"name": "vllm"})
OTHER = _object("ScaledObject", "other", scaleTargetRef={"kind": "StatefulSet", "name": "vllm"})
BUILD = Build((KEDA, SERVER, SCALER, OTHER))


def test_objects_are_found_by_name_kind_and_target() -> None:
    assert find(BUILD, "Deployment", "", "vllm") is SERVER
    assert find(BUILD, "Deployment", "llm", "vllm") is None
    assert list(of_kind(BUILD, "Deployment", "ScaledObject", "Job")) == [SERVER, KEDA, OTHER]
    assert list(autoscalers(BUILD, SERVER)) == [SCALER, KEDA]


def test_an_object_is_looked_at_once() -> None:
    looked = []

    @once
    def length(resource: Resource) -> int:
        looked.append(resource.name)
        return len(resource.name)

    twin = _object("Deployment", "vllm")
    assert [length(SERVER), length(SERVER), length(twin)] == [4, 4, 4]
    assert looked == ["vllm", "vllm"]
