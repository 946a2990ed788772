"""When a container counts as started, ready and alive: the kubelet's probe workers without a clock."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field, replace

from vllm_kustomize.model import Manifest

KINDS = ("startup", "readiness", "liveness")


@dataclass(frozen=True, slots=True)
class Probe:
    """A probe of the manifest with the API server's defaults filled in; times in seconds."""

    kind: str
    handler: Manifest
    initial_delay: float = 0
    period: float = 10
    timeout: float = 1
    success_threshold: int = 1
    failure_threshold: int = 3


@dataclass(frozen=True, slots=True)
class State:
    """What a probe has seen: `verdict` is None until a threshold is reached for the first time."""

    verdict: bool | None = None
    last: bool | None = None
    streak: int = 0
    passed: int = 0
    failed: int = 0


def probes(container: Manifest) -> dict[str, Probe]:
    """The container's probes by kind."""
    return {kind: _probe(kind, container[f"{kind}Probe"]) for kind in KINDS if container.get(f"{kind}Probe")}


def observe(probe: Probe, state: State, passed: bool) -> State:
    """Count one result: the verdict changes once it came often enough in a row (prober/worker.go)."""
    streak = state.streak + 1 if passed == state.last else 1
    threshold = probe.success_threshold if passed else probe.failure_threshold
    return State(
        verdict=passed if streak >= threshold else state.verdict,
        last=passed,
        streak=streak,
        passed=state.passed + passed,
        failed=state.failed + (not passed),
    )


@dataclass(frozen=True, slots=True)
class Health:
    """All probes of a container that started at time 0.

    Readiness and liveness wait until the startup probe has passed; after that it is not asked again.
    """

    probes: Mapping[str, Probe]
    states: Mapping[str, State] = field(default_factory=dict)
    next_at: Mapping[str, float] = field(default_factory=dict)

    def state(self, kind: str) -> State:
        """What a kind of probe has seen."""
        return self.states.get(kind, State())

    @property
    def started(self) -> bool:
        """Whether the startup probe has passed, or there is none."""
        return "startup" not in self.probes or self.state("startup").verdict is True

    @property
    def ready(self) -> bool:
        """Whether the Service sends traffic to the pod."""
        return self.started and ("readiness" not in self.probes or self.state("readiness").verdict is True)

    @property
    def settled(self) -> bool:
        """Whether the pod is ready and every probe has said for the first time what it thinks."""
        return self.ready and all(self.state(kind).verdict is not None for kind in self.probes)

    @property
    def failed(self) -> Probe | None:
        """The probe because of which the kubelet kills the container."""
        for kind in ("startup", "liveness"):
            if self.state(kind).verdict is False:
                return self.probes[kind]
        return None

    def due_at(self, kind: str) -> float:
        """When a probe runs next."""
        return self.next_at.get(kind, self.probes[kind].initial_delay)

    def next(self) -> Probe | None:
        """The probe that is due first."""
        active = [kind for kind in self.probes if (kind == "startup") != self.started]
        return self.probes[min(active, key=self.due_at)] if active else None

    def observe(self, kind: str, passed: bool, now: float) -> Health:
        """Take in the result of a probe that ran at time `now`."""
        state = observe(self.probes[kind], self.state(kind), passed)
        next_at = {**self.next_at, kind: max(self.due_at(kind), now) + self.probes[kind].period}
        return replace(self, states={**self.states, kind: state}, next_at=next_at)


def _probe(kind: str, manifest: Manifest) -> Probe:
    return Probe(
        kind,
        manifest,
        initial_delay=manifest.get("initialDelaySeconds", 0),
        period=manifest.get("periodSeconds", 10),
        timeout=manifest.get("timeoutSeconds", 1),
        success_threshold=manifest.get("successThreshold", 1),
        failure_threshold=manifest.get("failureThreshold", 3),
    )
