"""Read the container's command line as the manifest's vLLM release and the installed one do."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from e2e.kubelet.objects import NotPlayed
from e2e.kubelet.pod import Pod
from vllm_kustomize.model import Build
from vllm_kustomize.vllm.cli import catalog
from vllm_kustomize.vllm.cli.parser import Parsed, parse
from vllm_kustomize.vllm.container.commandline import CommandLine, command_line
from vllm_kustomize.vllm.container.release import release_of


@dataclass(frozen=True, slots=True)
class ServerLine:
    """What a client has to know (model, name it is served by, key), and how the releases compare."""

    model: str
    name: str
    key: str
    comparison: str


def read_line(pod: Pod, build: Build, installed: str) -> ServerLine:
    """Find and read the server's arguments, in a script too; raises `NotPlayed` where they are not known."""
    line = command_line(build, pod.template, pod.container)
    if not isinstance(line, CommandLine):
        reason = line.reason if line else "it runs no vLLM server"
        raise NotPlayed(f"the command line of {pod.container}: {reason}")
    of_image = release_of(pod.container).release
    of_installed, _ = catalog.nearest(installed)
    meant = parse(line.texts, of_image, line.read, serve=line.serve)
    run = parse(line.texts, of_installed, line.read, serve=line.serve)
    model = str(run.values.get("model_tag") or run.values.get("model"))
    name = _first(run.values.get("served_model_name")) or model
    key = _first(run.values.get("api_key")) or pod.variables.get("VLLM_API_KEY", "")
    return ServerLine(model, name, key, _comparison(meant, run))


def _comparison(*readings: Parsed) -> str:
    """The options that a release does not accept."""
    refused = {
        parsed.release.version: [remark.option or remark.message for remark in parsed.errors]
        for parsed in readings
    }
    texts = [f"{release} refuses {', '.join(options)}" for release, options in refused.items() if options]
    return "; ".join(texts) or f"both accept all {len(readings[0].given)} options of the command line"


def _first(value: Any) -> str:
    """An option that takes one or several texts: the first."""
    if isinstance(value, (list, tuple)):
        return str(value[0]) if value else ""
    return str(value or "")
