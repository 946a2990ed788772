"""A file of findings that were there when the tool was adopted: they are counted, and only new ones fail."""

from __future__ import annotations

import json
from collections.abc import Iterable, Iterator, Mapping
from pathlib import Path

from vllm_kustomize.findings.fingerprint import fingerprints
from vllm_kustomize.kustomize.discover import display_path
from vllm_kustomize.kustomize.yaml.reader import parse_json, read_bytes
from vllm_kustomize.model import Error, Finding

VERSION = 1


def read(file: Path) -> Mapping[str, tuple[str, str]]:
    """The entries of a baseline: rule and file by fingerprint; raises `Error` where it cannot be read."""
    try:
        content = parse_json(read_bytes(file))
        if content["version"] != VERSION:
            raise ValueError(f"its version is {content['version']}, not {VERSION}")
        return {
            str(entry["fingerprint"]): (str(entry.get("rule", "")), str(entry.get("file", "")))
            for entry in content["findings"]
        }
    except OSError as error:
        hint = "; --write-baseline writes it" if isinstance(error, FileNotFoundError) else ""
        raise Error(f"cannot read the baseline {display_path(file)}: {error.strerror}{hint}") from None
    except (ValueError, KeyError, TypeError, AttributeError) as error:
        raise Error(f"{display_path(file)} is not a baseline: {error}") from None


def identified(findings: list[Finding]) -> Iterator[tuple[Finding, str]]:
    """Each finding with its fingerprint, by which a baseline knows it."""
    yield from zip(findings, fingerprints(findings), strict=True)


def write(file: Path, findings: Iterable[Finding]) -> None:
    """Write a baseline; raises `Error` where that cannot be done.

    Beside the fingerprint stands what a reviewer wants to read; no line, so that moved lines change nothing.
    """
    listed = list(findings)
    entries = sorted(
        (
            {
                "fingerprint": fingerprint,
                "rule": finding.rule,
                "file": finding.location.file if finding.location else "",
                "object": str(finding.resource) if finding.resource else "",
            }
            for finding, fingerprint in zip(listed, fingerprints(listed), strict=True)
        ),
        key=lambda entry: (entry["file"], entry["rule"], entry["fingerprint"]),
    )
    text = json.dumps({"version": VERSION, "findings": entries}, indent=2) + "\n"
    try:
        file.write_text(text, encoding="utf-8")
    except OSError as error:
        raise Error(f"cannot write the baseline {display_path(file)}: {error.strerror}") from None
