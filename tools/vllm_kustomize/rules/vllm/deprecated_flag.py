"""An option of the server is deprecated in its vLLM release.

vLLM removes deprecated options after a few releases, and a server that still has one then stops at start.
Changing it now makes the next upgrade a change of the image's tag alone.

Bad:   --log-config-file=/etc/logging.json with vllm/vllm-openai:v0.33.0
Good:  --logging-config.pylogging_config_file=/etc/logging.json

Source: the parser of each release, as `vllm-kustomize flags --vllm-version X.Y.Z` prints it
"""

from __future__ import annotations

from collections.abc import Iterator

from vllm_kustomize.model import Outcome, Severity
from vllm_kustomize.vllm.cli.remarks import problems
from vllm_kustomize.vllm.server import Server

SEVERITY = Severity.WARNING
HELP = "See what replaced an option with `vllm-kustomize flags --diff OLD NEW`."


def check_server(server: Server) -> Iterator[Outcome]:
    """Yield deprecated options, `--model` behind `vllm serve` among them."""
    yield from problems(server, "deprecated", "model-option")
