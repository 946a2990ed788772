"""A Service injects a variable that vLLM reads as its own.

For every Service of a namespace that has a cluster IP, Kubernetes sets variables such as
NAME_PORT=tcp://10.0.0.1:80 in its pods. A Service called `vllm` sets VLLM_PORT, at which vLLM stops with
"appears to be a URI". Other names that begin with `vllm-` set variables that vLLM reports as unknown and goes
on, unless --fail-on-environ-validation is given.

Bad:   a Service called vllm, and pods without enableServiceLinks: false
Good:  enableServiceLinks: false

Source: get_vllm_port in vllm/envs.py, and "please do not name the service as vllm" in vLLM's documentation
"""

from __future__ import annotations

from collections.abc import Iterator

from vllm_kustomize.kubernetes.fields import mapping
from vllm_kustomize.kubernetes.lookup import of_kind
from vllm_kustomize.model import Problem, Related, Severity
from vllm_kustomize.vllm.server import Server

SEVERITY = Severity.ERROR
HELP = "Set enableServiceLinks: false in the pod's spec; nothing in vLLM needs these variables."


def check_server(server: Server) -> Iterator[Problem]:
    """Yield servers with service links beside a Service whose variables stop vLLM."""
    if server.pod.spec.get("enableServiceLinks") is False:
        return
    strict = server.switched_on("fail_on_environ_validation")
    for service in of_kind(server.build, "Service"):
        spec = mapping(service.manifest.get("spec"))
        if (
            service.api_version != "v1"
            or service.namespace != server.resource.namespace
            or spec.get("clusterIP") == "None"
            or spec.get("type") == "ExternalName"
        ):
            continue
        variable = f"{service.name.upper().replace('-', '_')}_PORT"
        if variable == "VLLM_PORT" and variable not in server.env:
            what = "which vLLM reads as its own"
        elif strict and variable.startswith("VLLM_"):
            what = "at which --fail-on-environ-validation stops"
        else:
            continue
        yield Problem(
            (*server.pod.spec_path, "enableServiceLinks"),
            f"the Service '{service.name}' sets {variable} in this pod, {what}",
            related=(Related(("metadata", "name"), "the Service is named here", service),),
        )
