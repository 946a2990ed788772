"""`vllm-kustomize flags`."""

from __future__ import annotations

import click

from vllm_kustomize.cli import listed
from vllm_kustomize.cli.listed import Listed
from vllm_kustomize.cli.options import FORMAT, OK, as_json
from vllm_kustomize.model import Error


@click.command("flags")
@click.argument("pattern", required=False, default="")
@click.option(
    "--vllm-version",
    cls=Listed,
    values=listed.vllm_versions,
    shown=listed.from_to(listed.vllm_versions),
    metavar="X.Y.Z",
    default="",
    help="The vLLM release, {}. Default: the newest.",
)
@click.option("--diff", nargs=2, metavar="OLD NEW", help="Say what changed between two releases.")
@FORMAT
def command(pattern: str, vllm_version: str, diff: tuple[str, str] | None, format_: str) -> int:
    """List the options of `vllm serve`, or what became of them.

    PATTERN is a part of an option's name; an option that matches alone is shown with all it takes.

    \b
    vllm-kustomize flags parallel
    vllm-kustomize flags kv-transfer-config --vllm-version 0.26.0
    vllm-kustomize flags --diff 0.30.0 0.33.0
    """
    from vllm_kustomize.vllm.cli import flags as vllm_flags

    if diff and (pattern or vllm_version):
        raise Error("--diff compares two releases whole: leave PATTERN and --vllm-version out")
    wants_json = format_ == "json"
    if diff:
        old, new = map(vllm_flags.release, diff)
        answer = (vllm_flags.difference_as_json if wants_json else vllm_flags.difference)(old, new)
    else:
        release = vllm_flags.release(vllm_version)
        answer = (vllm_flags.listing_as_json if wants_json else vllm_flags.listing)(release, pattern)
    click.echo(as_json(answer) if wants_json else answer)
    return OK
