"""An option of the server does not exist in its vLLM release.

vLLM stops at once on an option that it does not know, and options come and go with its releases: an upgrade
of the image, or a typo, ends in a crash loop. Underscores, unambiguous abbreviations and the negated forms
that the release accepts are accepted here too.

Bad:   args: [model, --swap-space=4] with vllm/vllm-openai:v0.33.0
Good:  args: [model, --kv-offloading-size=4]

Source: the parser of each release, as `vllm-kustomize flags --vllm-version X.Y.Z` prints it
"""

from __future__ import annotations

from collections.abc import Iterator

from vllm_kustomize.model import Outcome, Severity
from vllm_kustomize.vllm.cli.remarks import problems
from vllm_kustomize.vllm.server import Server

SEVERITY = Severity.ERROR
HELP = "List the options of a release with `vllm-kustomize flags --vllm-version X.Y.Z`."


def check_server(server: Server) -> Iterator[Outcome]:
    """Yield options that the release does not have, and abbreviations of several."""
    yield from problems(server, "unknown", "ambiguous")
