"""Play one overlay: start its pod, use it, shut it down."""

from __future__ import annotations

import posixpath
import re
import subprocess
from collections.abc import Sequence
from dataclasses import dataclass, replace
from pathlib import Path

from e2e import tiny_model
from e2e.client import Answer, Client, Stream
from e2e.image import Installation
from e2e.kubelet.kubelet import Kubelet, Shutdown
from e2e.kubelet.network import ServiceProxy, name_services
from e2e.kubelet.objects import NotPlayed, NotStarted
from e2e.kubelet.pod import Pod, ServicePort, service_ports, vllm_pod
from e2e.kubelet.probes import KINDS
from e2e.kubelet.volumes import covering
from e2e.server_line import ServerLine, read_line
from vllm_kustomize import pipeline
from vllm_kustomize.kustomize.load import load_rendered
from vllm_kustomize.model import Build

PATIENCE = 480
"""Seconds after which a pod that is neither ready nor dead is given up."""
IN_FLIGHT = 12
"""Seconds that the answer lasts which is in flight at SIGTERM, if the server stays as fast as it was."""
LEAST_IN_FLIGHT = 3000
"""Tokens of that answer, however slow the server was: two cores that become idle make 560 a second."""
WARM_UP_TOKENS = 300

_ERROR = re.compile(r"^(?!.*\b(?:INFO|WARNING)\b).*?\b((?:[A-Z]\w*Error|error): .+)", re.MULTILINE)
"""The first error in a server's log is the cause; what follows is who noticed."""
_UNKNOWN_VARIABLE = re.compile(r"Unknown vLLM environment variable detected: (\w+)")


@dataclass(frozen=True, slots=True)
class Outcome:
    """What came of one overlay; `failure` is empty where everything went as it should.

    `startup` is in seconds until the pod was ready, None where it never was; `memory` in bytes, after the
    first answers. `notes` say what was different from a cluster.
    """

    failure: str = ""
    startup: float | None = None
    probes: str = ""
    curl: Answer | None = None
    chat: Answer | None = None
    in_flight: Answer | None = None
    memory: int = 0
    shutdown: Shutdown | None = None
    notes: tuple[str, ...] = ()


def play(overlay: Path, vllm: Installation, directory: Path, claims: Path, log: Path) -> Outcome:
    """Run what the overlay renders; `directory` is for this run alone, `claims` holds the volumes that stay.

    Raises `NotPlayed` for what this kubelet does not know, `vllm_kustomize.model.Error` where the overlay
    does not build.
    """
    build = Build(tuple(load_rendered(pipeline.build(str(overlay)), overlay.name)))
    try:
        pod = vllm_pod(build)
    except NotStarted as error:
        return Outcome(str(error))
    line = read_line(pod, build, vllm.release)
    notes = _notes(pod, vllm, line)
    if pod.gpus:
        pod = replace(pod, variables={"VLLM_CPU_KVCACHE_SPACE": "1", **pod.variables})
    _lay_out_model(line.model, pod, vllm, directory, claims)
    image = vllm.image(pod, directory / "image")
    with Kubelet(pod, image, directory, claims, log) as kubelet:
        outcome = _use(kubelet, service_ports(pod, build), line)
    text = log.read_text(errors="replace")
    unknown = sorted(set(_UNKNOWN_VARIABLE.findall(text)))
    if unknown:
        notes = (*notes, f"vLLM does not know the variables {', '.join(unknown)}")
    cause = _ERROR.search(text)
    if kubelet.death and cause:
        outcome = replace(outcome, failure=f"{outcome.failure}: {cause[1]}")
    return replace(outcome, startup=kubelet.ready_after, probes=_probes(kubelet), notes=notes)


def _use(kubelet: Kubelet, ports: Sequence[ServicePort], line: ServerLine) -> Outcome:
    """Wait for the pod, send it requests, delete it while it answers one."""
    if not kubelet.wait_until_settled(PATIENCE):
        return Outcome(kubelet.death or f"not ready after {PATIENCE} s")
    if not ports:
        return Outcome("no Service leads to the pod")
    name_services(ports)
    proxy = ServiceProxy(ports, lambda: kubelet.ready)
    first = ports[0]
    client = Client(f"{first.service}.{first.namespace}.svc.cluster.local", first.port, line.name, line.key)
    curl, chat = client.curl(), client.chat()
    failure = next(
        (f"{name}: {answer.error}" for name, answer in (("curl", curl), ("chat", chat)) if answer.error), ""
    )
    outcome = Outcome(failure, curl=curl, chat=chat)
    if failure:
        return outcome
    warm = client.stream(WARM_UP_TOKENS).result()
    if warm.error:
        return replace(outcome, failure=f"a streamed answer: {warm.error}")
    outcome = replace(outcome, memory=kubelet.memory())
    streams: list[Stream] = []
    served_during_pre_stop: list[Answer] = []

    def before_sigterm() -> None:
        served_during_pre_stop.append(client.curl())
        streams.append(client.stream(max(LEAST_IN_FLIGHT, int(IN_FLIGHT * warm.tokens / warm.seconds))))
        streams[0].wait_for_first_token()

    shutdown = kubelet.delete(before_sigterm)
    proxy.close()
    in_flight = streams[0].result()
    return replace(
        outcome,
        failure=_shutdown_failure(shutdown, served_during_pre_stop[0], in_flight),
        shutdown=shutdown,
        in_flight=in_flight,
    )


def _shutdown_failure(shutdown: Shutdown, late: Answer, in_flight: Answer) -> str:
    failures = []
    if shutdown.pre_stop_error:
        failures.append(f"preStop: {shutdown.pre_stop_error}")
    if late.error:
        failures.append(f"a request at the end of preStop: {late.error}")
    if in_flight.error:
        failures.append(f"the answer in flight at SIGTERM was {in_flight.error}")
    if shutdown.killed:
        failures.append(f"SIGKILL {shutdown.drain:.0f} s after SIGTERM")
    return "; ".join(failures)


def _lay_out_model(model: str, pod: Pod, vllm: Installation, directory: Path, claims: Path) -> None:
    """Put a tiny model into the volume that holds the container's Hugging Face cache."""
    environment = {**vllm.image(pod, directory / "image").environment, **pod.variables}
    cache = environment.get("HF_HOME") or posixpath.join(environment["HOME"], ".cache/huggingface")
    hub = environment.get("HF_HUB_CACHE") or posixpath.join(cache, "hub")
    found = covering(hub, pod.mounts)
    if found is None or found[0].kind != "folder":
        raise NotPlayed(f"the Hugging Face cache at {hub} is on no claim or emptyDir")
    mount, path = found
    target = mount.source(directory, claims) / path
    done = subprocess.run(
        [vllm.python, tiny_model.__file__, model, target], capture_output=True, text=True, check=False
    )
    if done.returncode:
        raise NotPlayed(done.stderr.strip().rpartition("\n")[2])


def _probes(kubelet: Kubelet) -> str:
    """Passed of all runs of the startup, readiness and liveness probe; `-` for one that there is not."""
    return " ".join(
        f"{state.passed}/{state.passed + state.failed}" if kind in kubelet.health.probes else "-"
        for kind, state in ((kind, kubelet.health.state(kind)) for kind in KINDS)
    )


def _notes(pod: Pod, vllm: Installation, line: ServerLine) -> tuple[str, ...]:
    """In what this run differs from the manifest's."""
    build = "CPU build" if vllm.is_cpu else "build"
    notes = [f"vLLM {vllm.release} ({build}) stands in for {pod.image}; {line.comparison}"]
    if pod.gpus:
        devices = ", ".join(pod.gpus)
        notes.append(f"the CPU stands in for {devices}, VLLM_CPU_KVCACHE_SPACE=1 for the GPU's memory")
    if pod.not_played:
        notes.append(f"not enforced: {'; '.join(pod.not_played)}")
    return tuple(notes)
