"""A check of this tool failed on an object, an overlay or a file.

That is a fault of the tool. Everything else was checked; the run ends with exit code 2, because something
that was asked for was not. `--debug` prints the traceback, without the values of the object.

Bad:   a check that stops at a value which nobody thought of
Good:  a report of it, with what `--debug` prints, in the tool's issue tracker
"""

from __future__ import annotations

from vllm_kustomize.model import Severity

SEVERITY = Severity.ERROR
HELP = "Run again with --debug and report what it prints; it holds no value of the object."
