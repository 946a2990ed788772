"""Check what the run needs, then start it in a network and process namespace of its own."""

from __future__ import annotations

import os
import shutil
import signal
import subprocess
import sys

from e2e import cases
from e2e.image import NotInstalled, find_vllm

NEEDED = ("unshare", "nsenter", "setpriv", "mount", "curl")
"""From util-linux and curl."""


def main(names: list[str]) -> None:
    """Run `e2e.run` in new namespaces; exit with 2 and one line that says what is missing for it."""
    try:
        cases.find(names)
        find_vllm()
    except (NotInstalled, ValueError) as error:
        _refuse(str(error))
    missing = [name for name in NEEDED if shutil.which(name) is None]
    if missing:
        _refuse(f"this machine lacks {', '.join(missing)}: install util-linux and curl")
    if os.geteuid() != 0:
        _refuse("mounts and namespaces need root: run it with sudo")
    namespaces = ("--net", "--mount", "--pid", "--fork", "--kill-child", "--mount-proc")
    process = subprocess.Popen(
        ["unshare", *namespaces, sys.executable, "-m", "e2e.run", *names], start_new_session=True
    )
    for number in (signal.SIGINT, signal.SIGTERM):
        # unshare(1) ignores both; what it has started cleans up and ends.
        signal.signal(number, lambda *_: os.killpg(process.pid, signal.SIGTERM))
    raise SystemExit(process.wait())


def _refuse(reason: str) -> None:
    print(f"e2e: {reason}", file=sys.stderr)
    raise SystemExit(2)


if __name__ == "__main__":
    main(sys.argv[1:])
