"""`upgrade` warns where one repository names several releases of vLLM.

Servers of different releases differ in options, defaults and metrics, and a cache of compiled graphs that
they share is of no use to one of them. It may be meant, while a release is tried out on one overlay; more
often one of the places was forgotten.

Bad:   image: vllm/vllm-openai:v0.33.0              (and tag: v0.31.0 in a Helm chart's values)
Good:  vllm-kustomize upgrade --vllm 0.33.0
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator, Sequence
from dataclasses import replace

from vllm_kustomize.model import Finding, Location, Severity
from vllm_kustomize.wording import join

SEVERITY = Severity.WARNING
HELP = "Let all of them name one release: `vllm-kustomize upgrade --vllm X.Y.Z`."


def findings(named: Sequence[tuple[str, Location]]) -> Iterator[Finding]:
    """Yield a finding at the first place that names another release than most places do.

    `named` are the releases with the places that name them.
    """
    counted = Counter(version for version, _ in named)
    if len(counted) < 2:
        return
    most = counted.most_common(1)[0][0]
    others = [(version, at) for version, at in named if version != most]
    releases = join([f"{version} ({count} x)" for version, count in counted.most_common()])
    related = tuple(replace(at, note=f"names {version}") for version, at in others[1:])
    yield Finding(
        "mixed-releases",
        SEVERITY,
        f"the repository names several releases of vLLM: {releases}",
        HELP,
        location=others[0][1],
        related=related,
    )
