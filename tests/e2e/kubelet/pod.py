"""Read from the rendered objects what the kubelet has to start."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass

from e2e.kubelet.environment import environment, service_links
from e2e.kubelet.expansion import expand
from e2e.kubelet.objects import Identity, NotPlayed, NotStarted, Objects
from e2e.kubelet.probes import Probe, probes
from e2e.kubelet.volumes import Mount, plan
from vllm_kustomize.kubernetes import devices, pods, quantity
from vllm_kustomize.kubernetes.fields import mapping
from vllm_kustomize.model import Build, Manifest

ENTRYPOINT = ("vllm", "serve")
"""The entrypoint of vLLM's images (docker/Dockerfile of vLLM), for a container without `command`."""
HANDLERS = ("exec", "httpGet", "tcpSocket", "sleep")
"""What `handlers.py` can do for a probe or a lifecycle hook."""
RUNTIME_CAPABILITIES = [
    "chown",
    "dac_override",
    "fowner",
    "fsetid",
    "kill",
    "setgid",
    "setuid",
    "setpcap",
    "net_bind_service",
    "net_raw",
    "sys_chroot",
    "mknod",
    "audit_write",
    "setfcap",
]
"""What containerd leaves to a container that says nothing about capabilities."""


@dataclass(frozen=True, slots=True)
class User:
    """Whom the process runs as and what it may; capabilities by their lower-case names."""

    uid: int
    gid: int
    groups: tuple[int, ...]
    capabilities: tuple[str, ...]
    no_new_privileges: bool
    fs_group: int | None


@dataclass(frozen=True, slots=True)
class Pod:
    """One pod with one container, ready to be started; `template` and `container` are its sources."""

    template: pods.Pod
    container: pods.Container
    identity: Identity
    image: str
    command: tuple[str, ...]
    variables: Mapping[str, str]
    working_directory: str
    mounts: tuple[Mount, ...]
    probes: Mapping[str, Probe]
    user: User
    ports: Mapping[str, int]
    pre_stop: Manifest | None
    grace_period: float
    memory_limit: int
    gpus: tuple[str, ...]
    read_only_root: bool
    not_played: tuple[str, ...]

    def find_port(self, wanted: str | int) -> int | None:
        """The number of a port that a probe or a Service names; None for a name it does not know."""
        return wanted if isinstance(wanted, int) else self.ports.get(wanted)


@dataclass(frozen=True, slots=True)
class ServicePort:
    """A port of a Service, and the pod's port behind it."""

    service: str
    namespace: str
    port: int
    pod_port: int


def vllm_pod(build: Build) -> Pod:
    """The first pod of a build that runs vLLM.

    Raises `NotStarted` where the kubelet would not start it, `NotPlayed` where it needs what is not known
    here or no object runs vLLM.
    """
    objects = Objects.of(build.resources)
    for resource in build.resources:
        for template in pods.pods(resource):
            for container in template.servers:
                return _pod(template, container, objects)
    raise NotPlayed("no object of the build runs vLLM")


def service_ports(pod: Pod, build: Build) -> list[ServicePort]:
    """The ports of the Services that select the pod, as far as they lead to a port that it has."""
    labels = mapping(pod.identity.metadata.get("labels"))
    return [
        ServicePort(
            service["metadata"]["name"],
            service["metadata"].get("namespace") or "default",
            port["port"],
            target,
        )
        for service in Objects.of(build.resources).of_kind("Service")
        if (selector := mapping(mapping(service.get("spec")).get("selector")))
        and selector.items() <= labels.items()
        for port in service["spec"].get("ports") or ()
        if (target := pod.find_port(port.get("targetPort", port["port"]))) is not None
    ]


def _pod(template: pods.Pod, server: pods.Container, objects: Objects) -> Pod:
    resource, spec, container = template.resource, template.spec, server.spec
    namespace = resource.namespace or "default"
    identity = Identity(
        f"{resource.name}-0",
        namespace,
        mapping(template.template.get("metadata")),
        spec.get("serviceAccountName") or "default",
    )
    pre_stop = mapping(mapping(container.get("lifecycle")).get("preStop")) or None
    of_kind = probes(container)
    for handler in (*(probe.handler for probe in of_kind.values()), *([pre_stop] if pre_stop else [])):
        if not any(name in handler for name in HANDLERS):
            raise NotPlayed(f"a probe or hook with {', '.join(handler)}")
    links = service_links(objects, namespace) if spec.get("enableServiceLinks", True) else {}
    variables = environment(container, objects, identity, links)
    command = container.get("command") or ENTRYPOINT
    return Pod(
        template=template,
        container=server,
        identity=identity,
        image=container["image"],
        command=tuple(expand(word, variables) for word in (*command, *(container.get("args") or ()))),
        variables=variables,
        working_directory=container.get("workingDir") or "/",
        mounts=plan(spec, container, objects, variables),
        probes=of_kind,
        user=_user(mapping(spec.get("securityContext")), mapping(container.get("securityContext"))),
        ports={
            port["name"]: port["containerPort"] for port in container.get("ports") or () if "name" in port
        },
        pre_stop=pre_stop,
        grace_period=spec.get("terminationGracePeriodSeconds", 30),
        memory_limit=int(
            quantity.parse(str(mapping(mapping(container.get("resources")).get("limits")).get("memory") or 0))
        ),
        gpus=tuple(devices.gpus(mapping(mapping(container.get("resources")).get("limits")))),
        read_only_root=bool(mapping(container.get("securityContext")).get("readOnlyRootFilesystem")),
        not_played=tuple(_not_played(spec, container)),
    )


def _user(of_pod: Manifest, of_container: Manifest) -> User:
    both = {**of_pod, **of_container}
    changes = mapping(both.get("capabilities"))
    names = {word.lower().removeprefix("cap_") for word in changes.get("drop") or ()}
    kept = [] if "all" in names else [name for name in RUNTIME_CAPABILITIES if name not in names]
    if both.get("privileged"):
        kept = ["all"]
    added = [word.lower().removeprefix("cap_") for word in changes.get("add") or ()]
    uid = both.get("runAsUser", 0)
    if both.get("runAsNonRoot") and uid == 0:
        # vLLM's images run as root unless the manifest says otherwise.
        raise NotStarted("CreateContainerConfigError: container has runAsNonRoot and image will run as root")
    fs_group = of_pod.get("fsGroup")
    groups = [*(of_pod.get("supplementalGroups") or ()), *([fs_group] if fs_group is not None else ())]
    return User(
        uid,
        both.get("runAsGroup", 0),
        tuple(groups),
        tuple(dict.fromkeys([*kept, *added])),
        both.get("allowPrivilegeEscalation") is False,
        fs_group,
    )


def _not_played(spec: Manifest, container: Manifest) -> Iterable[str]:
    """What the manifest says and nobody here enforces."""
    limits = mapping(mapping(container.get("resources")).get("limits"))
    extended = [f"{name}: {limits[name]}" for name in limits if "/" in name]
    if extended:
        yield f"extended resources ({', '.join(extended)})"
    if limits.get("memory"):
        yield f"the memory limit of {limits['memory']} (the server sees it)"
    if limits.get("cpu"):
        yield "the CPU limit"
    both = {**mapping(spec.get("securityContext")), **mapping(container.get("securityContext"))}
    if mapping(both.get("seccompProfile")):
        yield f"the seccomp profile {both['seccompProfile'].get('type')}"
    for key in ("nodeSelector", "tolerations", "affinity", "topologySpreadConstraints", "runtimeClassName"):
        if spec.get(key):
            yield f"{key} (there is no scheduler)"
    for key in ("hostNetwork", "hostPID"):
        if spec.get(key):
            yield f"{key} (the pod has a network and processes of its own)"
    if spec.get("hostIPC"):
        yield "hostIPC (the pod has shared memory of its own)"
    others = [
        one.get("name", "")
        for one in (*(spec.get("initContainers") or ()), *spec["containers"])
        if one != container
    ]
    if others:
        yield f"the containers {', '.join(others)}"
