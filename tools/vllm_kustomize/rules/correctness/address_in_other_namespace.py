"""An address names a Service in another namespace than the build puts it in.

`namespace:` moves Services, but not the addresses that are written out in arguments, variables and custom
resources: they go on asking the old namespace, and find nothing or somebody else's server.

Bad:   value: http://vllm-server.default.svc/v1, and namespace: team-a
Good:  value: http://vllm-server/v1, which is the Service of the pod's own namespace
"""

from __future__ import annotations

import re
from collections.abc import Iterator

from vllm_kustomize.kubernetes.fields import texts
from vllm_kustomize.kubernetes.pods import DEFINITION
from vllm_kustomize.model import Build, Problem, Related, Resource, Severity

SEVERITY = Severity.WARNING
HELP = "Use the Service's name alone within one namespace, or correct the namespace in the address."

_ADDRESS = re.compile(r"(?<![\w.-])([a-z0-9-]+)\.([a-z0-9-]+)\.svc(?![\w-])")


def check_build(build: Build) -> Iterator[Problem]:
    """Yield addresses of this build's Services in namespaces that the build does not put them in."""
    services: dict[str, list[Resource]] = {}
    for resource in build.resources:
        if resource.kind == "Service" and resource.namespace:
            services.setdefault(resource.name, []).append(resource)
    for resource in build.resources if services else ():
        if resource.kind == DEFINITION:
            continue
        told: set[tuple[str, str]] = set()
        for path, text in texts(dict(resource.manifest), ()):
            for name, namespace in _ADDRESS.findall(text) if ".svc" in text else ():
                found = [] if (name, namespace) in told else services.get(name, [])
                if found and all(service.namespace != namespace for service in found):
                    told.add((name, namespace))
                    where = Related(("metadata", "namespace"), "the Service of this build is here", found[0])
                    message = (
                        f"the address is of '{name}' in '{namespace}', "
                        f"but this build's Service is in '{found[0].namespace}'"
                    )
                    yield Problem(path, message, resource=resource, related=(where,))
