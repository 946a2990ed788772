"""Roles, ClusterRoles and their bindings.

Rules of pkg/apis/rbac/validation, after the defaults of pkg/apis/rbac/v1/defaults.go. Names are free text as
long as they can be one step of a URL's path.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any

from vllm_kustomize.apiserver.framework.combinators import Family, Fault, Rule, Scope, Struct, always
from vllm_kustomize.apiserver.framework.metadata import object_meta
from vllm_kustomize.apiserver.framework.selectors import SELECTOR
from vllm_kustomize.kubernetes import names
from vllm_kustomize.kubernetes.fields import sequence, text
from vllm_kustomize.wording import quote

api = Family("rbac")
API_VERSION = "rbac.authorization.k8s.io/v1"
RBAC_GROUP = "rbac.authorization.k8s.io"


def policy_rule(namespaced: bool) -> Rule:
    """A rule: verbs, and either resources of API groups or URLs."""

    def rule(value: Any, scope: Scope) -> Iterator[Fault]:
        if not sequence(value, "verbs"):
            yield Fault(("verbs",), "needs at least one verb")
        if sequence(value, "nonResourceURLs"):
            if namespaced:
                yield Fault(("nonResourceURLs",), "a Role cannot grant URLs; a ClusterRole can")
            if (
                sequence(value, "apiGroups")
                or sequence(value, "resources")
                or sequence(value, "resourceNames")
            ):
                yield Fault(("nonResourceURLs",), "resources and URLs need rules of their own")
            return
        if not sequence(value, "apiGroups"):
            yield Fault(("apiGroups",), "needs at least one API group (the core one is '')")
        if not sequence(value, "resources"):
            yield Fault(("resources",), "needs at least one resource")

    return rule


def role_reference(kinds: tuple[str, ...]) -> Rule:
    """A rule: the binding names a role."""

    def rule(value: Any, scope: Scope) -> Iterator[Fault]:
        group = text(value, "apiGroup", default=RBAC_GROUP)
        if group != RBAC_GROUP:
            yield Fault(("apiGroup",), f"{quote(group)} is not supported; use {RBAC_GROUP}")
        kind, name = value.get("kind") or "", value.get("name") or ""
        if isinstance(kind, str) and kind not in kinds:
            yield Fault(("kind",), f"{quote(kind)} is not supported; use {' or '.join(kinds)}")
        if not name:
            yield Fault(("name",), "is required")
        elif isinstance(name, str) and (message := names.path_segment(name)):
            yield Fault(("name",), message)

    return rule


SUBJECT_GROUPS = {"ServiceAccount": "", "User": RBAC_GROUP, "Group": RBAC_GROUP}


def subject(namespaced: bool) -> Rule:
    """A rule: a subject is a user, a group or a service account."""

    def rule(value: Any, scope: Scope) -> Iterator[Fault]:
        kind, name = value.get("kind") or "", value.get("name") or ""
        if not isinstance(kind, str):
            return
        if not name:
            yield Fault(("name",), "is required")
        if kind not in SUBJECT_GROUPS:
            yield Fault(("kind",), f"{quote(kind)} is not supported; use {', '.join(SUBJECT_GROUPS)}")
            return
        expected = SUBJECT_GROUPS[kind]
        group = text(value, "apiGroup", default=expected)
        if group != expected:
            yield Fault(("apiGroup",), f'{quote(group)} is not supported for a {kind}; use "{expected}"')
        if kind != "ServiceAccount":
            return
        if isinstance(name, str) and name and (message := names.dns_subdomain(name)):
            yield Fault(("name",), message)
        if not namespaced and not value.get("namespace"):
            yield Fault(("namespace",), "is required for a ServiceAccount in a ClusterRoleBinding")

    return rule


def aggregation(value: Any, scope: Scope) -> Iterator[Fault]:
    """An aggregated role selects other roles."""
    found = value.get("aggregationRule")
    if not isinstance(found, dict):
        return
    if not sequence(found, "clusterRoleSelectors"):
        yield Fault(("aggregationRule", "clusterRoleSelectors"), "needs at least one selector")


def _meta(*, namespaced: bool) -> Any:
    return always(object_meta(names.path_segment, namespaced=namespaced, counted=False))


def _role(*, namespaced: bool) -> Struct:
    fields: dict[str, Any] = {
        "metadata": _meta(namespaced=namespaced),
        "rules": api.items(api.struct({}, policy_rule(namespaced))),
    }
    if namespaced:
        return api.struct(fields)
    fields["aggregationRule"] = api.struct({"clusterRoleSelectors": api.items(SELECTOR)})
    return api.struct(fields, aggregation)


def _binding(*, namespaced: bool) -> Struct:
    kinds = ("Role", "ClusterRole") if namespaced else ("ClusterRole",)
    return api.struct(
        {
            "metadata": _meta(namespaced=namespaced),
            "roleRef": always(api.struct({}, role_reference(kinds))),
            "subjects": api.items(api.struct({}, subject(namespaced))),
        },
    )


KINDS: Mapping[str, Struct] = {
    "Role": _role(namespaced=True),
    "ClusterRole": _role(namespaced=False),
    "RoleBinding": _binding(namespaced=True),
    "ClusterRoleBinding": _binding(namespaced=False),
}
