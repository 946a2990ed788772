"""Renew the data files of vLLM's releases: `make catalog VLLM="0.34.0 0.34.1"`.

Usage: python -m catalog VERSION...
"""

from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path
from typing import Any

from catalog import facts, merge, sources

PACKAGE = Path(__file__).parents[1] / "vllm_kustomize" / "vllm"
CATALOG = PACKAGE / "cli" / "catalog" / "catalog.json"
FACTS = PACKAGE / "data" / "facts.json"
BUILD = Path("build") / "vllm"


def main(versions: list[str]) -> None:
    """Read the releases and rewrite catalog.json and facts.json."""
    if not versions:
        raise SystemExit('say which releases: make catalog VLLM="0.34.0"')
    BUILD.mkdir(parents=True, exist_ok=True)
    unpacked = {version: sources.unpack(version, BUILD) for version in versions}
    entries = [options(source, version) for version, source in unpacked.items()]
    names = {version: facts.read(source) for version, source in unpacked.items()}
    CATALOG.write_text(merge.options(_json(CATALOG), entries), encoding="utf-8")
    FACTS.write_text(merge.facts(_json(FACTS), names), encoding="utf-8")


def options(source: Path, version: str) -> Any:
    """What the parser of one release takes, read by a process of its own."""
    print(f"reading vLLM {version}", file=sys.stderr, flush=True)
    sources.install_requirements(source)
    extract = (sys.executable, "-m", "catalog.extract", str(source), version)
    return json.loads(subprocess.run(extract, check=True, stdout=subprocess.PIPE).stdout)


def _json(file: Path) -> Any:
    return json.loads(file.read_text(encoding="utf-8")) if file.exists() else {}


if __name__ == "__main__":
    main(sys.argv[1:])
