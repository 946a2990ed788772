"""Find the containers of a build that run vLLM, and read each into a `Server`."""

from __future__ import annotations

from vllm_kustomize.kubernetes.controllers import Effect
from vllm_kustomize.kubernetes.fields import items, text
from vllm_kustomize.kubernetes.images import image_of
from vllm_kustomize.kubernetes.pods import Container, Pod, all_pods
from vllm_kustomize.model import Build, FieldPath, Resource, Undecided
from vllm_kustomize.vllm.cli.parser import Given, parse
from vllm_kustomize.vllm.container.commandline import CommandLine, NotRead, command_line
from vllm_kustomize.vllm.container.environment import UNKNOWN, environment
from vllm_kustomize.vllm.container.release import release_of
from vllm_kustomize.vllm.server import Server
from vllm_kustomize.vllm.setting import Setting
from vllm_kustomize.wording import shorten


def servers(
    build: Build, vllm_version: str = "", faults: list[tuple[Resource, Exception]] | None = None
) -> tuple[tuple[Server, ...], tuple[Undecided, ...]]:
    """The vLLM servers of a build, and the containers that cannot be read as one, each with the reason.

    `vllm_version` comes before what the images' tags say. `faults` takes what is raised for a container, so
    that the others are read; without it nothing is caught.
    """
    found: list[Server] = []
    unread: list[Undecided] = []
    for pod in (pod for resource in build.resources for pod in all_pods(resource)):
        for container in pod.containers:
            try:
                server = _server(build, pod, container, vllm_version)
            except Exception as fault:
                if faults is None:
                    raise
                faults.append((pod.resource, fault))
                continue
            if isinstance(server, Server):
                found.append(server)
            elif server is not None:
                unread.append(Undecided(server.reason, f"{container} of {pod.resource}"))
    return tuple(found), tuple(unread)


def _replaced(pod: Pod, container: Container) -> NotRead | None:
    """Why the manifest's command line is not the one that runs: a controller writes another."""
    controller = pod.controller
    if controller is None:
        return None
    for field in ("command", "args"):
        effect = pod.effect(f"containers.{field}", container)
        if effect is Effect.OVERWRITES:
            return NotRead(f"{controller.name} replaces its {field}")
    filled = all(
        pod.effect(f"containers.{field}", container) is Effect.FILLS for field in ("command", "args")
    )
    if filled and not container.spec.get("command"):
        return NotRead(f"{controller.name} fills in its command")
    return None


def _server(build: Build, pod: Pod, container: Container, vllm_version: str) -> Server | NotRead | None:
    line = command_line(build, pod, container)
    if line is None or isinstance(line, NotRead):
        return line
    replaced = _replaced(pod, container)
    if replaced is not None:
        return replaced
    running = release_of(container, vllm_version)
    parsed = parse(line.texts, running.release, line.read, serve=line.serve)
    if parsed.unknown:
        return NotRead(parsed.unknown)
    return Server(
        build=build,
        pod=pod,
        container=container,
        line=line,
        parsed=parsed,
        release=running.version or running.release.version,
        exact=running.exact,
        assumed=not running.version,
        options={dest: _setting(given, line) for dest, given in parsed.given.items()},
        defaults=parsed.values,
        env=_variables(build, pod, container),
        image=image_of(container.image),
    )


def _setting(given: Given, line: CommandLine) -> Setting:
    """An option with the field that sets it, quoted as it is written."""
    argument = line.arguments[given.index]
    shown = argument.text
    if given.key:
        shown = f"{given.key}: {given.value}"
    elif given.name and "=" not in shown and not isinstance(given.value, bool):
        following = line.arguments[given.index + 1 : given.index + 2]
        shown = "=".join([shown, *(argument.text for argument in following)])
    return Setting(given.value, argument.path, shorten(shown.replace(UNKNOWN, ""), 100))


def _variables(build: Build, pod: Pod, container: Container) -> dict[str, Setting]:
    """The container's variables, with the fields that set them; None for what only the cluster knows."""
    places: dict[str, FieldPath] = {}
    for path, variable in items(container.spec.get("env"), (*container.path, "env")):
        key = "valueFrom" if "valueFrom" in variable else "value"
        places[text(variable.get("name"))] = (*path, key)
    return {
        name: Setting(
            None if UNKNOWN in value else value,
            places.get(name, (*container.path, "envFrom")),
            shorten(f"{name}={value}".replace(UNKNOWN, ""), 100),
        )
        for name, value in environment(build, pod, container).items()
    }
