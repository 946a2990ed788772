"""An overlay or file could not be read and checked within bounds of time and memory.

What takes more than any real overlay does is left unchecked rather than waited for, and so is what cannot be
read at all. Everything else was checked; the run ends with exit code 2, because something that was asked for
was not.

Bad:   a kustomization that renders a gigabyte
Good:  one whose checks take less than 30 s of processor time and 1 GiB of memory
"""

from __future__ import annotations

from vllm_kustomize.model import Severity

SEVERITY = Severity.ERROR
HELP = "Mend what the message names, or split what is too large."
