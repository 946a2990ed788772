"""`vllm-kustomize upgrade`."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from vllm_kustomize.cli.options import ENGINE, FINDINGS, FORMAT, OK, PATHS, as_json
from vllm_kustomize.cli.terminal import BOLD, CYAN, GREEN, RED, disarmed, has_colour, paint, progress
from vllm_kustomize.model import Error
from vllm_kustomize.wording import count

if TYPE_CHECKING:
    from vllm_kustomize.settings import Settings
    from vllm_kustomize.verbs.upgrade import Remark, Upgrade

_COLOURS = {"+": GREEN, "-": RED, "@": CYAN}
_MOST_OVERLAYS = 3


@click.command("upgrade")
@PATHS
@click.option("--vllm", default="", metavar="X.Y.Z", help="The release of vLLM to move to.")
@click.option("--kubernetes", default="", metavar="X.Y", help="The release of Kubernetes to move to.")
@click.option("--diff", "dry", is_flag=True, help="Print the change of the files, and write none of them.")
@ENGINE
@FORMAT
def command(
    paths: tuple[str, ...], vllm: str, kubernetes: str, dry: bool, engine: str | None, format_: str
) -> int:
    """Move to another release of vLLM or Kubernetes.

    Changes every tag that names an older release, in the files that overlays at PATH read and in other YAML
    below PATH, such as Helm values; renames options and API versions; lists what became of the options in
    use. The result is built and validated first: where that finds something new, nothing is written.

    Exit code: 0 done, or nothing to do, 1 something is left to do by hand or nothing was written because of
    findings, 2 it could not run.

    \b
    vllm-kustomize upgrade --vllm 0.33.0 --diff
    vllm-kustomize upgrade --kubernetes 1.37 overlays/nvidia
    """
    from dataclasses import replace

    from vllm_kustomize.kustomize.edit import write
    from vllm_kustomize.settings import parse_kubernetes_version
    from vllm_kustomize.settings.file import load_settings
    from vllm_kustomize.verbs.upgrade import upgrade

    if not vllm and not kubernetes:
        raise Error("upgrade needs a release to move to: --vllm X.Y.Z, --kubernetes X.Y, or both")
    settings = replace(load_settings(paths), engine=engine)
    version = parse_kubernetes_version(kubernetes) if kubernetes else None
    found = upgrade(paths, settings, vllm, version, progress)
    refused = _refused(found, settings)
    if not dry and not refused:
        write(found.contents)
    if format_ == "json":
        click.echo(as_json(_as_json(found, dry, refused)))
    else:
        lines = _text(found, settings, dry, refused)
        click.echo(disarmed("".join(f"{line}\n" for line in lines)), nl=False)
    return FINDINGS if refused or found.left else OK


def _refused(found: Upgrade, settings: Settings) -> bool:
    """Whether the upgrade would bring a finding that fails a run."""
    return any(finding.severity >= settings.fail_on for finding in found.findings)


def _text(found: Upgrade, settings: Settings, dry: bool, refused: bool) -> Iterator[str]:
    from vllm_kustomize.reporters import Style, visible
    from vllm_kustomize.reporters.text import block

    for kind, title in (("changed", ""), ("by hand", "By hand:"), ("note", "To know:")):
        remarks = [remark for remark in found.remarks if remark.kind == kind]
        if remarks and title:
            yield paint(title, BOLD)
        yield from (visible(_remark(remark)) for remark in remarks)
        if remarks:
            yield ""
    if dry:
        for line in found.diff():
            yield paint(visible(line), _COLOURS.get(line[:1], ""))
        yield from [""] * bool(found.contents)
    for finding in (*found.mixed, *found.findings):
        yield from block(finding, Style(has_colour()))
        yield ""
    yield _summary(found, dry, refused)


def _remark(remark: Remark) -> str:
    from vllm_kustomize.reporters.text import place

    names = remark.overlays[:_MOST_OVERLAYS]
    more = len(remark.overlays) - len(names)
    used = f" ({', '.join(names)}{f' and {more} more' if more else ''})" if names else ""
    return f"{place(remark.location)}: {remark.text}{used}"


def _summary(found: Upgrade, dry: bool, refused: bool) -> str:
    files = count(len(found.contents), "file")
    objects = count(found.report.documents, "object")
    validated = f"{count(found.report.overlays, 'overlay')} built, {objects} validated"
    if refused:
        return f"nothing was written: the change of {files} brings {count(len(found.findings), 'finding')}"
    if not found.contents:
        return f"nothing to change; {validated}"
    return f"{files} {'would change' if dry else 'changed'}; {validated}"


def _as_json(found: Upgrade, dry: bool, refused: bool) -> dict[str, Any]:
    from vllm_kustomize.kustomize.discover import display_path
    from vllm_kustomize.reporters.json import finding_as_json, location_as_json

    return {
        "version": 1,
        "written": not dry and not refused,
        "files": [display_path(Path(file)) for file in found.contents],
        "remarks": [
            {
                "kind": remark.kind,
                "text": remark.text,
                "location": location_as_json(remark.location),
                "overlays": list(remark.overlays),
            }
            for remark in found.remarks
        ],
        "findings": [finding_as_json(finding) for finding in (*found.mixed, *found.findings)],
        "diff": "\n".join(found.diff()),
    }
