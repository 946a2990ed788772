"""`${name}` stands in an object that Flux may substitute.

With any variable in a Flux Kustomization's postBuild, Flux replaces every `${name}` of the build, and those
that it has no value for by nothing: Grafana's data sources, shell scripts and templates come out broken. Only
a repository that has such a Flux Kustomization is judged.

Bad:   data: {start.sh: "exec serve --port ${PORT}"}
Good:  $${PORT}, $PORT, or the annotation kustomize.toolkit.fluxcd.io/substitute: disabled

Source: Flux, kustomize-controller, "Post build variable substitution"
"""

from __future__ import annotations

import re
from collections.abc import Iterator

from vllm_kustomize.kubernetes.fields import mapping, texts
from vllm_kustomize.kubernetes.pods import DEFINITION
from vllm_kustomize.model import Problem, Resource, Severity

SEVERITY = Severity.INFO
HELP = (
    "Without Flux, or without postBuild in your Flux Kustomization, nothing happens. With it write $${name}, "
    "or annotate the object with kustomize.toolkit.fluxcd.io/substitute: disabled."
)

_SWITCH = "kustomize.toolkit.fluxcd.io/substitute"
# A name, and perhaps an operator that Flux knows; `$$` escapes. Bounded, for text whose braces never end.
_VARIABLE = re.compile(r"(?<!\$)(?:\$\$)*\$\{([A-Za-z_][A-Za-z0-9_]*)(?:[:=,^#%/+?-][^}\n]{0,200})?\}")


def check(resource: Resource) -> Iterator[Problem]:
    """Yield the fields that hold a variable in braces; the values of a Secret are encoded."""
    if resource.kind == DEFINITION:
        return
    metadata = resource.metadata
    if any(mapping(metadata.get(field)).get(_SWITCH) == "disabled" for field in ("annotations", "labels")):
        return
    for path, text in texts(dict(resource.manifest), ()):
        names = dict.fromkeys(_VARIABLE.findall(text)) if "${" in text else {}
        if names:
            shown = ", ".join(f"${{{name}}}" for name in list(names)[:3])
            more = f" and {len(names) - 3} more" if len(names) > 3 else ""
            yield Problem(path, f"Flux's substitution would replace {shown}{more}")
