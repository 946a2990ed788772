"""`vllm-kustomize validate`."""

from __future__ import annotations

import os
import shutil
import sys
import time
from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING

import click

from vllm_kustomize.cli import listed
from vllm_kustomize.cli.listed import Listed
from vllm_kustomize.cli.options import COULD_NOT_RUN, ENGINE, FAIL_ON, FINDINGS, OK, PATHS, show_error
from vllm_kustomize.cli.terminal import disarmed, has_colour, progress
from vllm_kustomize.model import Error, Report, Severity

if TYPE_CHECKING:
    from vllm_kustomize.reporters import Output
    from vllm_kustomize.settings import Settings


@click.command("validate")
@PATHS
@click.option(
    "-k",
    "--kubernetes-version",
    "versions",
    cls=Listed,
    values=listed.kubernetes_versions,
    shown=listed.from_to(listed.kubernetes_versions),
    multiple=True,
    metavar="X.Y",
    help="Check against this Kubernetes, {}; may be given several times. Default: the newest.",
)
@click.option(
    "--format",
    "formats",
    cls=Listed,
    values=listed.formats,
    multiple=True,
    metavar="NAME[=FILE]",
    help="{}; may be given several times. Default: text.",
)
@click.option("--concise", is_flag=True, help="One line per finding, the same as --format concise.")
@click.option(
    "--select",
    cls=Listed,
    values=listed.rules_and_groups,
    shown=listed.default_groups,
    multiple=True,
    metavar="RULE",
    help="Only these rules or groups; patterns such as 'api-*' and commas work. Default: {}.",
)
@click.option(
    "--ignore",
    cls=Listed,
    values=listed.rules_and_groups,
    multiple=True,
    metavar="RULE",
    help="All but these rules or groups.",
)
@FAIL_ON
@ENGINE
@click.option(
    "-j", "--jobs", type=click.IntRange(min=1), metavar="N", help="Builds at a time. Default: one a core."
)
@click.option(
    "--schema-location",
    "schema_locations",
    multiple=True,
    metavar="DIR",
    help="A file or folder of CRDs, or a folder of JSON schemas; may be given several times.",
)
@click.option(
    "--config",
    type=click.Path(path_type=Path),
    metavar="FILE",
    help="A settings file. Default: the closest from PATH up to the repository's root.",
)
@click.option("--isolated", is_flag=True, help="Read no settings file.")
@click.option(
    "--offline", is_flag=True, help="Refuse what Kustomize would fetch: remote bases and resources."
)
@click.option("--no-cache", is_flag=True, help="Build everything anew and remember nothing.")
@click.option("--watch", is_flag=True, help="Validate again whenever a file changes, until Ctrl-C.")
@click.option(
    "--vllm-version",
    cls=Listed,
    values=listed.vllm_versions,
    default="",
    metavar="X.Y.Z",
    help="The vLLM release to assume. Default: the image's tag.",
)
@click.option(
    "--server",
    is_flag=True,
    help="Also ask the API server of the current kubeconfig context, by a dry run that changes nothing.",
)
@click.option("--context", default="", metavar="NAME", help="With --server: ask this context instead.")
@click.option(
    "--namespace",
    default="",
    metavar="NAME",
    help="With --server: the namespace of objects that name none. Default: the context's.",
)
@click.option(
    "--existing",
    default="",
    metavar="OLD",
    help="Judge objects as updates of those in OLD: rendered YAML, a folder, or REVISION:PATH of git.",
)
@click.option(
    "--pod-security",
    cls=Listed,
    values=listed.pod_security_levels,
    default="",
    metavar="LEVEL[:VERSION]",
    help="Judge pods by this level of the Pod Security Standards: {}. With a version: restricted:v1.31.",
)
@click.option("--changed", is_flag=True, help="PATHs are changed files: validate the overlays that use them.")
@click.option(
    "--baseline", type=click.Path(path_type=Path), metavar="FILE", help="Known findings, which do not fail."
)
@click.option("--write-baseline", is_flag=True, help="Write what is found now to the baseline, and succeed.")
@click.option("--enable-helm", is_flag=True, help="Let builds inflate Helm charts, with the helm on PATH.")
@click.option(
    "--load-restrictor",
    type=click.Choice(["root-only", "none"]),
    default="root-only",
    help="Whether builds read only files below their own folder (the default) or any.",
)
@click.option("--strict", is_flag=True, help="Fail where a build could not be checked.")
@click.option("--statistics", is_flag=True, help="Print only how often each rule found something, and where.")
@click.option("-q", "--quiet", is_flag=True, help="Print findings only.")
@click.option(
    "-v", "--verbose", count=True, help="Print which engine, Kubernetes versions and settings were used."
)
@click.option("--debug", is_flag=True, help="Print the traceback of a fault of this tool, without any value.")
def command(
    paths: tuple[str, ...],
    versions: tuple[str, ...],
    formats: tuple[str, ...],
    concise: bool,
    select: tuple[str, ...],
    ignore: tuple[str, ...],
    fail_on: str | None,
    engine: str | None,
    jobs: int | None,
    schema_locations: tuple[str, ...],
    config: Path | None,
    isolated: bool,
    offline: bool,
    no_cache: bool,
    watch: bool,
    vllm_version: str,
    server: bool,
    context: str,
    namespace: str,
    existing: str,
    pod_security: str,
    changed: bool,
    baseline: Path | None,
    write_baseline: bool,
    enable_helm: bool,
    load_restrictor: str,
    strict: bool,
    statistics: bool,
    quiet: bool,
    verbose: int,
    debug: bool,
) -> int:
    """Build overlays, check every object, and name the line that is wrong.

    PATH is an overlay, a folder to search for overlays, a file of rendered YAML, or - for standard input.
    Without one, every overlay in overlays/ is validated, or else every overlay below this folder; settings in
    pyproject.toml or .vllm-kustomize.yaml can name others.

    Exit code: 0 nothing found, 1 findings, 2 it could not run or something was not checked.
    """
    from dataclasses import replace

    from vllm_kustomize import pipeline, settings
    from vllm_kustomize.reporters import parse_outputs
    from vllm_kustomize.settings import file as settings_file

    started = time.perf_counter()
    if debug:
        _log_faults()
    outputs = parse_outputs((*formats, *(["concise"] if concise else [])))
    if config and isolated:
        raise Error("--config names settings and --isolated refuses them: leave one of them out")
    if (context or namespace) and not server:
        raise Error("--context and --namespace say whom --server asks: give it too")
    if "" in schema_locations:
        raise Error("--schema-location names nothing; give it a folder")

    def settle() -> Settings:
        found = settings.Settings() if isolated else settings_file.load_settings(paths, config)
        return replace(
            found,
            kubernetes_versions=tuple(map(settings.parse_kubernetes_version, versions))
            or found.kubernetes_versions,
            select=_separated(select) or found.select,
            ignore=_separated(ignore),
            fail_on=Severity[fail_on.upper()] if fail_on else found.fail_on,
            engine=engine,
            jobs=jobs or os.cpu_count() or 1,
            named_schema_locations=tuple(map(Path, schema_locations)),
            baseline=baseline or found.baseline,
            changed=changed,
            server=server,
            context=context,
            namespace=namespace,
            existing=existing,
            pod_security=pod_security,
            cache=not no_cache,
            offline=offline,
            vllm_version=vllm_version,
            strict=strict,
            helm=("*",) if enable_helm else found.helm,
            unrestricted=("*",) if load_restrictor == "none" else found.unrestricted,
            name_engine=verbose > 0 or any(output.format == "json" for output in outputs),
        )

    wanted = settle()
    if write_baseline:
        return _write_baseline(paths, wanted)
    if statistics:
        outputs = tuple(
            replace(output, format="statistics") if output.format == "text" else output for output in outputs
        )
    verbosity = -1 if quiet else verbose
    if watch:
        for answer in pipeline.watch(paths, settle):
            if isinstance(answer, Error):
                show_error(answer)
            else:
                _write(answer, outputs, verbosity)
    with progress("Validating", quiet) as advance:
        report = pipeline.validate(paths, wanted, advance)
    _write(report, outputs, verbosity, time.perf_counter() - started)
    return _exit_code(report, wanted)


def _separated(patterns: Sequence[str]) -> tuple[str, ...]:
    return tuple(part.strip() for pattern in patterns for part in pattern.split(",") if part.strip())


def _log_faults() -> None:
    import logging

    logging.basicConfig(level=logging.WARNING, format="vllm-kustomize: %(message)s")
    logging.getLogger("vllm_kustomize").setLevel(logging.DEBUG)


def _exit_code(report: Report, wanted: Settings) -> int:
    from vllm_kustomize.settings import UNCHECKED

    if any(finding.rule in UNCHECKED for finding in report.findings):
        return COULD_NOT_RUN
    found = any(finding.severity >= wanted.fail_on for finding in report.findings)
    unchecked = wanted.strict and any(skipped.whole for skipped in report.skipped)
    return FINDINGS if found or unchecked else OK


def _write_baseline(paths: Sequence[str], wanted: Settings) -> int:
    from dataclasses import replace

    from vllm_kustomize import pipeline
    from vllm_kustomize.findings import baseline
    from vllm_kustomize.findings.triage import NEVER_ACCEPTED

    if wanted.baseline is None:
        raise Error("--write-baseline needs a file: name it with --baseline FILE or in the settings")
    report = pipeline.validate(paths, replace(wanted, baseline=None))
    known = [finding for finding in report.findings if finding.rule not in NEVER_ACCEPTED]
    baseline.write(wanted.baseline, known)
    click.echo(f"{wanted.baseline}: {len(known)} known findings")
    others = len(report.findings) - len(known)
    if others:
        click.echo(f"{others} findings cannot be accepted; validate names them", err=True)
    return FINDINGS if others else OK


def _write(report: Report, outputs: Sequence[Output], verbosity: int, seconds: float | None = None) -> None:
    """Write files first, so that a report that cannot be written does not look finished."""
    from vllm_kustomize.reporters import Style, render

    for output in sorted(outputs, key=lambda output: output.file is None):
        if output.file is not None:
            output.write(
                render(output.format, report, Style(verbosity=verbosity, seconds=seconds, home=_home()))
            )
            continue
        width = shutil.get_terminal_size().columns if sys.stdout.isatty() else None
        text = render(output.format, report, Style(has_colour(), verbosity, seconds, width, _home()))
        click.echo(disarmed(text) if output.format in _FOR_PEOPLE else text, nl=False)


def _home() -> str:
    """The address of this project's repository: the action knows where it comes from, and says it."""
    address = os.environ.get("VLLM_KUSTOMIZE_HOME", "")
    return address.rstrip("/") if address.startswith("https://") else ""


_FOR_PEOPLE = ("text", "concise")
