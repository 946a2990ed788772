"""Record which pods a namespace that enforces a standard admits, and which workloads it warns of."""

# Tables of values, one kind per line.

from __future__ import annotations

import copy
from collections.abc import Iterable, Iterator, Mapping
from typing import Any

from record.client import Client

STANDARDS = (
    ("baseline", "latest"),
    ("baseline", "v1.25"),
    ("baseline", "v1.31"),
    ("restricted", "latest"),
    ("restricted", "v1.25"),
    ("restricted", "v1.31"),
)
CONTEXT = {"allowPrivilegeEscalation": False, "capabilities": {"drop": ["ALL"]}}
POD: dict[str, Any] = {
    "apiVersion": "v1",
    "kind": "Pod",
    "metadata": {"name": "p"},
    "spec": {
        "securityContext": {"runAsNonRoot": True, "seccompProfile": {"type": "RuntimeDefault"}},
        "initContainers": [{"name": "i", "image": "a:1", "securityContext": CONTEXT}],
        "containers": [
            {"name": "c", "image": "a:1", "ports": [{"containerPort": 8000}], "securityContext": CONTEXT},
            {"name": "d", "image": "a:1", "securityContext": CONTEXT},
        ],
    },
}
"""A pod that passes every standard."""

Values = Mapping[str, tuple[Any, ...]]
"""Values to try, by the name of the field."""

SHARED: Values = {
    "runAsNonRoot": (True, False),
    "runAsUser": (0, 1, 1000),
    "seccompProfile": (
        {"type": "RuntimeDefault"},
        {"type": "Unconfined"},
        {"type": "Localhost", "localhostProfile": "a.json"},
    ),
    "appArmorProfile": (
        {"type": "RuntimeDefault"},
        {"type": "Unconfined"},
        {"type": "Localhost", "localhostProfile": "a"},
    ),
    "seLinuxOptions": (
        {},
        {"type": ""},
        {"type": "container_t"},
        {"type": "container_init_t"},
        {"type": "container_kvm_t"},
        {"type": "container_engine_t"},
        {"type": "container_file_t"},
        {"type": "spc_t"},
        {"user": "u"},
        {"role": "r"},
        {"level": "s0:c1"},
    ),
    "windowsOptions": ({"hostProcess": False}, {"runAsUserName": "u"}),
}
OF_CONTAINERS: Values = {
    "privileged": (True, False),
    "allowPrivilegeEscalation": (True, False, None),
    "readOnlyRootFilesystem": (True, False),
    "procMount": ("Default", "Unmasked"),
    "capabilities": (
        None,
        {},
        {"drop": []},
        {"drop": ["NET_RAW"]},
        {"drop": ["all"]},
        {"drop": ["NET_RAW", "ALL"]},
        {"drop": ["ALL"], "add": ["NET_BIND_SERVICE"]},
        {"drop": ["ALL"], "add": ["CHOWN"]},
        {"drop": ["ALL"], "add": ["CAP_CHOWN"]},
        {"drop": ["ALL"], "add": ["chown"]},
        {"drop": ["ALL"], "add": ["NET_RAW"]},
        {"drop": ["ALL"], "add": ["SYS_PTRACE"]},
        {"drop": ["ALL"], "add": ["ALL"]},
        {"add": ["MKNOD", "NET_ADMIN"]},
        {"add": ["SETPCAP", "AUDIT_WRITE", "SYS_CHROOT", "FSETID", "KILL"]},
    ),
}
SYSCTLS = (
    "kernel.msgmax",
    "kernel.shm_rmid_forced",
    "kernel.shmmax",
    "net.core.somaxconn",
    "net.ipv4.ip_local_port_range",
    "net.ipv4.ip_local_reserved_ports",
    "net.ipv4.ip_unprivileged_port_start",
    "net.ipv4.ping_group_range",
    "net.ipv4.tcp_fin_timeout",
    "net.ipv4.tcp_keepalive_intvl",
    "net.ipv4.tcp_keepalive_probes",
    "net.ipv4.tcp_keepalive_time",
    "net.ipv4.tcp_notsent_lowat",
    "net.ipv4.tcp_rmem",
    "net.ipv4.tcp_slow_start_after_idle",
    "net.ipv4.tcp_syncookies",
    "net.ipv4.tcp_wmem",
    "net/ipv4/tcp_syncookies",
)
CLAIM = {"accessModes": ["ReadWriteOnce"], "resources": {"requests": {"storage": "1Gi"}}}
SOURCES: tuple[Mapping[str, Any], ...] = (
    {},
    {"emptyDir": {}},
    {"hostPath": {"path": "/"}},
    {"configMap": {"name": "x"}},
    {"secret": {"secretName": "x"}},
    {"persistentVolumeClaim": {"claimName": "x"}},
    {"projected": {"sources": [{"configMap": {"name": "x"}}]}},
    {"downwardAPI": {"items": [{"path": "a", "fieldRef": {"fieldPath": "metadata.name"}}]}},
    {"csi": {"driver": "d.example.com"}},
    {"image": {"reference": "a:1"}},
    {"ephemeral": {"volumeClaimTemplate": {"spec": CLAIM}}},
    {"nfs": {"server": "s", "path": "/"}},
    {"iscsi": {"targetPortal": "1.1.1.1", "iqn": "iqn.2001-04.com.example:s", "lun": 0}},
    {"gitRepo": {"repository": "r"}},
    {"cephfs": {"monitors": ["m"]}},
    {"fc": {"targetWWNs": ["w"], "lun": 0}},
    {"azureFile": {"secretName": "s", "shareName": "n"}},
    {"flexVolume": {"driver": "a/b"}},
)
OF_PODS: Values = {
    "hostNetwork": (True, False),
    "hostPID": (True, False),
    "hostIPC": (True, False),
    "hostUsers": (True, False),
    "os": ({"name": "linux"}, {"name": "windows"}),
    "volumes": tuple([{"name": "v", **source}] for source in SOURCES),
}
ANNOTATIONS = tuple(
    {key: value}
    for key in (
        "container.apparmor.security.beta.kubernetes.io/c",
        "seccomp.security.alpha.kubernetes.io/pod",
        "container.seccomp.security.alpha.kubernetes.io/c",
    )
    for value in ("runtime/default", "unconfined", "localhost/a", "")
)
HANDLERS: tuple[Mapping[str, Any], ...] = (
    {"httpGet": {"port": 80}},
    {"httpGet": {"port": 80, "host": "example.com"}},
    {"httpGet": {"port": 80, "host": ""}},
    {"tcpSocket": {"port": 80}},
    {"tcpSocket": {"port": 80, "host": "10.0.0.1"}},
    {"exec": {"command": ["true"]}},
)
PORTS = (
    {"containerPort": 80},
    {"containerPort": 80, "hostPort": 80},
    {"containerPort": 80, "hostPort": 0},
)
LISTS = (("initContainers", 0), ("containers", 0), ("containers", 1))


def pods() -> Iterator[dict[str, Any]]:
    """Pods that differ from one that passes everything in one respect, or in two that belong together."""
    yield POD
    for users in (None, False):
        for pod in _single():
            yield pod if users is None else _with(pod, ("spec", "hostUsers"), users)
    for pod in _single():
        yield _with(pod, ("spec", "securityContext", "runAsNonRoot"), None)
        yield _with(pod, ("spec", "securityContext", "seccompProfile"), None)
        yield _with(_bare(pod), ("spec", "os"), {"name": "windows"})


def objects() -> Iterator[dict[str, Any]]:
    """Each pod, and for the latest standards a Deployment of it."""
    for level, version in STANDARDS:
        for pod in pods():
            yield {"level": level, "version": version, "kind": "Pod", "object": pod}
            if version == "latest":
                deployment = {"level": level, "version": version, "kind": "Deployment"}
                yield {**deployment, "object": _deployment(pod)}


def record(client: Client, asked: Iterable[Mapping[str, Any]]) -> Iterator[dict[str, Any]]:
    """Ask about objects, each in the namespace that enforces its standard.

    What the server refuses for another reason than Pod Security says nothing of it, and is left out.
    """
    for level, version in STANDARDS:
        labels = {
            "pod-security.kubernetes.io/enforce": level,
            "pod-security.kubernetes.io/enforce-version": version,
        }
        metadata = {"name": _namespace(level, version), "labels": labels}
        namespace = {"apiVersion": "v1", "kind": "Namespace", "metadata": metadata}
        client.create(namespace, client.place(namespace), dry_run=False)

    def ask(row: Mapping[str, Any]) -> dict[str, Any] | None:
        manifest = _with(row["object"], ("metadata", "namespace"), _namespace(row["level"], row["version"]))
        answer = client.create(manifest, client.place(manifest))
        warned = [warning for warning in answer.warnings if "violate PodSecurity" in warning]
        message = "" if answer.accepted else str(answer.body.get("message", ""))
        if not answer.accepted and "violates PodSecurity" not in message:
            return None
        accepted = answer.accepted and not warned
        return {**row, "accepted": accepted, "message": message or (warned[0] if warned else "")}

    for verdict in client.each(ask, asked):
        if verdict is not None:
            yield verdict


def _single() -> Iterator[dict[str, Any]]:
    for name, value in _pairs(OF_PODS):
        yield _with(POD, ("spec", name), value)
    for name, value in _pairs(
        {**SHARED, "sysctls": tuple([{"name": each, "value": "1"}] for each in SYSCTLS)}
    ):
        yield _with(POD, ("spec", "securityContext", name), value)
    for field, index in LISTS:
        for name, value in _pairs({**SHARED, **OF_CONTAINERS}):
            yield _with(POD, ("spec", field, index, "securityContext", name), value)
        yield _with(POD, ("spec", field, index, "securityContext"), None)
        yield _with(POD, ("spec", field, index, "securityContext"), {})
        for port in PORTS:
            yield _with(POD, ("spec", field, index, "ports"), [port])
    for marks in ANNOTATIONS:
        yield _with(POD, ("metadata", "annotations"), marks)
    for handler in HANDLERS:
        for probe in ("livenessProbe", "readinessProbe", "startupProbe"):
            yield _with(POD, ("spec", "containers", 0, probe), handler)
        for hook in ("postStart", "preStop"):
            yield _with(POD, ("spec", "containers", 0, "lifecycle"), {hook: handler})


def _pairs(values: Values) -> Iterator[tuple[str, Any]]:
    return ((name, value) for name, several in values.items() for value in several)


def _bare(pod: Mapping[str, Any]) -> dict[str, Any]:
    """A pod without what no Windows pod may have."""
    bare = copy.deepcopy(dict(pod))
    for field, index in LISTS:
        context = bare["spec"][field][index].get("securityContext") or {}
        for name in ("allowPrivilegeEscalation", "capabilities"):
            context.pop(name, None)
    (bare["spec"].get("securityContext") or {}).pop("seccompProfile", None)
    return bare


def _with(pod: Mapping[str, Any], path: tuple[str | int, ...], value: Any) -> dict[str, Any]:
    """The pod with a value at a path; None takes away what is there."""
    changed: dict[str, Any] = copy.deepcopy(dict(pod))
    parent: Any = changed
    for step in path[:-1]:
        if isinstance(parent, dict) and parent.get(step) is None:
            parent[step] = {}
        parent = parent[step]
    if value is None:
        parent.pop(path[-1], None)
    else:
        parent[path[-1]] = copy.deepcopy(value)
    return changed


def _deployment(pod: Mapping[str, Any]) -> dict[str, Any]:
    labels = {"a": "b"}
    metadata = {"labels": labels, **{k: v for k, v in pod["metadata"].items() if k == "annotations"}}
    spec = {"selector": {"matchLabels": labels}, "template": {"metadata": metadata, "spec": pod["spec"]}}
    return {"apiVersion": "apps/v1", "kind": "Deployment", "metadata": {"name": "d"}, "spec": spec}


def _namespace(level: str, version: str) -> str:
    return f"{level}-{version.replace('.', '-')}"
