"""Output formats, one a module: each has `render(report, style)`, which returns the whole text."""

from __future__ import annotations

import pkgutil
from collections.abc import Callable
from dataclasses import dataclass, replace
from importlib import import_module
from pathlib import Path

from vllm_kustomize.findings.sums import sum_up
from vllm_kustomize.model import Error, Finding, Report
from vllm_kustomize.wording import join

FORMATS = tuple(sorted(module.name for module in pkgutil.iter_modules(__path__)))
"""The modules beside this one; their names are what `--format` takes."""


@dataclass(frozen=True, slots=True)
class Style:
    """How to write for a person.

    A `verbosity` of -1 is quiet, 1 and more is talkative; `width` is the terminal's, in columns; `home` the
    address of this project's repository, or empty where nobody says it.
    """

    colour: bool = False
    verbosity: int = 0
    seconds: float | None = None
    width: int | None = None
    home: str = ""


@dataclass(frozen=True, slots=True)
class Output:
    """A format, and the file to write it to; None is standard output."""

    format: str
    file: Path | None = None

    def write(self, text: str) -> None:
        """Write the file; raises `Error` where that cannot be done."""
        assert self.file is not None
        try:
            self.file.write_text(text, encoding="utf-8", newline="")
        except OSError as error:
            raise Error(f"cannot write {self.file}: {error.strerror}") from None


def parse_outputs(formats: tuple[str, ...]) -> tuple[Output, ...]:
    """Read `text`, `sarif=out.sarif`; raises `Error` for an unknown format or two to standard output."""
    outputs = []
    for text in formats or ("text",):
        name, separator, file = text.partition("=")
        if name not in FORMATS:
            raise Error(f"no format '{name}': use one of {', '.join(FORMATS)}")
        if separator and not file:
            raise Error(f"--format {text} names no file; write it as --format {name}=FILE")
        outputs.append(Output(name, Path(file) if file else None))
    printed = [output.format for output in outputs if output.file is None]
    if len(printed) > 1:
        raise Error(f"{join(printed)} cannot both be printed; write --format {printed[-1]}=FILE")
    return tuple(outputs)


def render(name: str, report: Report, style: Style) -> str:
    """Write a report in one of the FORMATS; what a rule finds a hundred times in one object is summed up."""
    report = replace(report, findings=sum_up(report.findings))
    reporter: Callable[[Report, Style], str] = import_module(f"{__name__}.{name}").render
    return reporter(report, style)


def visible(text: str) -> str:
    r"""Text from manifests or the engine, with control characters as `\x1b`: a terminal would obey them."""
    if text.isprintable():
        return text
    return "".join(c if c == "\n" or c.isprintable() else c.encode("unicode_escape").decode() for c in text)


def one_line(text: str) -> str:
    """The same on one line."""
    return " ".join(visible(text).split("\n"))


def sentence(finding: Finding) -> str:
    """What is wrong and with which object, and in which overlays where several share it; one line."""
    subject = f"{finding.resource}: " if finding.resource else ""
    return one_line(f"{subject}{finding.message}{shared_by(finding)}")


def shared_by(finding: Finding) -> str:
    """` (in cpu, nvidia)` where several overlays share a finding, or one has it from a file that is not its
    own; else nothing.
    """
    if len(finding.overlays) < 2 and not _is_from_elsewhere(finding):
        return ""
    return f" (in {', '.join(finding.overlays)})"


def _is_from_elsewhere(finding: Finding) -> bool:
    file = finding.location.file if finding.location else ""
    return any(overlay != "." and file and not file.startswith(f"{overlay}/") for overlay in finding.overlays)
