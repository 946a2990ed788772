"""What the server fills in when an object is created, as far as an update can trip over it.

Defaults of pkg/apis/{core,apps,batch,storage,scheduling}/v1/defaults.go, and the strategies that copy one
field into another (Secret's stringData, a claim's data source).
"""

from __future__ import annotations

import base64
from collections.abc import Callable, Mapping
from typing import Any

from vllm_kustomize.apiserver.framework.combinators import structs
from vllm_kustomize.kubernetes.fields import mapping, sequence, text
from vllm_kustomize.kubernetes.pods import PROBES
from vllm_kustomize.model import Manifest

FILE_MODE = 0o644
BEHIND_GATES = ("evictionResponders", "schedulingGroup")
"""Fields of pods that the server drops while their feature gates are off, as they are up to 1.37."""
DATA_SOURCES = (("", "PersistentVolumeClaim"), ("snapshot.storage.k8s.io", "VolumeSnapshot"))
"""What `dataSource` may be; the server drops any other (EnforceDataSourceBackwardsCompatibility)."""
MOUNTED_AS_FILES = ("secret", "configMap", "downwardAPI", "projected")


def stored(manifest: Manifest) -> dict[Any, Any]:
    """The object that the server keeps once it has created it from a manifest, as a copy."""
    kept: dict[Any, Any] = _copy(manifest)
    fill = _KINDS.get((str(manifest.get("apiVersion")), str(manifest.get("kind"))))
    if fill:
        fill(kept)
    return kept


def _copy(value: Any) -> Any:
    """A value as parsers make it, with lists and mappings of its own; far quicker than copy.deepcopy."""
    if isinstance(value, dict):
        return {name: _copy(inner) for name, inner in value.items()}
    return [_copy(inner) for inner in value] if isinstance(value, list) else value


def pull_policy(image: str) -> str:
    """The pull policy of an image for which none is set: its tag decides."""
    name, _, digest = image.partition("@")
    tag = name.rpartition("/")[2].partition(":")[2]
    return "Always" if tag == "latest" or (not tag and not digest) else "IfNotPresent"


def _fill(value: Any, defaults: Mapping[str, Any]) -> None:
    """Set fields that are absent, null or empty."""
    if isinstance(value, dict):
        for name, default in defaults.items():
            if value.get(name) in (None, ""):
                value[name] = _copy(default)


def _probe(probe: Mapping[Any, Any]) -> None:
    _fill(probe, {"timeoutSeconds": 1, "periodSeconds": 10, "successThreshold": 1, "failureThreshold": 3})
    _handler(probe)


def _handler(handler: Mapping[Any, Any]) -> None:
    _fill(handler.get("httpGet"), {"path": "/", "scheme": "HTTP"})


def _container(container: dict[Any, Any]) -> None:
    _fill(
        container,
        {
            "imagePullPolicy": pull_policy(text(container, "image")),
            "terminationMessagePath": "/dev/termination-log",
            "terminationMessagePolicy": "File",
        },
    )
    for _, port in structs(container, "ports"):
        _fill(port, {"protocol": "TCP"})
    for _, variable in structs(container, "env"):
        _fill(mapping(variable, "valueFrom").get("fieldRef"), {"apiVersion": "v1"})
        _fill(mapping(variable, "valueFrom").get("resourceFieldRef"), {"divisor": "0"})
    for field in PROBES:
        if isinstance(container.get(field), dict):
            _probe(container[field])
    lifecycle = container.get("lifecycle")
    if isinstance(lifecycle, dict) and lifecycle.pop("stopSignal", None) is not None and not lifecycle:
        del container["lifecycle"]
    for field in ("postStart", "preStop"):
        _handler(mapping(container, "lifecycle", field))


def _downward_items(source: Any) -> None:
    for _, item in structs(source, "items"):
        _fill(item.get("fieldRef"), {"apiVersion": "v1"})
        _fill(item.get("resourceFieldRef"), {"divisor": "0"})


def _volume(volume: dict[Any, Any]) -> None:
    if not any(value is not None for name, value in volume.items() if name != "name"):
        volume["emptyDir"] = {}
    for field in MOUNTED_AS_FILES:
        _fill(volume.get(field), {"defaultMode": FILE_MODE})
    _downward_items(volume.get("downwardAPI"))
    for _, source in structs(volume.get("projected"), "sources"):
        _fill(source.get("serviceAccountToken"), {"expirationSeconds": 3600})
        _downward_items(source.get("downwardAPI"))
    if isinstance(volume.get("hostPath"), dict):
        volume["hostPath"].setdefault("type", "")
    image = mapping(volume, "image")
    if image:
        _fill(image, {"pullPolicy": pull_policy(text(image, "reference"))})
    _claim_spec(mapping(volume, "ephemeral", "volumeClaimTemplate").get("spec"))
    _fill(volume.get("iscsi"), {"iscsiInterface": "default"})
    _fill(volume.get("rbd"), {"pool": "rbd", "user": "admin", "keyring": "/etc/ceph/keyring"})
    _fill(
        volume.get("azureDisk"),
        {"cachingMode": "ReadWrite", "kind": "Shared", "fsType": "ext4", "readOnly": False},
    )


def _pod_spec(spec: Any) -> None:
    if not isinstance(spec, dict):
        return
    _fill(
        spec,
        {
            "dnsPolicy": "ClusterFirst",
            "restartPolicy": "Always",
            "securityContext": {},
            "terminationGracePeriodSeconds": 30,
            "schedulerName": "default-scheduler",
            "serviceAccountName": text(spec, "serviceAccount"),
        },
    )
    spec["serviceAccount"] = spec["serviceAccountName"]
    for field in BEHIND_GATES:
        spec.pop(field, None)
    for field in ("containers", "initContainers"):
        for container in sequence(spec, field):
            if isinstance(container, dict):
                _container(container)
    for volume in sequence(spec, "volumes"):
        if isinstance(volume, dict):
            _volume(volume)


def _pod(pod: dict[Any, Any]) -> None:
    spec = pod.get("spec")
    _pod_spec(spec)
    if not isinstance(spec, dict):
        return
    if not text(spec, "priorityClassName"):
        _fill(spec, {"priority": 0, "preemptionPolicy": "PreemptLowerPriority"})
    _fill(spec, {"enableServiceLinks": True, "serviceAccountName": "default", "serviceAccount": "default"})
    for field in ("containers", "initContainers"):
        for _, container in structs(spec, field):
            resources = container.get("resources")
            if isinstance(resources, dict) and mapping(resources, "limits"):
                resources["requests"] = {**resources["limits"], **mapping(resources, "requests")}
            for _, port in structs(container, "ports"):
                if spec.get("hostNetwork") is True and isinstance(port, dict):
                    port["hostPort"] = port.get("hostPort") or port.get("containerPort")


def _template(workload: Any) -> None:
    _pod_spec(mapping(workload, "spec", "template").get("spec"))


def _deployment(deployment: dict[Any, Any]) -> None:
    _template(deployment)
    spec = deployment.get("spec")
    _fill(spec, {"replicas": 1, "strategy": {}, "revisionHistoryLimit": 10, "progressDeadlineSeconds": 600})
    strategy = mapping(spec, "strategy")
    _fill(strategy, {"type": "RollingUpdate"})
    if text(strategy, "type") == "RollingUpdate":
        _fill(strategy, {"rollingUpdate": {}})
        _fill(strategy.get("rollingUpdate"), {"maxUnavailable": "25%", "maxSurge": "25%"})


def _stateful_set(stateful: dict[Any, Any]) -> None:
    _template(stateful)
    spec = stateful.get("spec")
    _fill(
        spec,
        {
            "replicas": 1,
            "podManagementPolicy": "OrderedReady",
            "revisionHistoryLimit": 10,
            "updateStrategy": {},
        },
    )
    strategy = mapping(spec, "updateStrategy")
    _fill(strategy, {"type": "RollingUpdate"})
    if text(strategy, "type") == "RollingUpdate":
        _fill(strategy, {"rollingUpdate": {}})
        _fill(strategy.get("rollingUpdate"), {"partition": 0})
    for claim in sequence(spec, "volumeClaimTemplates"):
        if isinstance(claim, dict):
            for field in ("apiVersion", "kind"):  # the server's own to fill in
                claim.pop(field, None)
            _fill(claim, {"status": {}})
            _fill(claim["status"], {"phase": "Pending"})
            _claim_spec(claim.get("spec"))


def _job_spec(spec: Any) -> None:
    if not isinstance(spec, dict):
        return
    _pod_spec(mapping(spec, "template").get("spec"))
    if spec.get("completions") is None and spec.get("parallelism") is None:
        spec["completions"] = 1
    _fill(
        spec,
        {
            "parallelism": 1,
            "backoffLimit": 2**31 - 1 if spec.get("backoffLimitPerIndex") is not None else 6,
            "completionMode": "NonIndexed",
            "suspend": False,
            "manualSelector": False,
        },
    )
    for _, rule in structs(spec.get("podFailurePolicy"), "rules"):
        for _, condition in structs(rule, "onPodConditions"):
            _fill(condition, {"status": "True"})


def _job(job: dict[Any, Any]) -> None:
    _job_spec(job.get("spec"))


def _claim_spec(spec: Any) -> None:
    if isinstance(spec, dict):
        _fill(spec, {"volumeMode": "Filesystem"})


def _claim(claim: dict[Any, Any]) -> None:
    spec = claim.get("spec")
    _claim_spec(spec)
    if not isinstance(spec, dict):
        return
    if text(spec, "dataSourceRef", "namespace"):
        del spec["dataSourceRef"]
    source, reference = spec.get("dataSource"), spec.get("dataSourceRef")
    if isinstance(source, dict) and reference is None:
        if (source.get("apiGroup") or "", source.get("kind")) in DATA_SOURCES:
            spec["dataSourceRef"] = dict(source)
        else:
            del spec["dataSource"]
    elif isinstance(reference, dict) and source is None:
        spec["dataSource"] = dict(reference)


def _secret(secret: dict[Any, Any]) -> None:
    _fill(secret, {"type": "Opaque"})
    plain = secret.pop("stringData", None)
    if isinstance(plain, dict):
        encoded = {
            key: base64.b64encode(value.encode()).decode()
            for key, value in plain.items()
            if isinstance(value, str)
        }
        secret["data"] = {**mapping(secret, "data"), **encoded}


def _volume_defaults(volume: dict[Any, Any]) -> None:
    _fill(volume.get("spec"), {"persistentVolumeReclaimPolicy": "Retain", "volumeMode": "Filesystem"})
    if isinstance(mapping(volume, "spec").get("hostPath"), dict):
        volume["spec"]["hostPath"].setdefault("type", "")


def _binding(binding: dict[Any, Any]) -> None:
    _fill(binding.get("roleRef"), {"apiGroup": "rbac.authorization.k8s.io"})


_KINDS: dict[tuple[str, str], Callable[[dict[Any, Any]], None]] = {
    ("v1", "Pod"): _pod,
    ("v1", "PersistentVolumeClaim"): _claim,
    ("v1", "PersistentVolume"): _volume_defaults,
    ("v1", "Secret"): _secret,
    ("apps/v1", "Deployment"): _deployment,
    ("apps/v1", "ReplicaSet"): _template,
    ("apps/v1", "DaemonSet"): _template,
    ("apps/v1", "StatefulSet"): _stateful_set,
    ("batch/v1", "Job"): _job,
    ("rbac.authorization.k8s.io/v1", "ClusterRoleBinding"): _binding,
    ("rbac.authorization.k8s.io/v1", "RoleBinding"): _binding,
    ("storage.k8s.io/v1", "StorageClass"): lambda storage: _fill(
        storage, {"reclaimPolicy": "Delete", "volumeBindingMode": "Immediate"}
    ),
    ("scheduling.k8s.io/v1", "PriorityClass"): lambda priority: _fill(
        priority, {"value": 0, "preemptionPolicy": "PreemptLowerPriority"}
    ),
}
