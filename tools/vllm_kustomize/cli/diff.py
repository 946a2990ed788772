"""`vllm-kustomize diff`."""

from __future__ import annotations

import html
import re
from collections import Counter
from collections.abc import Iterator
from typing import TYPE_CHECKING, Any

import click

from vllm_kustomize.cli.options import COULD_NOT_RUN, ENGINE, FAIL_ON, FINDINGS, OK, PATHS, as_json
from vllm_kustomize.cli.terminal import BOLD, CYAN, GREEN, RED, disarmed, has_colour, paint, progress
from vllm_kustomize.model import Error, Severity
from vllm_kustomize.wording import count

if TYPE_CHECKING:
    from vllm_kustomize.verbs.diff import Comparison, ObjectDiff

CHANGES = ("changed", "added", "removed")
_COLOURS = {"+": GREEN, "-": RED, "@": CYAN}


@click.command("diff")
@PATHS
@click.option("--base", default="", metavar="REF", help="The git revision to compare with. Default: HEAD.")
@click.option(
    "--server",
    is_flag=True,
    help="Compare with the cluster of the current kubeconfig context instead, by `kubectl diff`.",
)
@click.option(
    "--format", "format_", type=click.Choice(["text", "markdown", "json"]), default="text", show_default=True
)
@FAIL_ON
@ENGINE
def command(
    paths: tuple[str, ...], base: str, server: bool, format_: str, fail_on: str | None, engine: str | None
) -> int:
    """Compare what overlays render with what they rendered before, and judge the change.

    Both sides are built, the one at REF from git without a touch to the work tree. Objects are matched
    through the hashes in generated names. The judgement says what the API server refuses to change, which
    pods with GPUs restart, and what is deleted where pruning is on.

    Exit code: 0 nothing found, 1 findings, 2 it could not run or something was not compared.

    \b
    vllm-kustomize diff                                      what is not committed yet
    vllm-kustomize diff --base origin/main --format markdown for a pull request
    vllm-kustomize diff overlays/nvidia --server             what an apply would change
    """
    from dataclasses import replace

    from vllm_kustomize.settings.file import load_settings
    from vllm_kustomize.verbs import diff, live

    found = load_settings(paths)
    settings = replace(found, engine=engine, fail_on=Severity[fail_on.upper()] if fail_on else found.fail_on)
    if server and base:
        raise Error("--server compares with the cluster and --base with a revision: leave one of them out")
    with progress("Comparing") as advance:
        if server:
            compared = live.compare(paths, settings, advance)
        else:
            compared = diff.compare(paths, base or "HEAD", settings, advance)
    if format_ == "json":
        click.echo(as_json(_as_json(compared)))
    elif format_ == "markdown":
        click.echo("\n".join(_markdown(compared)))
    else:
        click.echo(disarmed("".join(f"{line}\n" for line in _text(compared))), nl=False)
    if compared.uncompared:
        return COULD_NOT_RUN
    return FINDINGS if any(each.severity >= settings.fail_on for each in compared.findings) else OK


def _text(compared: Comparison) -> Iterator[str]:
    from vllm_kustomize.reporters import Style, visible
    from vllm_kustomize.reporters.text import block

    for each in compared.objects:
        yield paint(visible(_title(each)), BOLD)
        for line in each.lines:
            yield paint(visible(line), _COLOURS.get(line[:1], ""))
        yield ""
    for finding in compared.findings:
        yield from block(finding, Style(has_colour()))
        yield ""
    for skipped in compared.uncompared:
        yield f"not compared {visible(skipped.what)}: {visible(skipped.reason)}"
    yield _summary(compared)


def _title(each: ObjectDiff) -> str:
    change = "" if each.change == "changed" else f" is {each.change}"
    return f"{each.name}{change} ({', '.join(each.overlays)})"


def _summary(compared: Comparison) -> str:
    if not compared.objects and not compared.uncompared:
        return f"{count(compared.known, 'overlay')} compared with {compared.base}: nothing differs"
    counted = Counter(each.change for each in compared.objects)
    changes = ", ".join(
        f"{count(counted[change], 'object')} {change}" for change in CHANGES if counted[change]
    )
    severities = Counter(finding.severity for finding in compared.findings)
    differ = "differs from" if len(compared.overlays) == 1 else "differ from"
    parts = [
        f"{len(compared.overlays)} of {count(compared.known, 'overlay')} {differ} {compared.base}",
        *([changes] if changes else []),
        count(severities[Severity.ERROR], "error"),
        count(severities[Severity.WARNING], "warning"),
        count(severities[Severity.INFO], "info"),
        *(
            [f"{len({each.what for each in compared.uncompared})} not compared"]
            if compared.uncompared
            else []
        ),
    ]
    return ", ".join(parts)


def _markdown(compared: Comparison) -> Iterator[str]:
    """For a comment on a pull request: the summary, the judgement, and the diffs folded up."""
    from vllm_kustomize.reporters import sentence
    from vllm_kustomize.reporters.text import place

    yield f"**{_summary(compared)}**"
    if compared.overlays:
        yield ""
        yield from (f"- `{overlay}`" for overlay in compared.overlays)
    if compared.findings:
        yield "\n| | rule | what | where |\n|---|---|---|---|"
    for finding in compared.findings:
        where = place(finding.location) if finding.location else ""
        yield f"| {finding.severity} | `{finding.rule}` | {_cell(sentence(finding))} | `{where}` |"
    for skipped in compared.uncompared:
        yield f"\nNot compared: `{skipped.what}`: {_cell(skipped.reason)}"
    for each in compared.objects:
        text = "\n".join(each.lines)
        fence = "`" * max(3, *(len(run) + 1 for run in re.findall("`+", text)), 3)
        summary = f"<summary><code>{html.escape(_title(each))}</code></summary>"
        yield f"\n<details>{summary}\n\n{fence}diff\n{text}\n{fence}\n\n</details>"


def _cell(text: str) -> str:
    """A text that stays in its cell of a table, and means no markup."""
    return html.escape(" ".join(text.split()), quote=False).replace("|", "\\|")


def _as_json(compared: Comparison) -> dict[str, Any]:
    from vllm_kustomize.reporters.json import finding_as_json

    return {
        "version": 1,
        "base": compared.base,
        "known": compared.known,
        "overlays": list(compared.overlays),
        "objects": [
            {
                "name": each.name,
                "change": each.change,
                "overlays": list(each.overlays),
                "diff": "\n".join(each.lines),
            }
            for each in compared.objects
        ],
        "findings": [finding_as_json(finding) for finding in compared.findings],
        "uncompared": [{"what": each.what, "reason": each.reason} for each in compared.uncompared],
    }
