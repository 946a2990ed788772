"""Read the container's command line as the manifest's vLLM release and the installed one do."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from e2e.kubelet.objects import NotPlayed
from e2e.kubelet.pod import Pod
from vllm_kustomize.vllm import catalog
from vllm_kustomize.vllm.arguments import Parsed, parse


@dataclass(frozen=True, slots=True)
class ServerLine:
    """What a client has to know (model, name it is served by, key), and how the releases compare."""

    model: str
    name: str
    key: str
    comparison: str


def read_line(pod: Pod, installed: str) -> ServerLine:
    """Read the pod's command; raises `NotPlayed` where it is no `vllm serve`."""
    words = list(pod.command)
    if "serve" not in words:
        raise NotPlayed(f"the command `{' '.join(words[:3])} …` is no `vllm serve`")
    arguments = words[words.index("serve") + 1 :]
    meant, of_image = _parse(arguments, pod.image.rpartition(":")[2])
    run, of_installed = _parse(arguments, installed)
    model = str(run.values.get("model_tag") or run.values.get("model"))
    name = _first(run.values.get("served_model_name")) or model
    key = _first(run.values.get("api_key")) or pod.variables.get("VLLM_API_KEY", "")
    return ServerLine(model, name, key, _comparison(meant, of_image, run, of_installed))


def _parse(arguments: list[str], version: str) -> tuple[Parsed, str]:
    release, _ = catalog.nearest(version)
    return parse(arguments, release), release.version


def _comparison(meant: Parsed, of_image: str, run: Parsed, of_installed: str) -> str:
    """The options that a release does not accept."""
    refused = {
        release: [remark.option for remark in parsed.errors]
        for release, parsed in ((of_image, meant), (of_installed, run))
    }
    texts = [f"{release} refuses {', '.join(options)}" for release, options in refused.items() if options]
    return "; ".join(texts) or f"both accept all {len(run.given)} options of the command line"


def _first(value: Any) -> str:
    """An option that takes one or several texts: the first."""
    if isinstance(value, (list, tuple)):
        return str(value[0]) if value else ""
    return str(value or "")
