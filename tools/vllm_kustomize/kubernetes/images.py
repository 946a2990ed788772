"""References of container images, and what is known of vLLM's own: their device, users and homes."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Literal, NamedTuple


@dataclass(frozen=True, slots=True)
class Image:
    """One family of images.

    `accelerator` is cuda, rocm, cpu, xpu, or tpu. `users` are the numeric users that it was made for, with
    their homes: a container's HOME is what its /etc/passwd says, or / for a user that is not there. `user` is
    the one that the image runs as, None where that is not known; `group` the group that may write in the home
    of the ordinary user. `entrypoint` is what starts without a command: `vllm serve` (up to 0.11.0 the API
    server's module, which `module` is in every release), or None for something else, or unknown. `releases`
    are the releases of vLLM by the distribution's own, None where tags are vLLM's versions.
    """

    accelerator: str
    users: tuple[tuple[int, str], ...] = ((0, "/root"),)
    user: int | None = 0
    group: int | None = None
    deprecated: str = ""
    entrypoint: Literal["vllm", "module"] | None = "vllm"
    releases: Mapping[str, str] | None = None

    def home(self, user: int | None = None) -> str | None:
        """HOME of a process that runs as `user`, by default the image's own; None where that is not known."""
        homes = dict(self.users)
        whose = self.user if user is None else user
        return None if whose is None else homes.get(whose)


_WITH_USER_VLLM = ((0, "/root"), (2000, "/home/vllm"))

_NGC = {
    "25.10": "0.10.2",
    "26.01": "0.11.1",
    "26.03": "0.17.1",
    "26.05": "0.20.1",
    "26.10": "0.31.0",
}
"""Release notes of NVIDIA's vLLM container (docs.nvidia.com/deeplearning/frameworks/vllm-release-notes)."""

_LLM_D = {"0.7.0": "0.19.1", "0.8.0": "0.23.0", "0.8.1": "0.23.0", "0.9.0": "0.26.0"}
"""Component summaries of llm-d's releases (github.com/llm-d/llm-d/releases)."""

_RHAIIS = {"3.0": "0.8.4"}
"""Product and version compatibility of Red Hat AI Inference Server (docs.redhat.com)."""

_IMAGES = {
    "vllm/vllm-openai": Image("cuda", _WITH_USER_VLLM, group=0),
    "vllm/vllm-openai-nonroot": Image("cuda", _WITH_USER_VLLM, user=2000, group=0),
    "vllm/vllm-openai-cpu": Image("cpu"),
    "vllm/vllm-openai-rocm": Image("rocm"),
    "vllm/vllm-openai-xpu": Image("xpu"),
    "vllm/vllm-tpu": Image("tpu", entrypoint=None),
    "public.ecr.aws/q9t5s3a7/vllm-cpu-release-repo": Image("cpu"),
    "public.ecr.aws/q9t5s3a7/vllm-arm64-cpu-release-repo": Image("cpu"),
    "public.ecr.aws/q9t5s3a7/vllm-release-repo": Image("cuda"),
    "rocm/vllm": Image("rocm", entrypoint=None, deprecated="vllm/vllm-openai-rocm"),
    "rocm/vllm-dev": Image("rocm", entrypoint=None, deprecated="vllm/vllm-openai-rocm"),
    "nvcr.io/nvidia/vllm": Image("cuda", entrypoint=None, releases=_NGC),
    "ghcr.io/llm-d/llm-d": Image("cuda", users=(), user=2000, entrypoint="module", releases=_LLM_D),
    "ghcr.io/llm-d/llm-d-cuda": Image("cuda", users=(), user=2000, entrypoint="module", releases=_LLM_D),
    "rhaiis/vllm-cuda-rhel9": Image("cuda", users=(), user=None, entrypoint=None, releases=_RHAIIS),
    "rhaiis/vllm-rocm-rhel9": Image("rocm", users=(), user=None, entrypoint=None, releases=_RHAIIS),
}
"""By repository: docker/Dockerfile, Dockerfile.cpu, Dockerfile.rocm, Dockerfile.tpu and Dockerfile.xpu of
vLLM 0.33 and before, and .buildkite/scripts/publish-release-images.sh for the names. rocm/vllm is deprecated
since January 2026 (docs/getting_started/installation/gpu.rocm.inc.md); it starts a shell, as vllm-tpu does,
and llm-d's entrypoint is in its docker/Dockerfile.cuda. Of NVIDIA's and Red Hat's images no Dockerfile is
public: what they start by themselves, and as whom, is not known."""


class Reference(NamedTuple):
    """What an image is called, `registry/path/name:tag@digest`, in its parts; any may be empty."""

    repository: str
    tag: str
    digest: str

    @property
    def name(self) -> str:
        """The repository's last step."""
        return self.repository.rpartition("/")[2]


def parse(reference: str) -> Reference:
    """Read an image reference; a colon before the last slash belongs to the registry's port."""
    name, _, digest = reference.partition("@")
    path, slash, last = name.rpartition("/")
    last, _, tag = last.partition(":")
    return Reference(f"{path}{slash}{last}", tag, digest)


def image_of(reference: str) -> Image | None:
    """The family of an image, also behind a registry or mirror (`mirror.example/vllm/vllm-openai:v0.33.0`).

    None where the repository is not one of vLLM's own: a build of somebody's says nothing of its contents.
    """
    repository = parse(reference).repository
    for name, image in _IMAGES.items():
        if repository == name or repository.endswith(f"/{name}"):
            return image
    return None
