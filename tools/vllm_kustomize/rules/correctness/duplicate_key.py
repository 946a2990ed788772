"""A mapping has the same key twice.

Most readers keep only the last one, in silence; the API server refuses the object when it validates strictly.

Bad:   {name: a, name: b}
Good:  {name: b}
"""

from __future__ import annotations

from vllm_kustomize.model import Severity

SEVERITY = Severity.ERROR
HELP = "Remove one of the two."
