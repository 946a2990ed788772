"""What the recordings do not show: other versions, what is accepted and then fails, odd input."""

from __future__ import annotations

import copy
import datetime
import random
from collections.abc import Iterator
from typing import Any

import pytest

from conformance.verdicts import baselines, problems
from vllm_kustomize import apiserver
from vllm_kustomize.model import Severity, format_path

DEPLOYMENT = 0


def changed(path: str, value: object, base: int = DEPLOYMENT) -> dict[str, Any]:
    """A baseline with the field at a dotted path set."""
    manifest = copy.deepcopy(baselines()[base])
    *parents, last = [int(step) if step.isdigit() else step for step in path.split(".")]
    target: Any = manifest
    for step in parents:
        target = target[step]
    target[last] = value
    return manifest


def found(
    manifest: dict[str, Any], version: tuple[int, int] = (1, 36), severity: Severity = Severity.ERROR
) -> list[str]:
    """The paths of the API-server problems of one severity."""
    return [format_path(p.path) for p in apiserver.check(manifest, version) if p.severity is severity]


CONTAINER = "spec.template.spec.containers.0"
POD = "spec.template.spec"
PEER = "spec.ingress.0.from.1.ipBlock"
SERVICE, STATEFUL_SET, AUTOSCALER, NETWORK_POLICY = 14, 2, 22, 23


@pytest.mark.parametrize(
    ("path", "value", "base", "rejecting", "accepting"),
    [
        ("metadata.name", "1-service", SERVICE, [(1, 34), (1, 35)], [(1, 36), (1, 37), (1, 33), (1, 99)]),
        (f"{PEER}.cidr", "10.0.0.1/8", NETWORK_POLICY, [(1, 36), (1, 37)], [(1, 35), (1, 99)]),
        (f"{CONTAINER}.image", "", STATEFUL_SET, [(1, 34), (1, 36)], [(1, 33), (1, 99)]),
        (f"{POD}.securityContext.seLinuxChangePolicy", "MountOption", DEPLOYMENT, [(1, 36)], [(1, 37)]),
        (f"{POD}.hostnameOverride", "A.b", DEPLOYMENT, [(1, 35), (1, 37)], [(1, 33), (1, 34), (1, 99)]),
        (f"{POD}.resources", {"limits": {"nvidia.com/gpu": 1}}, DEPLOYMENT, [(1, 34)], [(1, 33), (1, 99)]),
        ("spec.updateStrategy.rollingUpdate.maxUnavailable", 0, STATEFUL_SET, [(1, 37)], [(1, 36), (1, 99)]),
        ("spec.scaleTargetRef.apiVersion", "v1", AUTOSCALER, [(1, 34), (1, 36)], [(1, 33), (1, 99)]),
    ],
)  # fmt: skip
def test_what_changed_between_versions(
    path: Any, value: object, base: Any, rejecting: Any, accepting: Any
) -> None:
    manifest = changed(path, value, base)
    assert {version: bool(found(manifest, version)) for version in (*rejecting, *accepting)} == {
        **dict.fromkeys(rejecting, True),
        **dict.fromkeys(accepting, False),
    }


@pytest.mark.parametrize(
    ("path", "value", "base", "where"),
    [
        ("spec.template.spec.volumes.0", {"name": "models"}, DEPLOYMENT, "spec.template.spec.volumes[0]"),
        ("spec.template.spec.volumes.1.emptyDir.medium", "memory", DEPLOYMENT,
         "spec.template.spec.volumes[1].emptyDir.medium"),
        (f"{CONTAINER}.env.1.name", "HF_TOKEN", DEPLOYMENT, "spec.template.spec.containers[0].env[1]"),
        (f"{CONTAINER}.ports.1.containerPort", 8000, DEPLOYMENT, "spec.template.spec.containers[0].ports[1]"),
        (f"{CONTAINER}.resources.limits.memory", "20000000000.5", DEPLOYMENT,
         "spec.template.spec.containers[0].resources.limits.memory"),
        ("spec.dataSource.apiGroup", "example.com", 8, "spec.dataSource"),
        ("metadata.name", "a.b", DEPLOYMENT, "metadata.name"),
        (f"{POD}.nodeSelector", {"beta.kubernetes.io/os": "linux"}, DEPLOYMENT,
         'spec.template.spec.nodeSelector[beta.kubernetes.io/os]'),
        (f"{POD}.volumes.0", {"name": "models", "cephfs": {"monitors": ["a"]}}, DEPLOYMENT,
         "spec.template.spec.volumes[0].cephfs"),
        ("spec.persistentVolumeReclaimPolicy", "Recycle", 31, "spec.persistentVolumeReclaimPolicy"),
        (f"{POD}.priority", 7, DEPLOYMENT, "spec.template.spec.priority"),
        (f"{POD}.overhead", {"cpu": "1"}, DEPLOYMENT, "spec.template.spec.overhead"),
        (f"{CONTAINER}.lifecycle", {"stopSignal": "SIGTERM"}, DEPLOYMENT,
         "spec.template.spec.containers[0].lifecycle.stopSignal"),
        ("spec.ports.0.nodePort", 100, 15, "spec.ports[0].nodePort"),
    ],
)  # fmt: skip
def test_what_the_server_accepts_although_it_cannot_work(
    path: Any, value: object, base: Any, where: Any
) -> None:
    manifest = changed(path, value, base)
    assert found(manifest) == []
    assert where in found(manifest, severity=Severity.WARNING)


def test_a_fault_is_reported_once() -> None:
    manifest = changed(f"{CONTAINER}.ports.0.containerPort", "8000")
    assert [format_path(p.path) for p in problems(manifest)] == [
        "spec.template.spec.containers[0].ports[0].containerPort"
    ]


def test_the_server_names_one_field_and_the_value_stands_at_another() -> None:
    manifest = changed("metadata.labels", {"app": "not valid"})
    [problem] = apiserver.check(manifest, (1, 36))
    assert (problem.rule, problem.path, problem.at) == (
        "api-metadata",
        ("metadata", "labels"),
        ("metadata", "labels", "app"),
    )


def test_metadata_of_a_custom_resource() -> None:
    manifest = {
        "apiVersion": "serving.kserve.io/v1beta1",
        "kind": "InferenceService",
        "metadata": {"name": "Mistral_7B", "finalizers": ["plain"], "annotations": {"a b": "x"}},
    }
    assert found(manifest) == ["metadata.annotations", "metadata.name"]


def test_a_secret_value_is_in_no_message() -> None:
    manifest = {
        "apiVersion": "v1",
        "kind": "Secret",
        "type": "kubernetes.io/dockerconfigjson",
        "metadata": {"name": "pull"},
        "data": {"token": "hf_secret value", "bad key": "hf_secret"},
        "stringData": {".dockerconfigjson": "hf_secret"},
    }
    told = [problem.message for problem in problems(manifest)]
    assert len(told) == 4
    assert not any("hf_secret" in message for message in told)


def test_faults_beyond_a_limit_are_counted_as_one() -> None:
    manifest = changed("spec.template.spec.containers", [{}] * 100_000)
    assert len(list(apiserver.check(manifest, (1, 36)))) == 1001


ODD: tuple[Any, ...] = (
    None, True, 0, -1, 1.5, float("nan"), 2**70, 10**400, "", "\ud800", "x" * 100_000, "1e999999999",
    [], [None], [[]], [{}], {}, {None: 1}, {1: 2}, {True: {}}, {datetime.date(2026, 1, 1): 1},
    datetime.date(2026, 1, 1), b"x",
)  # fmt: skip


def paths(value: object, path: tuple[Any, ...] = ()) -> Iterator[tuple[Any, ...]]:
    """Every path in an object."""
    yield path
    for key, item in (
        value.items() if isinstance(value, dict) else enumerate(value) if isinstance(value, list) else ()
    ):
        yield from paths(item, (*path, key))


@pytest.mark.parametrize("seed", range(4))
def test_no_value_makes_a_check_raise(seed: int) -> None:
    chance = random.Random(seed)
    places = [(base, path) for base in range(len(baselines())) for path in paths(baselines()[base]) if path]
    for base, path in chance.sample(places, 300):
        manifest = copy.deepcopy(baselines()[base])
        parent: Any = manifest
        for step in path[:-1]:
            parent = parent[step]
        parent[path[-1]] = chance.choice(ODD)
        for problem in problems(manifest):
            assert format_path(problem.path) is not None


def test_nesting_has_no_limit() -> None:
    value: Any = {}
    for depth in range(20_000):
        value = {"a": value} if depth % 2 else [value]
    for path in ("metadata.labels", "spec.template.spec", "spec.selector", f"{CONTAINER}.env.0.valueFrom"):
        manifest = copy.deepcopy(baselines()[DEPLOYMENT])
        target: Any = manifest
        *parents, last = [int(step) if step.isdigit() else step for step in path.split(".")]
        for step in parents:
            target = target[step]
        target[last] = value
        assert problems(manifest)


def test_what_an_unknown_version_rejects_is_said_to_be_unchecked() -> None:
    assert [apiserver.knows(version) for version in [(1, 33), (1, 34), (1, 37), (1, 38)]] == [
        False,
        True,
        True,
        False,
    ]
