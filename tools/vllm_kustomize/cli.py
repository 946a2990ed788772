"""Click options in, exit code out."""

from __future__ import annotations

import contextlib
import os
import shutil
import sys
import time
from collections.abc import Callable, Iterator, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from vllm_kustomize import __version__
from vllm_kustomize.model import Error, Report, Severity

if TYPE_CHECKING:
    from vllm_kustomize.reporters import Output
    from vllm_kustomize.settings import Settings

OK, FINDINGS, COULD_NOT_RUN, INTERRUPTED = 0, 1, 2, 130

PATHS = click.argument("paths", nargs=-1, metavar="[PATH]...")
ENGINE = click.option(
    "--engine",
    metavar="PATH",
    help="A kubectl or kustomize to build with, instead of the one that comes along. [VLLM_KUSTOMIZE_ENGINE]",
)


class _Group(click.Group):
    """Lists commands in the order in which they are defined: the one most used comes first."""

    def list_commands(self, ctx: click.Context) -> list[str]:
        return list(self.commands)


@click.group(cls=_Group, context_settings={"help_option_names": ["-h", "--help"]})
@click.version_option(__version__, message="%(prog)s %(version)s")
def cli() -> None:
    """Build Kustomize overlays and prove them before a cluster sees them.

    \b
    vllm-kustomize validate                     every overlay of the repo
    vllm-kustomize validate overlays/nvidia     one overlay
    helm template ... | vllm-kustomize validate -
    """


@cli.command()
@PATHS
@click.option(
    "-k",
    "--kubernetes-version",
    "versions",
    multiple=True,
    metavar="X.Y",
    help="Check against this Kubernetes, 1.25 to 1.37; may be given several times. Default: the newest.",
)
@click.option(
    "--format",
    "formats",
    multiple=True,
    metavar="NAME[=FILE]",
    help="text (the default), concise, json, sarif, junit, github or gitlab; may be given several times.",
)
@click.option("--concise", is_flag=True, help="One line a finding, the same as --format concise.")
@click.option(
    "--select", multiple=True, metavar="RULE", help="Only these rules; patterns such as 'api-*' work."
)
@click.option("--ignore", multiple=True, metavar="RULE", help="All but these rules.")
@click.option(
    "--fail-on",
    type=click.Choice([str(severity) for severity in reversed(Severity)]),
    help="The lowest severity that makes the exit code 1. Default: error.",
)
@ENGINE
@click.option(
    "-j", "--jobs", type=click.IntRange(min=1), metavar="N", help="Builds at a time. Default: one a core."
)
@click.option(
    "--schema-location",
    "schema_locations",
    multiple=True,
    metavar="DIR",
    help="A folder of CRDs or JSON schemas for custom resources; may be given several times.",
)
@click.option("--no-cache", is_flag=True, help="Build everything anew and remember nothing.")
@click.option("--watch", is_flag=True, help="Validate again whenever a file changes, until Ctrl-C.")
@click.option(
    "--vllm-version",
    default="",
    metavar="X.Y.Z",
    help="The vLLM release to assume. Default: the image's tag.",
)
@click.option(
    "--server",
    is_flag=True,
    help="Also ask the API server of the current kubeconfig context, by a dry run that changes nothing.",
)
@click.option("--changed", is_flag=True, help="PATHs are changed files: validate the overlays that use them.")
@click.option(
    "--baseline", type=click.Path(path_type=Path), metavar="FILE", help="Known findings, which do not fail."
)
@click.option("--write-baseline", is_flag=True, help="Write what is found now to the baseline, and succeed.")
@click.option("-q", "--quiet", is_flag=True, help="Print findings only.")
@click.option("-v", "--verbose", count=True, help="Print which engine and Kubernetes versions were used.")
def validate(
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
    no_cache: bool,
    watch: bool,
    vllm_version: str,
    server: bool,
    changed: bool,
    baseline: Path | None,
    write_baseline: bool,
    quiet: bool,
    verbose: int,
) -> int:
    """Build overlays, check every object, and name the line that is wrong.

    PATH is an overlay, a folder to search for overlays, a file of rendered YAML, or - for standard input.
    Without one, every overlay in overlays/ is validated, or else every overlay below this folder; settings in
    pyproject.toml or .vllm-kustomize.yaml can name others.

    Exit code: 0 nothing found, 1 findings, 2 it could not run.
    """
    from dataclasses import replace

    from vllm_kustomize import pipeline, settings, settings_file
    from vllm_kustomize.reporters import parse_outputs

    started = time.perf_counter()
    outputs = parse_outputs((*formats, *(["concise"] if concise else [])))
    found = settings_file.load_settings(paths)
    wanted = replace(
        found,
        kubernetes_versions=tuple(map(settings.parse_kubernetes_version, versions))
        or found.kubernetes_versions,
        select=select or found.select,
        ignore=ignore,
        fail_on=Severity[fail_on.upper()] if fail_on else found.fail_on,
        engine=engine,
        jobs=jobs or os.cpu_count() or 1,
        schema_locations=tuple(map(Path, schema_locations)) or found.schema_locations,
        baseline=baseline or found.baseline,
        changed=changed,
        server=server,
        cache=not no_cache and not server,  # what a cluster says today is nothing to remember
        vllm_version=vllm_version,
        name_engine=verbose > 0 or any(output.format == "json" for output in outputs),
    )
    if write_baseline:
        return _write_baseline(paths, wanted)
    verbosity = -1 if quiet else verbose
    if watch:
        for report in pipeline.watch(paths, wanted):
            _write(report, outputs, verbosity)
    with _progress(quiet) as progress:
        report = pipeline.validate(paths, wanted, progress)
    _write(report, outputs, verbosity, time.perf_counter() - started)
    return _exit_code(report, wanted.fail_on)


@cli.command()
@click.argument("overlay")
@ENGINE
def build(overlay: str, engine: str | None) -> int:
    """Print what the engine renders for one overlay."""
    from vllm_kustomize import pipeline

    output = pipeline.build(overlay, engine)
    sys.stdout.buffer.write(output)
    return OK


@cli.command()
@click.option("--model", required=True, metavar="NAME|FILE", help="A known model, or a config.json.")
@click.option("--gpu", required=True, metavar="GPU", help="H100-80GB, a product label of a node, or 24Gi.")
@click.option(
    "--tp", type=click.IntRange(min=1), metavar="N", help="Tensor-parallel size. Default: what fits."
)
@click.option("--pp", type=click.IntRange(min=1), default=1, metavar="N", help="Pipeline-parallel size.")
@click.option(
    "--max-model-len", type=click.IntRange(min=1), metavar="N", help="Default: the model's context."
)
@click.option("--max-num-batched-tokens", type=click.IntRange(min=1), metavar="N", help="Default: vLLM's.")
@click.option("--dtype", default="auto", metavar="NAME", help="As vLLM's --dtype.")
@click.option("--kv-cache-dtype", default="auto", metavar="NAME", help="As vLLM's --kv-cache-dtype.")
@click.option(
    "--gpu-memory-utilization", type=click.FloatRange(0, 1, min_open=True), default=0.92, show_default=True
)
@click.option("--format", "format_", type=click.Choice(["text", "json"]), default="text", show_default=True)
def size(
    model: str,
    gpu: str,
    tp: int | None,
    pp: int,
    max_model_len: int | None,
    max_num_batched_tokens: int | None,
    dtype: str,
    kv_cache_dtype: str,
    gpu_memory_utilization: float,
    format_: str,
) -> int:
    """Estimate what a model needs on a kind of GPU, and what to ask the cluster for.

    \b
    vllm-kustomize size --model meta-llama/Llama-3.3-70B-Instruct --gpu H100-80GB
    vllm-kustomize size --model ./config.json --gpu 24Gi --max-model-len 8192
    """
    from vllm_kustomize.vllm import sizing

    request = sizing.Request(
        model=model,
        gpu=gpu,
        tensor_parallel_size=tp,
        pipeline_parallel_size=pp,
        max_model_len=max_model_len,
        dtype=dtype,
        kv_cache_dtype=kv_cache_dtype,
        gpu_memory_utilization=gpu_memory_utilization,
        max_num_batched_tokens=max_num_batched_tokens,
    )
    answer = sizing.size(request)
    if format_ == "json":
        click.echo(_json(sizing.as_json(answer)))
    else:
        click.echo(sizing.describe(answer))
    return OK


@cli.command()
@click.argument("pattern", required=False, default="")
@click.option("--vllm-version", metavar="X.Y.Z", default="", help="The vLLM release. Default: the newest.")
@click.option("--diff", nargs=2, metavar="OLD NEW", help="Say what changed between two releases.")
@click.option("--format", "format_", type=click.Choice(["text", "json"]), default="text", show_default=True)
def flags(pattern: str, vllm_version: str, diff: tuple[str, str] | None, format_: str) -> int:
    """List the options of `vllm serve`, or what became of them.

    PATTERN is a part of an option's name; an option that matches alone is shown with all it takes.

    \b
    vllm-kustomize flags parallel
    vllm-kustomize flags kv-transfer-config --vllm-version 0.26.0
    vllm-kustomize flags --diff 0.30.0 0.33.0
    """
    from vllm_kustomize.vllm import flags as vllm_flags

    if diff and (pattern or vllm_version):
        raise Error("--diff compares two releases whole: leave PATTERN and --vllm-version out")
    as_json = format_ == "json"
    if diff:
        old, new = map(vllm_flags.release, diff)
        answer = (vllm_flags.difference_as_json if as_json else vllm_flags.difference)(old, new)
    else:
        release = vllm_flags.release(vllm_version)
        answer = (vllm_flags.listing_as_json if as_json else vllm_flags.listing)(release, pattern)
    click.echo(_json(answer) if as_json else answer)
    return OK


@cli.command()
@click.option("--format", "format_", type=click.Choice(["text", "json"]), default="text", show_default=True)
def rules(format_: str) -> int:
    """List the rules and checks, with their severity."""
    from vllm_kustomize.manual import entries

    listed = tuple(entries())
    if format_ == "json":
        click.echo(_json([entry.as_json() for entry in listed]))
        return OK
    width = max(len(entry.id) for entry in listed)
    for entry in listed:
        click.echo(f"{entry.id:{width}}  {entry.severity!s:7}  {entry.summary}")
    return OK


@cli.command()
@click.argument("rule")
def explain(rule: str) -> int:
    """Say what a rule or check wants, and why."""
    from vllm_kustomize.manual import entry_for

    found = entry_for(rule)
    click.echo(f"{found.id} ({found.severity})\n\n{found.manual}\n\nHelp: {found.help}")
    return OK


@cli.command()
@click.argument("shell", type=click.Choice(["bash", "zsh", "fish"]))
def completion(shell: str) -> int:
    """Print the completion script of a shell.

    \b
    bash:  eval "$(vllm-kustomize completion bash)"      in ~/.bashrc
    zsh:   eval "$(vllm-kustomize completion zsh)"       in ~/.zshrc
    fish:  vllm-kustomize completion fish | source       in ~/.config/fish/config.fish
    """
    from click.shell_completion import get_completion_class

    found = get_completion_class(shell)
    if found is None:
        raise Error(f"no completion for {shell}")
    click.echo(found(cli, {}, "vllm-kustomize", "_VLLM_KUSTOMIZE_COMPLETE").source())
    return OK


def main() -> None:
    """Run the command and leave with its exit code; the last stop of every error."""
    try:
        code = cli.main(prog_name="vllm-kustomize", standalone_mode=False)
    except click.ClickException as error:
        error.show()
        code = COULD_NOT_RUN
    except Error as error:
        from vllm_kustomize.reporters import visible

        click.echo(f"vllm-kustomize: {visible(str(error))}", err=True)
        code = COULD_NOT_RUN
    except (click.Abort, KeyboardInterrupt):
        click.echo("interrupted", err=True)
        code = INTERRUPTED
    except BrokenPipeError:
        # Whoever read the output has enough of it; the interpreter must not complain when it flushes.
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
        code = COULD_NOT_RUN
    sys.exit(code if isinstance(code, int) else OK)


def _json(answer: object) -> str:
    import json

    return json.dumps(answer, indent=2)


def _exit_code(report: Report, fail_on: Severity) -> int:
    return FINDINGS if any(finding.severity >= fail_on for finding in report.findings) else OK


def _write_baseline(paths: Sequence[str], wanted: Settings) -> int:
    from dataclasses import replace

    from vllm_kustomize import baseline, pipeline
    from vllm_kustomize.triage import NEVER_ACCEPTED

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
            output.write(render(output.format, report, Style(verbosity=verbosity, seconds=seconds)))
            continue
        width = shutil.get_terminal_size().columns if sys.stdout.isatty() else None
        click.echo(render(output.format, report, Style(_colour(), verbosity, seconds, width)), nl=False)


def _colour() -> bool:
    return sys.stdout.isatty() and not os.environ.get("NO_COLOR") and os.environ.get("TERM") != "dumb"


@contextlib.contextmanager
def _progress(quiet: bool) -> Iterator[Callable[[int, int], None] | None]:
    """A progress bar on a terminal, from the moment it is known that there are many overlays."""
    if quiet or not sys.stderr.isatty():
        yield None
        return
    few = 8
    with contextlib.ExitStack() as stack:
        bars: list[Any] = []

        def advance(done: int, total: int) -> None:
            if total <= few:
                return
            if not bars:
                bar = click.progressbar(length=total, label="Validating", file=sys.stderr)
                bars.append(stack.enter_context(bar))
            bars[0].update(1)

        yield advance
