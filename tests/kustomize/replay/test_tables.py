"""Every row of the replay's tables against the engine: one kustomization for each table.

The tables say what Kustomize treats specially: kinds without a namespace, lists that merge by keys, fields
that labels, images and replicas write to. The kinds and fields below are Kubernetes', not the tables'.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable
from pathlib import Path
from typing import Any

import pytest
import yaml

from vllm_kustomize.kustomize.discover import overlay_at
from vllm_kustomize.kustomize.engine import Engine, find_engine
from vllm_kustomize.kustomize.replay.tree import SourceTree

Object = dict[str, Any]

KINDS = """
v1: ConfigMap Endpoints Event LimitRange Namespace Node PersistentVolume PersistentVolumeClaim Pod PodTemplate
    ReplicationController ResourceQuota Secret Service ServiceAccount ComponentStatus
apps/v1: ControllerRevision DaemonSet Deployment ReplicaSet StatefulSet
batch/v1: CronJob Job
autoscaling/v2: HorizontalPodAutoscaler
policy/v1: PodDisruptionBudget
policy/v1beta1: PodSecurityPolicy
networking.k8s.io/v1: Ingress IngressClass NetworkPolicy
rbac.authorization.k8s.io/v1: ClusterRole ClusterRoleBinding Role RoleBinding
storage.k8s.io/v1: CSIDriver CSINode StorageClass VolumeAttachment CSIStorageCapacity
scheduling.k8s.io/v1: PriorityClass
node.k8s.io/v1: RuntimeClass
coordination.k8s.io/v1: Lease
discovery.k8s.io/v1: EndpointSlice
certificates.k8s.io/v1: CertificateSigningRequest
apiregistration.k8s.io/v1: APIService
apiextensions.k8s.io/v1: CustomResourceDefinition
admissionregistration.k8s.io/v1: MutatingWebhookConfiguration ValidatingWebhookConfiguration
flowcontrol.apiserver.k8s.io/v1: FlowSchema PriorityLevelConfiguration
flowcontrol.apiserver.k8s.io/v1beta1: FlowSchema PriorityLevelConfiguration
rbac.authorization.k8s.io/v1beta1: ClusterRole
rbac.authorization.k8s.io/v1alpha1: ClusterRole
authentication.k8s.io/v1: TokenReview
authorization.k8s.io/v1: LocalSubjectAccessReview SelfSubjectAccessReview SelfSubjectRulesReview
    SubjectAccessReview
example.com/v1: Widget Namespaced ClusterThing
"""

TEMPLATES = {
    ("v1", "Pod"): "spec",
    ("v1", "PodTemplate"): "template.spec",
    ("v1", "ReplicationController"): "spec.template.spec",
    ("apps/v1", "Deployment"): "spec.template.spec",
    ("apps/v1", "StatefulSet"): "spec.template.spec",
    ("apps/v1", "DaemonSet"): "spec.template.spec",
    ("apps/v1", "ReplicaSet"): "spec.template.spec",
    ("batch/v1", "Job"): "spec.template.spec",
    ("batch/v1", "CronJob"): "spec.jobTemplate.spec.template.spec",
    ("example.com/v1", "Widget"): "spec.template.spec",
}

CONTAINER_LISTS: dict[str, tuple[Object, Object]] = {
    "env": ({"name": "a", "value": "1"}, {"name": "b", "value": "2"}),
    "envFrom": ({"prefix": "a"}, {"prefix": "b"}),
    "ports": ({"containerPort": 1, "protocol": "TCP"}, {"containerPort": 1, "protocol": "UDP"}),
    "volumeMounts": ({"mountPath": "/a", "name": "a"}, {"mountPath": "/b", "name": "a"}),
    "volumeDevices": ({"devicePath": "/a", "name": "a"}, {"devicePath": "/b", "name": "a"}),
}
POD_LISTS: dict[str, tuple[Object, Object]] = {
    "volumes": ({"name": "a"}, {"name": "b"}),
    "imagePullSecrets": ({"name": "a"}, {"name": "b"}),
    "hostAliases": ({"ip": "1.1.1.1"}, {"ip": "2.2.2.2"}),
    "tolerations": ({"key": "a"}, {"key": "b"}),
    "readinessGates": ({"conditionType": "a"}, {"conditionType": "b"}),
    "resourceClaims": ({"name": "a"}, {"name": "b"}),
    "schedulingGates": ({"name": "a"}, {"name": "b"}),
    "topologySpreadConstraints": (
        {"topologyKey": "a", "whenUnsatisfiable": "DoNotSchedule"},
        {"topologyKey": "a", "whenUnsatisfiable": "ScheduleAnyway"},
    ),
}
CONTAINERS = ("containers", "initContainers", "ephemeralContainers")
OTHER_LISTS: dict[tuple[str, str], dict[str, tuple[Object, Object]]] = {
    ("v1", "Service"): {"spec.ports": ({"port": 1, "protocol": "TCP"}, {"port": 1, "protocol": "UDP"})},
    ("v1", "ServiceAccount"): {
        "secrets": ({"name": "a"}, {"name": "b"}),
        "imagePullSecrets": ({"name": "a"}, {"name": "b"}),
    },
    ("v1", "Endpoints"): {"subsets": ({"ports": [{"port": 1}]}, {"ports": [{"port": 2}]})},
    ("networking.k8s.io/v1", "Ingress"): {"spec.rules": ({"host": "a"}, {"host": "b"})},
    ("rbac.authorization.k8s.io/v1", "ClusterRole"): {"rules": ({"verbs": ["a"]}, {"verbs": ["b"]})},
    ("admissionregistration.k8s.io/v1", "MutatingWebhookConfiguration"): {
        "webhooks": ({"name": "a"}, {"name": "b"})
    },
    ("admissionregistration.k8s.io/v1", "ValidatingWebhookConfiguration"): {
        "webhooks": ({"name": "a"}, {"name": "b"})
    },
    ("apiextensions.k8s.io/v1", "CustomResourceDefinition"): {
        "spec.versions": ({"name": "a"}, {"name": "b"})
    },
}


def thing(version: str, kind: str, name: str = "", **fields: Any) -> Object:
    return {"apiVersion": version, "kind": kind, "metadata": {"name": name or kind.lower()}, **fields}


def nested(path: str, value: object) -> Object:
    """The value under the keys of a dotted path."""
    for key in reversed(path.split(".")):
        value = {key: value}
    assert isinstance(value, dict)
    return value


def every_kind() -> list[Object]:
    rows = (line.partition(":")[::2] for line in KINDS.strip().replace("\n    ", " ").splitlines())
    return [thing(version.strip(), kind) for version, kinds in rows for kind in kinds.split()]


def scoped() -> tuple[list[Object], Object]:
    """Which kinds a namespace, a prefix and a suffix reach."""
    subjects = [{"kind": "ServiceAccount", "name": name} for name in ("default", "other")]
    for item in (objects := every_kind()):
        if item["kind"].endswith("RoleBinding"):
            item["subjects"] = subjects
        if item["kind"] == "APIService":
            item["spec"] = {"service": {"name": "other"}}
    return objects, {"namespace": "place", "namePrefix": "pre-", "nameSuffix": "-post"}


def merged() -> tuple[list[Object], Object]:
    """Which lists merge, by which keys: the patch changes the second item and adds a third."""

    def lists(of: dict[str, tuple[Object, Object]], change: bool) -> Object:
        def items(first: Object, second: Object) -> list[Object]:
            if not change:
                return [first, second]
            third = {key: f"{value}9" if isinstance(value, str) else 9 for key, value in first.items()}
            return [{**second, "mark": "changed"}, third]

        return {name: items(*pair) for name, pair in of.items()}

    def pod(change: bool) -> Object:
        container = lists(CONTAINER_LISTS, change)
        marked = {"mark": "changed"} if change else {}
        return {
            **{each: [{"name": "main", **container, **marked}] for each in CONTAINERS},
            **lists(POD_LISTS, change),
        }

    def metadata(change: bool) -> Object:
        owners = [{"uid": "b", "mark": 1}, {"uid": "c"}] if change else [{"uid": "a"}, {"uid": "b"}]
        return {"finalizers": ["b", "c"] if change else ["a", "b"], "ownerReferences": owners}

    def versions(change: bool) -> list[Object]:
        made = [thing(*kind, **nested(path, pod(change))) for kind, path in TEMPLATES.items()]
        for kind, of in OTHER_LISTS.items():
            fields: Object = {}
            for path, items in lists(of, change).items():
                fields |= nested(path, items)
            made.append(thing(*kind, **fields))
        for item in made:
            item["metadata"] |= metadata(change)
        return made

    return versions(False), {"patches": [{"patch": yaml.safe_dump(patch)} for patch in versions(True)]}


def labelled() -> list[Object]:
    """Objects with every field that labels may reach."""
    selector = {"matchLabels": {"app": "a"}}
    terms = {
        "requiredDuringSchedulingIgnoredDuringExecution": [
            {"topologyKey": "zone", "labelSelector": selector}
        ],
        "preferredDuringSchedulingIgnoredDuringExecution": [
            {"weight": 1, "podAffinityTerm": {"topologyKey": "zone", "labelSelector": selector}}
        ],
    }
    pod = {
        "affinity": {"podAffinity": terms, "podAntiAffinity": terms},
        "topologySpreadConstraints": [{"topologyKey": "zone", "labelSelector": selector}],
        "containers": [{"name": "main"}],
    }
    objects = [thing(*kind, **nested(path, pod)) for kind, path in TEMPLATES.items() if kind != ("v1", "Pod")]
    for item in objects:
        spec = item.get("spec", {})
        if item["kind"] == "StatefulSet":
            spec["volumeClaimTemplates"] = [{"metadata": {"name": "data"}}]
        if item["kind"] == "CronJob":
            spec["jobTemplate"]["spec"]["selector"] = selector
        elif item["kind"] == "Job":
            spec["selector"] = selector
    peer = [{"podSelector": selector}]
    return [
        *objects,
        thing("v1", "Pod", spec=pod),
        thing("v1", "Service", spec={"ports": []}),
        thing("policy/v1", "PodDisruptionBudget", spec={"selector": selector}),
        thing(
            "networking.k8s.io/v1",
            "NetworkPolicy",
            spec={"podSelector": selector, "ingress": [{"from": peer}], "egress": [{"to": peer}]},
        ),
        thing("v1", "ConfigMap", data={"key": "value"}),
    ]


def imaged() -> tuple[list[Object], Object]:
    """Where images and replicas are written."""
    pod = {
        **{
            each: [{"name": "main", "image": "web:1"}, {"name": "b", "image": "other"}] for each in CONTAINERS
        },
        "volumes": [{"name": "model", "image": {"reference": "web:1"}}],
    }
    objects = [thing(*kind, "same", **nested(path, pod)) for kind, path in TEMPLATES.items()]
    objects.append(thing("apiextensions.k8s.io/v1", "CustomResourceDefinition", "crd", spec=pod))
    objects.append(thing("example.com/v1", "ClusterThing", "deep", here=nested("is.a", pod)))
    return objects, {
        "images": [
            {"name": "web", "newName": "mirror/web", "newTag": "2"},
            {"name": "other", "digest": "sha256:0"},
        ],
        "replicas": [{"name": "same", "count": 7}],
    }


def replaced() -> tuple[list[Object], Object]:
    """Every way to name the source and the targets of a replacement."""
    source = thing("v1", "ConfigMap", "source", data={"one": "a-b-c", "dotted.key": "d", "list": ["x", "y"]})
    items = [{"name": "a", "value": "0"}, {"name": "b", "value": "0"}]
    spec = {"text": "1-2-3", "items": items, "plain": ["p", "q"]}
    target = thing("example.com/v1", "Widget", "target", spec=spec)
    other = {**target, "metadata": {"name": "other", "labels": {"app": "other"}, "namespace": "there"}}
    return [source, target, other], {"replacements": yaml.safe_load(REPLACEMENTS)}


REPLACEMENTS = """
- source: &source {kind: ConfigMap, name: source, fieldPath: data.one}
  targets:
    - select: {kind: Widget}
      fieldPaths: ["spec.items.[name=b].value", spec.plain.0]
- source: &middle {kind: ConfigMap, name: source, fieldPath: data.one, options: {delimiter: "-", index: 1}}
  targets:
    - select: {name: other}
      fieldPaths: ["spec.items.*.value"]
    - select: {group: example.com, version: v1, name: target}
      fieldPaths: [spec.text]
      options: {delimiter: "-", index: 2}
- source: {kind: ConfigMap, name: source, fieldPath: "data.[dotted.key]"}
  targets:
    - select: {namespace: there}
      fieldPaths: [spec.made.here]
      options: {create: true}
- source: {kind: ConfigMap, name: source, fieldPath: data.list.1}
  targets:
    - select: {kind: Widget}
      reject: [{name: other}]
      fieldPaths: ["spec.plain.[=q]"]
- source: *middle
  targets:
    - select: {kind: Widget}
      fieldPaths: [spec.text]
      options: {delimiter: "-", index: -1}
- source: *middle
  targets:
    - select: {kind: Widget}
      fieldPaths: [spec.text]
      options: {delimiter: "-", index: 9}
- source: {version: v1, kind: ConfigMap}
  targets:
    - select: {labelSelector: app=other}
      fieldPaths: ["metadata.annotations.[a.b/c]"]
      options: {create: true}
- sourceValue: fixed
  targets:
    - select: {annotationSelector: a.b/c=source}
      fieldPaths: [spec.last]
      options: {create: true}
"""


CASES: dict[str, Callable[[], tuple[list[Object], Object]]] = {
    "scoped": scoped,
    "merged": merged,
    "imaged": imaged,
    "replaced": replaced,
    "commonLabels": lambda: (labelled(), {"commonLabels": {"tier": "a"}}),
    "commonAnnotations": lambda: (labelled(), {"commonAnnotations": {"tier": "a"}}),
    "labels": lambda: (labelled(), {"labels": [{"pairs": {"tier": "a"}}]}),
    "selectors": lambda: (labelled(), {"labels": [{"pairs": {"tier": "a"}, "includeSelectors": True}]}),
    "templates": lambda: (labelled(), {"labels": [{"pairs": {"tier": "a"}, "includeTemplates": True}]}),
}  # fmt: skip


@pytest.mark.parametrize("case", CASES)
def test_the_replay_knows_what_the_engine_does(case: str, tmp_path: Path) -> None:
    objects, settings = CASES[case]()
    (tmp_path / "objects.yaml").write_text(yaml.safe_dump_all(objects))
    (tmp_path / "kustomization.yaml").write_text(yaml.safe_dump({"resources": ["objects.yaml"], **settings}))
    with Engine(find_engine(None)) as engine:
        built = engine.build(overlay_at(tmp_path))
    assert built.error == ""
    graph = SourceTree().graph(tmp_path)
    assert graph.incomplete == ()
    found = by_id(source.root.data() for source in graph.objects)
    expected = by_id(yaml.safe_load_all(built.output))
    assert found.keys() == expected.keys()
    for identity, item in expected.items():
        assert found[identity] == item, identity


def by_id(items: Iterable[Object]) -> dict[tuple[str, ...], Object]:
    return {(item["apiVersion"], item["kind"], item["metadata"]["name"]): item for item in items}
