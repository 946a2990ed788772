"""A pod names its user or group, and OpenShift's default constraints refuse it.

Beside a Route the objects are meant for OpenShift. There restricted-v2 gives every namespace a range of
numbers, of 1000000000 and more, and admits no other; the Deployment is accepted, and its pods are never made.
Another constraint has to be granted to the pod's service account.

Bad:   a Route, and runAsUser: 2000 or fsGroup: 0
Good:  a Route, and neither runAsUser nor fsGroup; the cluster fills them in

Source: https://docs.redhat.com/en/documentation/openshift_container_platform, security context constraints
"""

from __future__ import annotations

from collections.abc import Iterator

from vllm_kustomize.kubernetes.fields import get, text
from vllm_kustomize.kubernetes.lookup import of_kind
from vllm_kustomize.kubernetes.pods import Pod, pods
from vllm_kustomize.model import Build, FieldPath, Problem, Related, Severity

SEVERITY = Severity.WARNING
HELP = "Leave user and groups to the cluster, or bind the service account to another constraint."

_FIRST = 1_000_000_000
"""Where the ranges start that OpenShift gives to namespaces."""

_CONSTRAINT = "system:openshift:scc:"
"""How the ClusterRoles begin that allow the use of a constraint."""


def check_build(build: Build) -> Iterator[Problem]:
    """Yield users and groups of pods beside a Route, unless the build grants another constraint."""
    routes = [
        route for route in of_kind(build, "Route") if route.api_version.startswith("route.openshift.io/")
    ]
    if not routes or _grants_another(build):
        return
    meant = Related(("kind",), "the Route is for OpenShift", routes[0])
    for resource in build.resources:
        for pod in pods(resource):
            for path, number in _numbers(pod):
                message = f"{path[-1]} is {number}, which OpenShift's restricted-v2 refuses"
                yield Problem(path, message, resource=resource, related=(meant,))


def _numbers(pod: Pod) -> Iterator[tuple[FieldPath, int]]:
    places = [(pod.spec_path, "runAsUser"), (pod.spec_path, "fsGroup")]
    places += [(container.path, "runAsUser") for container in pod.all_containers]
    for place, field in places:
        path: FieldPath = (*place, "securityContext", field)
        number = get(pod.resource.manifest, path)
        if isinstance(number, int) and number < _FIRST:
            yield path, number


def _grants_another(build: Build) -> bool:
    roles = of_kind(build, "RoleBinding", "ClusterRoleBinding")
    return any(of_kind(build, "SecurityContextConstraints")) or any(
        text(get(binding.manifest, ("roleRef", "name"))).startswith(_CONSTRAINT) for binding in roles
    )
