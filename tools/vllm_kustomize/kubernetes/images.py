"""References of container images, and what is known of vLLM's own: their device, users and homes."""

from __future__ import annotations

from dataclasses import dataclass
from typing import NamedTuple


@dataclass(frozen=True, slots=True)
class Image:
    """One family of images.

    `accelerator` is cuda, rocm, cpu, xpu, or tpu. `users` are the numeric users that it was made for, with
    their homes: a container's HOME is what its /etc/passwd says, or / for a user that is not there. `user` is
    the one that the image runs as; `group` the group that may write in the home of the ordinary user.
    """

    accelerator: str
    users: tuple[tuple[int, str], ...] = ((0, "/root"),)
    user: int = 0
    group: int | None = None
    deprecated: str = ""

    def home(self, user: int | None = None) -> str | None:
        """HOME of a process that runs as `user`, by default the image's own; None where that is not known."""
        return dict(self.users).get(self.user if user is None else user)


_WITH_USER_VLLM = ((0, "/root"), (2000, "/home/vllm"))

_IMAGES = {
    "vllm/vllm-openai": Image("cuda", _WITH_USER_VLLM, group=0),
    "vllm/vllm-openai-nonroot": Image("cuda", _WITH_USER_VLLM, user=2000, group=0),
    "vllm/vllm-openai-cpu": Image("cpu"),
    "vllm/vllm-openai-rocm": Image("rocm"),
    "vllm/vllm-openai-xpu": Image("xpu"),
    "vllm/vllm-tpu": Image("tpu"),
    "public.ecr.aws/q9t5s3a7/vllm-cpu-release-repo": Image("cpu"),
    "public.ecr.aws/q9t5s3a7/vllm-arm64-cpu-release-repo": Image("cpu"),
    "rocm/vllm": Image("rocm", deprecated="vllm/vllm-openai-rocm"),
    "rocm/vllm-dev": Image("rocm", deprecated="vllm/vllm-openai-rocm"),
}
"""By repository: docker/Dockerfile, Dockerfile.cpu, Dockerfile.rocm and Dockerfile.xpu of vLLM 0.33, and
.buildkite/scripts/publish-release-images.sh for the names. rocm/vllm is deprecated since January 2026
(docs/getting_started/installation/gpu.rocm.inc.md)."""


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
