"""What the containers of a build would start: a typed view of each vLLM server, for the rules.

Every value keeps the field that sets it, so that a rule can point at `args[3]` or `env[0].value`. Without a
setting a property gives vLLM's default for the release.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from fractions import Fraction
from functools import cached_property
from typing import Any, TypeGuard

from vllm_kustomize.kubernetes import quantity
from vllm_kustomize.kubernetes.fields import get, items, mapping, strings, text
from vllm_kustomize.kubernetes.images import Image
from vllm_kustomize.kubernetes.lookup import autoscalers
from vllm_kustomize.kubernetes.pods import PROBES, TEMPLATES, Container, Pod
from vllm_kustomize.model import Build, Error, FieldPath, Manifest, Related, Resource
from vllm_kustomize.vllm.cli.parser import Parsed
from vllm_kustomize.vllm.container.commandline import CommandLine
from vllm_kustomize.vllm.container.files import Files
from vllm_kustomize.vllm.setting import Setting
from vllm_kustomize.vllm.sizing.gpus import PRODUCT_LABELS, Gpu, find_gpu
from vllm_kustomize.vllm.sizing.models import Architecture, UnknownModel, architecture_of

ACCELERATORS = {"nvidia.com": "cuda", "amd.com": "rocm", "gpu.intel.com": "xpu", "google.com": "tpu"}
"""Domains of extended resources, and the images that can use them."""

_DEVICES = ("gpu", "gpu.shared", "xe", "i915", "tpu")


LAYOUT = (
    "tensor_parallel_size",
    "pipeline_parallel_size",
    "prefill_context_parallel_size",
    "data_parallel_size",
    "data_parallel_size_local",
    "nnodes",
)
"""The options that decide how many ranks a server starts."""

DEFAULT_MODEL = "Qwen/Qwen3-0.6B"
"""What `vllm serve` starts without a model (ModelConfig.model in vllm/config/model.py)."""


@dataclass(frozen=True)
class Server:
    """One container that runs vLLM.

    `build` has the objects beside it. `line` is its command line and `parsed` what vLLM makes of that.
    `options` are the arguments given, by the name of the variable that argparse stores them in
    (`tensor_parallel_size`); `defaults` has those of the release too, `env` the container's environment.
    `release` is the release that the image names, or else the newest, which is then `assumed`; `exact` says
    whether the catalog has the options of that very release. `image` is None for an image that is not
    vLLM's own.
    """

    build: Build
    pod: Pod
    container: Container
    line: CommandLine
    parsed: Parsed
    release: str
    exact: bool
    assumed: bool
    options: Mapping[str, Setting]
    defaults: Mapping[str, Any]
    env: Mapping[str, Setting]
    image: Image | None

    @property
    def resource(self) -> Resource:
        """The object that has the container."""
        return self.pod.resource

    def __str__(self) -> str:
        return str(self.container)

    @property
    def vllm(self) -> str:
        """The release as messages name it; `assumed` where the image does not name one."""
        return f"assumed vLLM {self.release}" if self.assumed else f"vLLM {self.release}"

    @property
    def known_release(self) -> str:
        """The release that the image names, empty where that is not known."""
        return "" if self.assumed else self.release

    @property
    def certain(self) -> bool:
        """Whether it is vLLM as released, in a pod that is as the manifest says.

        A distribution's build may have what that release has not, and whoever makes pods of an object that is
        not in the table of controllers may change them.
        """
        as_written = self.resource.kind in TEMPLATES or self.pod.controller is not None
        return as_written and (self.image is None or self.image.releases is None)

    @property
    def version(self) -> tuple[int, ...]:
        """The release as numbers that compare."""
        return tuple(int(part[:9]) for part in re.findall(r"\d+", self.release)[:3])

    def value(self, option: str) -> Any:
        """An option's value: as given, else the release's default; None where it is in the cluster."""
        setting = self.options.get(option)
        return self.defaults.get(option) if setting is None else setting.value

    def count(self, option: str, default: int = 1) -> int:
        """An option that is a whole number; `default` where it is unset or not known."""
        value = self.value(option)
        return value if isinstance(value, int) and not isinstance(value, bool) else default

    def size(self, option: str) -> int:
        """An option that divides a server into parts; 1 where a server cannot start with it."""
        value = self.value(option)
        return value if _is_size(value) else 1

    def switched_on(self, option: str) -> bool:
        """Whether an option that is a switch is on."""
        return self.value(option) is True

    def unknown(self, *options: str) -> bool:
        """Whether one of these options is given with a value that only the cluster knows.

        A size of the layout that no server starts with is as good as unknown.
        """
        given = ((option, self.options[option].value) for option in options if option in self.options)
        return any(value is None or (option in LAYOUT and not _is_size(value)) for option, value in given)

    def place(self, *options: str) -> FieldPath:
        """The field of the first of these options that is given, else the container's arguments."""
        for option in options:
            if option in self.options:
                return self.options[option].path
        key = "args" if self.container.spec.get("args") else "command"
        return (*self.container.path, key)

    def shown(self, option: str) -> str:
        """An option and its value as a message quotes it, given or not: `--port=8000`."""
        setting = self.options.get(option)
        if setting is not None:
            return setting.shown
        return f"--{option.replace('_', '-')}={self.defaults.get(option)}"

    # The model

    @property
    def model(self) -> str | None:
        """The model's name or path; None where only the cluster knows it."""
        setting = self.options.get("model_tag") or self.options.get("model")
        if setting is None:
            return None if self.pod.may_have("containers.args", self.container) else DEFAULT_MODEL
        return setting.value if isinstance(setting.value, str) else None

    @property
    def model_path(self) -> FieldPath:
        """The field that names the model."""
        return self.place("model_tag", "model")

    def related_model(self, note: str) -> Related:
        """The field that names the model, as a note to a problem elsewhere."""
        return Related(self.model_path, note, self.resource)

    @property
    def downloads(self) -> bool:
        """Whether the model comes from the Hugging Face Hub when the server starts."""
        model = self.model
        offline = any(_is_on(self.env.get(name)) for name in ("HF_HUB_OFFLINE", "VLLM_USE_MODELSCOPE"))
        local = model is None or model.startswith(("/", "./", "../", "~")) or "://" in model
        return not local and not offline

    @cached_property
    def architecture(self) -> Architecture | None:
        """The model's figures, or None for a model that the table does not have."""
        try:
            return architecture_of(self.model or "")
        except UnknownModel:
            return None

    # Parallelism

    @property
    def headless(self) -> bool:
        """Whether it is a worker without an API server."""
        return self.switched_on("headless")

    @property
    def world_size(self) -> int:
        """GPUs of one copy of the model: TP x PP x PCP (ParallelConfig in vllm/config/parallel.py)."""
        return (
            self.size("tensor_parallel_size")
            * self.size("pipeline_parallel_size")
            * self.size("prefill_context_parallel_size")
        )

    @property
    def local_engines(self) -> int:
        """Data-parallel copies in this container (create_engine_config in vllm/engine/arg_utils.py)."""
        size = self.size("data_parallel_size")
        if self.value("data_parallel_rank") is not None or self.switched_on("data_parallel_external_lb"):
            return 1
        local = self.value("data_parallel_size_local")
        if isinstance(local, int):
            return local if _is_size(local) else 1
        nodes = self.size("nnodes")
        return max(1, size // nodes) if nodes > 1 else size

    @property
    def local_gpus(self) -> Fraction:
        """GPUs that the ranks in this container take; a fraction where the layout does not divide evenly."""
        nodes = self.size("nnodes")
        if nodes > 1:
            return Fraction(self.world_size * self.size("data_parallel_size"), nodes)
        return Fraction(self.world_size * self.local_engines)

    @property
    def spans_pods(self) -> bool:
        """Whether Ray places ranks in other pods too: the GPUs of this container say nothing then."""
        backends = (self.value("distributed_executor_backend"), self.value("data_parallel_backend"))
        words = " ".join(
            word for key in ("command", "args") for word in strings(self.container.spec.get(key))
        )
        return (
            "ray" in backends
            or "RAY_ADDRESS" in self.env
            or any(start in words for start in ("ray start", "multi-node-serving.sh"))
            or self.resource.api_version.startswith("ray.io/")
        )

    @property
    def local_ranks(self) -> int:
        """Ranks of one engine in this container."""
        return max(1, int(self.local_gpus / self.local_engines))

    @property
    def ranks_through_shared_memory(self) -> bool:
        """Whether the engine talks to its ranks through /dev/shm.

        The CPU backend always does (vllm/platforms/cpu.py replaces the executor `uni` by `mp`), that of TPUs
        does not (tpu-inference drives all chips from one process), others with more than one rank, or when
        told to.
        """
        backend = self.value("distributed_executor_backend")
        if backend == "ray" or self.spans_pods or self.accelerator == "tpu":
            return False
        return self.accelerator == "cpu" or self.local_ranks > 1 or backend == "mp"

    def related_layout(self, note: str) -> Related:
        """The argument that decides the number of ranks, as a note to a problem elsewhere."""
        return Related(
            self.place("tensor_parallel_size", "pipeline_parallel_size", "data_parallel_size"), note
        )

    # The device

    @cached_property
    def gpus(self) -> Setting | None:
        """The GPUs of the container: their number, the field of the limit, and the resource's name."""
        limits = mapping(get(self.container.spec, ("resources", "limits")))
        for name, amount in limits.items():
            if isinstance(name, str) and _is_gpu(name):
                number = quantity.of(amount)
                count = _bounded(number) if number is not None and number.denominator == 1 else None
                return Setting(count, (*self.container.path, "resources", "limits", name), name)
        return None

    @property
    def accelerator(self) -> str | None:
        """cuda, rocm, xpu, tpu or cpu, by the image and else by the GPU resource; None where neither says."""
        if self.image is not None:
            return self.image.accelerator
        return None if self.gpus is None else ACCELERATORS.get(self.gpus.shown.partition("/")[0])

    @cached_property
    def gpu(self) -> Gpu | None:
        """The GPU product that the pod selects by a node label, or the slice that it asks for, or None.

        Of several products that the pod accepts it is the one with the least memory.
        """
        names = self.gpu_products
        if self.gpus is not None and "/mig-" in self.gpus.shown:
            names = [self.gpus.shown]
        try:
            return min(map(find_gpu, names), key=lambda gpu: gpu.memory, default=None)
        except Error:
            return None

    @property
    def gpu_products(self) -> list[str]:
        """The GPU products that the pod accepts, by the node labels that it insists on."""
        labels = _node_labels(self.pod.spec)
        return [value for label, values in labels if label in PRODUCT_LABELS for value in values]

    @property
    def cpu_cache_space(self) -> int | None:
        """Bytes that VLLM_CPU_KVCACHE_SPACE gives the KV cache, or None where it is unset or unreadable."""
        setting = self.env.get("VLLM_CPU_KVCACHE_SPACE")
        gibibytes = setting.value.strip() if setting is not None and isinstance(setting.value, str) else ""
        return int(gibibytes[:9]) << 30 if gibibytes.isascii() and gibibytes.isdigit() else None

    @property
    def memory_limit(self) -> Setting | None:
        """The memory limit in bytes."""
        written = get(self.container.spec, ("resources", "limits", "memory"))
        amount = quantity.of(written) if written is not None else None
        if amount is None:
            return None
        return Setting(
            _bounded(amount), (*self.container.path, "resources", "limits", "memory"), str(written)
        )

    # The API server

    @property
    def port(self) -> int:
        """The port that the API server listens on."""
        return self.count("port", 8000)

    @property
    def tls(self) -> bool:
        """Whether the API server speaks HTTPS (uvicorn does with a certificate)."""
        return self.value("ssl_certfile") is not None or self.value("ssl_keyfile") is not None

    @property
    def api_key(self) -> Setting | None:
        """The argument or variable that demands a key from clients (vllm/entrypoints/.../authenticate.py)."""
        return self.options.get("api_key") or self.env.get("VLLM_API_KEY")

    @property
    def probes(self) -> Iterator[tuple[FieldPath, Manifest]]:
        """The container's probes, each with its field."""
        for name in PROBES:
            probe = mapping(self.container.spec.get(name))
            if probe:
                yield (*self.container.path, name), probe

    @property
    def http_probes(self) -> Iterator[tuple[FieldPath, Manifest]]:
        """The `httpGet` of the probes that ask this server, not another container or host."""
        for path, probe in self.probes:
            action = mapping(probe.get("httpGet"))
            if action and not action.get("host") and action.get("port") in (*self.port_names, self.port):
                yield (*path, "httpGet"), action

    @property
    def port_names(self) -> list[str]:
        """The names of the container's ports that the API server listens on; one may be another process's."""
        ports = [port for _, port in items(self.container.spec.get("ports"), ())]
        return [text(port.get("name")) for port in ports if port.get("containerPort") == self.port]

    @property
    def autoscalers(self) -> Sequence[Resource]:
        """The autoscalers of the build that scale this workload."""
        return autoscalers(self.build, self.resource)

    @cached_property
    def files(self) -> Files:
        """Whom the container runs as, and where it reads and writes."""
        directory = self.value("download_dir")
        return Files(
            pod=self.pod,
            container=self.container,
            env=self.env,
            image=self.image,
            downloads=self.downloads,
            download_dir=directory if isinstance(directory, str) else None,
        )


def _is_on(setting: Setting | None) -> bool:
    return setting is not None and str(setting.value).lower() in ("1", "true", "yes", "on")


def _is_gpu(name: str) -> bool:
    domain, _, device = name.partition("/")
    return domain in ACCELERATORS and (device in _DEVICES or device.startswith("mig-"))


def _node_labels(spec: Manifest) -> Iterator[tuple[str, list[str]]]:
    """Node labels that the pod insists on, with the values it accepts."""
    for label, value in mapping(spec.get("nodeSelector")).items():
        yield str(label), [str(value)]
    required = (
        "affinity",
        "nodeAffinity",
        "requiredDuringSchedulingIgnoredDuringExecution",
        "nodeSelectorTerms",
    )
    for _, term in items(get(spec, required), ()):
        for _, expression in items(term.get("matchExpressions"), ()):
            values = expression.get("values")
            if expression.get("operator") == "In" and isinstance(values, list):
                yield text(expression.get("key")), [str(value) for value in values]


def _is_size(value: Any) -> TypeGuard[int]:
    """Whether a server can be divided into so many parts; no cluster has a million GPUs."""
    return isinstance(value, int) and not isinstance(value, bool) and 1 <= value <= 1_000_000


def _bounded(amount: Fraction) -> int:
    """A quantity as Kubernetes keeps it: in 64 bits, and the largest of these where it is larger."""
    return int(min(amount, Fraction(2**63 - 1)))
