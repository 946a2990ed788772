"""Start a pod, probe it, and shut it down, as the kubelet does for one container.

It differs on purpose in one point: a container that ends or is killed is not started again, its end is the
result.
"""

from __future__ import annotations

import signal
import threading
import time
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

from e2e.kubelet.handlers import handle
from e2e.kubelet.network import listening
from e2e.kubelet.pod import Pod
from e2e.kubelet.probes import Health, Probe
from e2e.kubelet.sandbox import Image, Sandbox

LEAST_GRACE = 2.0
"""Seconds from SIGTERM to SIGKILL that remain even where preStop took all of the grace period."""


@dataclass(frozen=True, slots=True)
class Shutdown:
    """How a container ended, in seconds; `killed` when SIGKILL had to end it."""

    pre_stop: float
    pre_stop_error: str
    drain: float
    exit_code: int
    killed: bool


class Kubelet:
    """One pod on one node."""

    def __init__(self, pod: Pod, image: Image, directory: Path, claims: Path, log: Path) -> None:
        """Start the pod's container; its output goes to the file `log`."""
        self._pod = pod
        self._begin = time.monotonic()
        self._sandbox = Sandbox(pod, image, directory, claims, log)
        self._stop = threading.Event()
        self.health = Health(pod.probes)
        self.death = ""
        """Why the container is dead although nobody deleted the pod."""
        self.ready_after: float | None = None
        """The seconds that the pod took to become ready for the first time."""
        self._watcher = threading.Thread(target=self._watch, daemon=True)
        self._watcher.start()

    def __enter__(self) -> Kubelet:
        return self

    def __exit__(self, *_: object) -> None:
        self._stop.set()
        self._sandbox.kill()
        self._watcher.join()

    @property
    def ready(self) -> bool:
        """Whether the pod takes traffic."""
        return not self.death and self.health.ready

    def wait_until_settled(self, seconds: float) -> bool:
        """Wait until the pod is ready and its probes agree; False where it died or takes too long."""
        while self._age() < seconds and not self.death:
            if self.health.settled:
                return True
            time.sleep(0.1)
        return False

    def memory(self) -> int:
        """The bytes that the container uses now."""
        return self._sandbox.memory()

    def delete(self, before_sigterm: Callable[[], None]) -> Shutdown:
        """Run preStop, send SIGTERM, wait for what is left of the grace period, send SIGKILL.

        `before_sigterm` is called right before the signal.
        """
        self._stop.set()
        self._watcher.join()
        begin = time.monotonic()
        error = ""
        if self._pod.pre_stop:
            error = handle(self._pod.pre_stop, self._pod, self._sandbox, self._pod.grace_period)
        pre_stop = time.monotonic() - begin
        before_sigterm()
        left = max(LEAST_GRACE, self._pod.grace_period - (time.monotonic() - begin))
        signalled = time.monotonic()
        self._sandbox.send(signal.SIGTERM)
        code = self._sandbox.wait(left)
        killed = code is None
        if killed:
            self._sandbox.kill()
        drain = time.monotonic() - signalled
        return Shutdown(pre_stop, error, drain, 137 if code is None else code, killed)

    def _age(self) -> float:
        return time.monotonic() - self._begin

    def _watch(self) -> None:
        """Probe whatever is due until the container is dead or the pod deleted."""
        while not self._stop.wait(0.1):
            code = self._sandbox.exit_code
            if code is not None:
                self.death = f"the container ended with code {code}"
                return
            probe = self.health.next()
            if probe and self.health.due_at(probe.kind) <= self._age():
                error = handle(probe.handler, self._pod, self._sandbox, probe.timeout)
                self.health = self.health.observe(probe.kind, not error, self._age())
                if self.health.ready and self.ready_after is None:
                    self.ready_after = self._age()
                if self.health.failed:
                    self.death = self._killed_by(probe, error)
                    self._sandbox.kill()
                    return

    def _killed_by(self, probe: Probe, error: str) -> str:
        ports = ", ".join(map(str, listening()))
        return (
            f"the {probe.kind} probe failed {probe.failure_threshold} times in a row ({error}); "
            f"ports that were listening: {ports or 'none'}"
        )
