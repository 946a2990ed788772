"""A role binding gives its rights to a ServiceAccount that is not its own build's.

`namespace:` moves a ServiceAccount, but a subject that names a third namespace stays as it is: the binding
then speaks of an account that does not exist, and the pods get "forbidden".

Bad:   subjects: [{kind: ServiceAccount, name: router, namespace: default}], the account is in team-a
Good:  subjects: [{kind: ServiceAccount, name: router}], which means the binding's own namespace
"""

from __future__ import annotations

from collections.abc import Iterator

from vllm_kustomize.kubernetes.fields import items, text
from vllm_kustomize.model import Build, Problem, Related, Severity

SEVERITY = Severity.WARNING
HELP = "Leave the subject's namespace out, or name the one that the ServiceAccount is in."


def check_build(build: Build) -> Iterator[Problem]:
    """Yield subjects whose ServiceAccount the build has in another namespace only."""
    accounts = [resource for resource in build.resources if resource.kind == "ServiceAccount"]
    for binding in build.resources:
        if binding.kind not in ("RoleBinding", "ClusterRoleBinding"):
            continue
        for path, subject in items(binding.manifest.get("subjects"), ("subjects",)):
            namespace = text(subject.get("namespace"))
            named = [account for account in accounts if account.name == subject.get("name")]
            if subject.get("kind") != "ServiceAccount" or not namespace or not named:
                continue
            if all(account.namespace not in ("", namespace) for account in named):
                where = Related(
                    ("metadata", "namespace"), "the ServiceAccount of this build is here", named[0]
                )
                message = (
                    f"the subject is '{named[0].name}' in '{namespace}', "
                    f"but this build's ServiceAccount is in '{named[0].namespace}'"
                )
                yield Problem((*path, "namespace"), message, resource=binding, related=(where,))
