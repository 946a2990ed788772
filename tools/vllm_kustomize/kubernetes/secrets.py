"""Names that say that a value is secret."""

from __future__ import annotations

import re

_SECRET_NAME = re.compile(r"(?:^|[_.\-])(?:token|key|password|passwd|secret|credentials?)$", re.IGNORECASE)


def names_secret(name: str) -> bool:
    """Whether a variable or field of that name holds a token, key or password."""
    return bool(_SECRET_NAME.search(name))
