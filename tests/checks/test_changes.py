"""What a cluster makes of the change of one object."""

from __future__ import annotations

from typing import Any

import pytest
import yaml

from vllm_kustomize.checks import changes
from vllm_kustomize.checks.manual import entries
from vllm_kustomize.model import Resource, format_path
from vllm_kustomize.rules import resolve
from vllm_kustomize.settings import Settings

CLAIM = "{apiVersion: v1, kind: PersistentVolumeClaim, metadata: {name: models}}"
KEPT_BY_ARGO = (
    "{apiVersion: v1, kind: PersistentVolumeClaim, metadata: {name: models, annotations: "
    "{argocd.argoproj.io/sync-options: 'Delete=false, Prune=false'}}}"
)
KEPT_BY_BOTH = (
    "{apiVersion: v1, kind: PersistentVolumeClaim, metadata: {name: models, annotations: "
    "{argocd.argoproj.io/sync-options: Prune=false, kustomize.toolkit.fluxcd.io/prune: disabled}}}"
)
SERVICE = "{apiVersion: v1, kind: Service, metadata: {name: server}}"
NAMESPACE = "{apiVersion: v1, kind: Namespace, metadata: {name: team}}"


def workload(kind: str, image: str, more: str = "", gpu: str = "nvidia.com/gpu: 1") -> str:
    container = f"{{name: c, image: '{image}', resources: {{limits: {{{gpu}}}}}}}"
    return (
        f"{{apiVersion: apps/v1, kind: {kind}, metadata: {{name: server}}, "
        f"spec: {{{more}template: {{spec: {{containers: [{container}]}}}}}}}}"
    )


def stateful(replicas: int, when_scaled: str, when_deleted: str = "Retain") -> str:
    policy = f"{{whenScaled: {when_scaled}, whenDeleted: {when_deleted}}}"
    return (
        "{apiVersion: apps/v1, kind: StatefulSet, metadata: {name: server}, "
        f"spec: {{replicas: {replicas}, persistentVolumeClaimRetentionPolicy: {policy}}}}}"
    )


IMAGE = "spec.template.spec.containers[0].image"
GONE = "is no longer rendered: where pruning is on,"

CASES: list[Any] = [
    pytest.param(CLAIM, CLAIM, [], id="the same"),
    pytest.param(None, CLAIM, [], id="a new claim"),
    pytest.param(
        CLAIM,
        None,
        [
            f"removes-data : {GONE} Argo CD or Flux deletes it and its volume, "
            "unless the reclaim policy is Retain"
        ],
        id="a claim goes",
    ),
    pytest.param(
        KEPT_BY_ARGO,
        None,
        [f"removes-data : {GONE} Flux deletes it and its volume, unless the reclaim policy is Retain"],
        id="a claim that Argo CD keeps",
    ),
    pytest.param(KEPT_BY_BOTH, None, [], id="a claim that nothing prunes"),
    pytest.param(
        NAMESPACE,
        None,
        [f"removes-data : {GONE} Argo CD or Flux deletes it and everything in it"],
        id="a namespace goes",
    ),
    pytest.param(
        SERVICE,
        None,
        [
            "prunes-object : is no longer rendered: Argo CD or Flux deletes it where pruning is on, "
            "kubectl apply leaves it"
        ],
        id="a service goes",
    ),
    pytest.param(
        stateful(3, "Delete"),
        stateful(1, "Delete"),
        [
            "removes-data spec.replicas: scaling down to 1 deletes the claims of the other replicas "
            "(whenScaled: Delete)"
        ],
        id="replicas go with their claims",
    ),
    pytest.param(stateful(3, "Retain"), stateful(1, "Retain"), [], id="replicas go and their claims stay"),
    pytest.param(
        stateful(1, "Retain", "Delete"),
        None,
        [f"removes-data : {GONE} Argo CD or Flux deletes it and its claims (whenDeleted: Delete)"],
        id="a StatefulSet goes with its claims",
    ),
    pytest.param(
        workload("Deployment", "x:1"),
        workload("Deployment", "x:2"),
        [f"restarts-gpu-pods {IMAGE}: the pod template changes: its pod with nvidia.com/gpu is replaced"],
        id="a template changes",
    ),
    pytest.param(
        workload("Deployment", "x:1", "replicas: 2, strategy: {type: Recreate}, "),
        workload("Deployment", "x:2", "replicas: 2, strategy: {type: Recreate}, "),
        [
            f"restarts-gpu-pods {IMAGE}: the pod template changes: its 2 pods with nvidia.com/gpu must end "
            "before new ones start (Recreate)"
        ],
        id="a template changes, with Recreate",
    ),
    pytest.param(
        workload("DaemonSet", "x:1"),
        workload("DaemonSet", "x:2"),
        [
            f"restarts-gpu-pods {IMAGE}: the pod template changes: its pods with nvidia.com/gpu are replaced "
            "on all nodes"
        ],
        id="a template of a DaemonSet changes",
    ),
    pytest.param(
        workload("Deployment", "x:1", gpu="cpu: 1"),
        workload("Deployment", "x:2", gpu="cpu: 1"),
        [],
        id="no GPU",
    ),
    pytest.param(
        workload("Deployment", "x:1"), workload("Deployment", "x:2", "replicas: 0, "), [], id="no replica"
    ),
    pytest.param(
        workload("Deployment", "x:1"),
        workload("Deployment", "x:1", "replicas: 2, "),
        [],
        id="the same template",
    ),
    pytest.param(
        workload("StatefulSet", "x:1"),
        workload("StatefulSet", "x:2", "updateStrategy: {type: OnDelete}, "),
        [],
        id="a template that waits",
    ),
    pytest.param(workload("CronJob", "x:1"), workload("CronJob", "x:2"), [], id="a CronJob"),
]


@pytest.mark.parametrize(("before", "after", "expected"), CASES)
def test_a_change_is_judged(before: str | None, after: str | None, expected: list[str]) -> None:
    old, new = (Resource(yaml.safe_load(text)) if text else None for text in (before, after))
    found = [f"{each.rule} {format_path(each.path)}: {each.message}" for each in changes.check(old, new)]
    assert found == expected


def test_every_entry_of_the_manual_is_selected_by_its_group() -> None:
    for entry in entries():
        assert resolve(Settings(select=(entry.group,))).selects(entry.id), entry.id
