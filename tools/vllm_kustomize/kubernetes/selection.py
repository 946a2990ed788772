"""Which pods a build comes to, as far as its objects say."""

from __future__ import annotations

from collections.abc import Iterator, Mapping

from vllm_kustomize.kubernetes.fields import mapping
from vllm_kustomize.kubernetes.once import once
from vllm_kustomize.kubernetes.pods import TEMPLATES, Pod, pods
from vllm_kustomize.model import Build, Resource

_WITHOUT_PODS = {
    "monitoring.coreos.com": {"PodMonitor", "ServiceMonitor", "PrometheusRule", "Probe", "ScrapeConfig"},
    "gateway.networking.k8s.io": {"HTTPRoute", "GRPCRoute", "TCPRoute", "TLSRoute", "ReferenceGrant"},
    "inference.networking.k8s.io": {"InferencePool"},
    "inference.networking.x-k8s.io": {"InferencePool", "InferenceModel", "InferenceObjective"},
    "external-secrets.io": {"ExternalSecret", "SecretStore", "ClusterSecretStore", "ClusterExternalSecret"},
    "cert-manager.io": {"Certificate", "Issuer", "ClusterIssuer"},
    "bitnami.com": {"SealedSecret"},
    "keda.sh": {"ScaledObject", "TriggerAuthentication", "ClusterTriggerAuthentication"},
    "networking.istio.io": {"VirtualService", "DestinationRule", "ServiceEntry", "Sidecar", "EnvoyFilter"},
    "security.istio.io": {"AuthorizationPolicy", "PeerAuthentication", "RequestAuthentication"},
    "route.openshift.io": {"Route"},
    "snapshot.storage.k8s.io": {"VolumeSnapshot", "VolumeSnapshotClass"},
}
"""Kinds of custom resources whose controllers make no pods of them; any other may."""


@once
def pods_in(build: Build) -> Mapping[str, list[Pod]]:
    """The pod templates of a build by namespace."""
    found: dict[str, list[Pod]] = {}
    for resource in build.resources:
        for pod in pods(resource):
            found.setdefault(resource.namespace, []).append(pod)
    return found


@once
def maker_of_more_pods(build: Build) -> Resource | None:
    """An object of which a controller may make pods that the build does not show, or None."""
    return next(filter(_may_make_pods, build.resources), None)


def _may_make_pods(resource: Resource) -> bool:
    group = resource.api_version.rpartition("/")[0]
    if resource.kind in TEMPLATES or "." not in group:
        return False
    if group in _WITHOUT_PODS:
        return resource.kind not in _WITHOUT_PODS[group]
    return not group.endswith(".k8s.io") or group.endswith(".x-k8s.io")


def selected(build: Build, service: Resource) -> Iterator[Pod]:
    """The pods of the build that a Service selects."""
    selector = mapping(mapping(service.manifest.get("spec")).get("selector"))
    for pod in pods_in(build).get(service.namespace, []) if selector else ():
        if all(pod.labels.get(key) == value for key, value in selector.items()):
            yield pod
