"""Presets of models: each fits the GPUs that it asks for, and `docs/models.md` says what they ask for.

The opening comment says the GPUs; the memory comes from `size`, and only where that does not know the model's
layers from the comment, which then names the recipe's figure.
"""

from __future__ import annotations

import os
import re
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from typing import Any

import pytest
import yaml

from conftest import REPO, Golden
from vllm_kustomize.model import Severity
from vllm_kustomize.pipeline import validate
from vllm_kustomize.settings import Settings
from vllm_kustomize.vllm.sizing.gpus import find_gpu
from vllm_kustomize.vllm.sizing.memory import GPU_MEMORY_UTILIZATION
from vllm_kustomize.vllm.sizing.models import known_models
from vllm_kustomize.vllm.sizing.sizing import Request, size

MODELS = REPO / "components/models"
DOCUMENT = REPO / "docs/models.md"
BATCHED_TOKENS = {False: 1024, True: 8192}
"""A step of the GPU overlays, and one with `large-batches`."""

COMMENT = re.compile(
    r"# (?P<title>.+?)\n# Needs: (?P<gpus>\d+) x (?P<gpu>\S+) or larger"
    r"(?:, (?P<recipe>\d+) GB by its recipe[^\n]*)?\.\n# Source: (?P<source>https://\S+)\n",
    re.DOTALL,
)
HEAD = """\
# Models

Generated from `components/models/*`; `make golden` rewrites it.

A preset is a component that replaces an overlay's model and brings what belongs to it: parsers for tools and
reasoning, the checkpoint, a context that fits, the GPUs and the volume. List it in your own kustomization:

```yaml
apiVersion: kustomize.config.k8s.io/v1beta1
kind: Kustomization
resources:
  - ../nvidia
components:
  - ../../components/models/gpt-oss-20b
```

A test computes that the model fits the GPUs; where `size` does not know its layers, the figure is that of
vLLM's recipe. List a preset before `multi-node` and `model-download-job`. It brings its size of tensor
parallelism along, and is made for `nvidia` and `amd`.
"""


@dataclass(frozen=True)
class Preset:
    """A component below components/models, read."""

    name: str
    title: str
    gpus: int
    gpu: str
    recipe: int | None
    source: str
    model: str
    options: dict[str, str]
    large_batches: bool
    parallel: int

    @property
    def batched_tokens(self) -> int:
        return BATCHED_TOKENS[self.large_batches]

    @property
    def context(self) -> int | None:
        length = self.options.get("max-model-len")
        return int(length) if length else None


def read(directory: Path) -> Preset:
    text = (directory / "kustomization.yaml").read_text(encoding="utf-8")
    comment = COMMENT.match(text)
    assert comment, f"{directory.name}: the opening comment says what, Needs and Source"
    operations = yaml.safe_load((directory / "patches/deployment.model.json6902.yaml").read_text("utf-8"))
    model = next(item["value"] for item in operations if item["op"] == "replace")
    added = [item["value"].removeprefix("--") for item in operations if item["op"] == "add"]
    parts = [Path(part).name for part in yaml.safe_load(text).get("components", ())]
    sizes = [int(part.rpartition("-")[2]) for part in parts if part.startswith("tensor-parallel-")]
    return Preset(
        directory.name,
        " ".join(comment["title"].replace("\n#", "").split()),
        int(comment["gpus"]),
        comment["gpu"],
        int(comment["recipe"]) if comment["recipe"] else None,
        comment["source"],
        model,
        dict(item.partition("=")[::2] for item in added),
        "large-batches" in parts,
        sizes[0] if sizes else 1,
    )


@cache
def presets() -> tuple[Preset, ...]:
    folders = sorted(path.parent for path in MODELS.glob("*/kustomization.yaml"))
    return tuple(read(folder) for folder in folders if folder.name != "large-batches")


@pytest.mark.parametrize("preset", presets(), ids=lambda preset: preset.name)
def test_it_fits_what_it_asks_for(preset: Preset) -> None:
    assert preset.parallel == preset.gpus
    if preset.model in known_models():
        assert preset.recipe is None, "size knows the model"
        sizing = size(
            Request(
                model=preset.model,
                gpu=preset.gpu,
                tensor_parallel_size=preset.gpus,
                max_model_len=preset.context,
                kv_cache_dtype=preset.options.get("kv-cache-dtype", "auto"),
                max_num_batched_tokens=preset.batched_tokens,
            )
        )
        assert sizing.fits, f"{sizing.longest_context} tokens fit"
    else:
        assert preset.recipe is not None, (
            "size does not know the model: the comment names its recipe's memory"
        )
        memory = preset.gpus * find_gpu(preset.gpu).memory
        assert preset.recipe * 10**9 <= memory * GPU_MEMORY_UTILIZATION + 10**9


def test_all_build_and_are_clean(tmp_path: Path) -> None:
    # One build of all: each in a namespace of its own, taken in by one kustomization.
    root = tmp_path.resolve() / "presets"
    for preset in presets():
        folder = root / preset.name
        folder.mkdir(parents=True)
        written: dict[str, Any] = {
            "apiVersion": "kustomize.config.k8s.io/v1beta1",
            "kind": "Kustomization",
            "resources": [os.path.relpath(REPO / "overlays/nvidia", folder)],
            "components": [os.path.relpath(MODELS / preset.name, folder)],
            "namePrefix": f"{preset.name.replace('.', '-')}-",
            "namespace": preset.name.replace(".", "-"),
        }
        (folder / "kustomization.yaml").write_text(yaml.safe_dump(written), encoding="utf-8")
    together = {"kind": "Kustomization", "resources": [preset.name for preset in presets()]}
    (root / "kustomization.yaml").write_text(yaml.safe_dump(together), encoding="utf-8")
    report = validate([str(root / "kustomization.yaml")], Settings(cache=False))
    found = [finding for finding in report.findings if finding.rule != "trust-remote-code"]
    assert [finding for finding in found if finding.severity >= Severity.INFO] == []
    assert report.documents == 4 * len(presets())


def test_document_is_current(golden: Golden) -> None:
    def row(*cells: str) -> str:
        return f"| {' | '.join(cells)} |\n"

    table = row("preset", "model", "GPUs", "context", "tools", "reasoning", "computed by")
    table += row(*("---" for _ in range(7)))
    for preset in presets():
        context = preset.context
        if context is None:
            context = size(Request(model=preset.model, gpu="H200")).max_model_len
        table += row(
            f"`{preset.name}`",
            f"[{preset.model}](https://huggingface.co/{preset.model})",
            f"{preset.gpus} x {preset.gpu}",
            f"{context:,}",
            preset.options.get("tool-call-parser", ""),
            preset.options.get("reasoning-parser", ""),
            f"[recipe]({preset.source})" if preset.recipe else "`size`",
        )
    golden(DOCUMENT, f"{HEAD}\n{table}")
