"""Pods against the Pod Security Standards, as kube-apiserver's admission plugin PodSecurity judges them.

The controls and the releases in which they changed are those of k8s.io/pod-security-admission/policy 0.25 to
0.37. `check` is the whole of it: a manifest, a level and the Kubernetes version of the cluster.
"""

from __future__ import annotations

from collections.abc import Iterator

from vllm_kustomize.apiserver.podsecurity.baseline import BASELINE
from vllm_kustomize.apiserver.podsecurity.pod import Control, Pod
from vllm_kustomize.apiserver.podsecurity.restricted import RESTRICTED
from vllm_kustomize.apiserver.podsecurity.standard import Level, Standard, policy
from vllm_kustomize.kubernetes.fields import is_set, mapping
from vllm_kustomize.model import FieldPath, KubernetesVersion, Manifest, Problem

__all__ = ["Level", "Standard", "check", "policy"]

TEMPLATES: dict[tuple[str, str], FieldPath] = {
    ("v1", "Pod"): (),
    ("v1", "PodTemplate"): ("template",),
    ("v1", "ReplicationController"): ("spec", "template"),
    ("apps/v1", "Deployment"): ("spec", "template"),
    ("apps/v1", "StatefulSet"): ("spec", "template"),
    ("apps/v1", "DaemonSet"): ("spec", "template"),
    ("apps/v1", "ReplicaSet"): ("spec", "template"),
    ("batch/v1", "Job"): ("spec", "template"),
    ("batch/v1", "CronJob"): ("spec", "jobTemplate", "spec", "template"),
}
"""The kinds that the plugin looks at, and where their pods stand (admission.go, DefaultPodSpecExtractor)."""


def check(manifest: Manifest, standard: Standard, kubernetes: KubernetesVersion) -> Iterator[Problem]:
    """Yield what makes the pods of one object break a standard, on a cluster of a Kubernetes version.

    A problem stands at the field that breaks it or, where a field is missing, at the container that needs it.
    Objects without pods, and custom resources, have no problems.
    """
    template_path = TEMPLATES.get((str(manifest.get("apiVersion")), str(manifest.get("kind"))))
    if template_path is None:
        return
    template = manifest
    for step in template_path:
        template = mapping(template, str(step))
    if not is_set(template, "spec"):
        return
    pod = Pod(template, standard.version_on(kubernetes), kubernetes)
    for control in _controls(standard.level, pod.version):
        for violation in control(pod):
            yield Problem((*template_path, *violation.path), violation.message)


def _controls(level: Level, version: KubernetesVersion) -> Iterator[Control]:
    """The controls of a level; restricted is all of baseline, less what it has a stricter control for."""
    if level is Level.PRIVILEGED:
        return
    restricted = [control for control in RESTRICTED if control.since <= version]
    if level is Level.BASELINE:
        restricted = []
    replaced = {name for control in restricted for name in control.replaces}
    yield from (control for control in BASELINE if control.since <= version and control.name not in replaced)
    yield from restricted
