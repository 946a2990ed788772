"""Faults of the tool itself: told in one line without any value, and traced for those who ask."""

from __future__ import annotations

import logging
from pathlib import Path

from vllm_kustomize.version import __version__

_LOG = logging.getLogger(__name__)
_PACKAGE = Path(__file__).parent


def describe(fault: BaseException) -> str:
    """What failed and where in the tool.

    Neither the line nor the traceback, which is logged for `--debug`, has the exception's own text: that may
    quote a value.
    """
    import traceback

    frames = traceback.extract_tb(fault.__traceback__)
    own = [frame for frame in frames if Path(frame.filename).is_relative_to(_PACKAGE)]
    where = f"{Path(own[-1].filename).relative_to(_PACKAGE).as_posix()}:{own[-1].lineno}" if own else "start"
    text = f"{type(fault).__name__} at {where} of vllm-kustomize {__version__}"
    _LOG.debug("%s\n%s", text, "".join(traceback.format_list(frames)).rstrip())
    return text
