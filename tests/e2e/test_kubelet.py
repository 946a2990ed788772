"""The kubelet's decisions, without starting anything."""

from __future__ import annotations

import base64
from pathlib import Path
from typing import Any

import pytest

from e2e.kubelet.environment import environment, service_links
from e2e.kubelet.expansion import expand
from e2e.kubelet.objects import Identity, NotPlayed, NotStarted, Objects
from e2e.kubelet.pod import Pod, service_ports, vllm_pod
from e2e.kubelet.probes import Health, probes
from e2e.kubelet.volumes import Mount, covering, plan
from vllm_kustomize.model import Build, Resource

IDENTITY = Identity("vllm-0", "default", {"labels": {"tier": "gold"}}, "default")


def secret(name: str, **data: str) -> Resource:
    encoded = {key: base64.b64encode(value.encode()).decode() for key, value in data.items()}
    return Resource({"kind": "Secret", "metadata": {"name": name}, "data": encoded})


def config(name: str, **data: str) -> Resource:
    return Resource({"kind": "ConfigMap", "metadata": {"name": name}, "data": data})


def claim(name: str) -> Resource:
    return Resource({"kind": "PersistentVolumeClaim", "metadata": {"name": name}})


def service(name: str = "vllm-server", **spec: Any) -> Resource:
    return Resource({"kind": "Service", "metadata": {"name": name}, "spec": spec})


def deployment(container: dict[str, Any], **spec: Any) -> Resource:
    whole = {"name": "vllm", "image": "vllm/vllm-openai:v0.33.0", **container}
    template = {"metadata": {"labels": {"app": "vllm"}}, "spec": {"containers": [whole], **spec}}
    return Resource({"kind": "Deployment", "metadata": {"name": "vllm"}, "spec": {"template": template}})


def pod_of(*resources: Resource) -> Pod:
    return vllm_pod(Build(resources))


def variables(
    *entries: dict[str, Any], objects: tuple[Resource, ...] = (), **container: Any
) -> dict[str, str]:
    return environment({"env": entries, **container}, Objects.of(objects), IDENTITY, {})


@pytest.mark.parametrize(
    ("text", "expanded"),
    [
        ("--port=$(PORT)", "--port=8000"),
        ("$(PORT)$(PORT)", "80008000"),
        ("$(UNKNOWN)", "$(UNKNOWN)"),
        ("$$(PORT)", "$(PORT)"),
        ("$$$(PORT)", "$8000"),
        ("$PORT ${PORT} $(PORT", "$PORT ${PORT} $(PORT"),
        ("$(EMPTY)", ""),
        ("5 $", "5 $"),
    ],
)
def test_expansion(text: str, expanded: str) -> None:
    assert expand(text, {"PORT": "8000", "EMPTY": ""}) == expanded


class TestEnvironment:
    def test_a_value_refers_to_what_stands_before_it(self) -> None:
        assert variables(
            {"name": "A", "value": "$(B)"}, {"name": "B", "value": "b"}, {"name": "C", "value": "$(B)c"}
        ) == {"A": "$(B)", "B": "b", "C": "bc"}

    def test_env_overrides_env_from(self) -> None:
        assert variables(
            {"name": "ONE", "value": "1"},
            objects=(config("settings", ONE="one", TWO="two"),),
            envFrom=[
                {"configMapRef": {"name": "settings"}},
                {"prefix": "X_", "configMapRef": {"name": "settings"}},
            ],
        ) == {"ONE": "1", "TWO": "two", "X_ONE": "one", "X_TWO": "two"}

    def test_secret_keys(self) -> None:
        def reference(key: str, **more: Any) -> dict[str, Any]:
            return {"name": "TOKEN", "valueFrom": {"secretKeyRef": {"name": "hub", "key": key, **more}}}

        objects = (secret("hub", token="t"),)
        assert variables(reference("token"), objects=objects) == {"TOKEN": "t"}
        assert variables(reference("other", optional=True), objects=objects) == {}
        assert variables(reference("token", optional=True)) == {}
        with pytest.raises(NotStarted, match="couldn't find key other in Secret default/hub"):
            variables(reference("other"), objects=objects)
        with pytest.raises(NotStarted, match='secret "hub" not found'):
            variables(reference("token"))

    @pytest.mark.parametrize(
        ("path", "value"),
        [
            ("metadata.name", "vllm-0"),
            ("status.podIP", "127.0.1.1"),
            ("metadata.labels['tier']", "gold"),
            ("metadata.labels['absent']", ""),
        ],
    )
    def test_fields_of_the_pod(self, path: str, value: str) -> None:
        field = {"name": "FIELD", "valueFrom": {"fieldRef": {"fieldPath": path}}}
        assert variables(field) == {"FIELD": value}

    def test_what_is_not_known_is_said(self) -> None:
        with pytest.raises(NotPlayed, match="env CPU from resourceFieldRef"):
            variables({"name": "CPU", "valueFrom": {"resourceFieldRef": {"resource": "limits.cpu"}}})

    def test_service_links(self) -> None:
        objects = Objects.of(
            [
                service(ports=[{"name": "http", "port": 80}]),
                service("headless", clusterIP="None", ports=[{"port": 1}]),
            ]
        )
        assert service_links(objects, "elsewhere") == {}
        assert service_links(objects, "default") == {
            "VLLM_SERVER_SERVICE_HOST": "127.0.1.2",
            "VLLM_SERVER_SERVICE_PORT": "80",
            "VLLM_SERVER_SERVICE_PORT_HTTP": "80",
            "VLLM_SERVER_PORT": "tcp://127.0.1.2:80",
            "VLLM_SERVER_PORT_80_TCP": "tcp://127.0.1.2:80",
            "VLLM_SERVER_PORT_80_TCP_PROTO": "tcp",
            "VLLM_SERVER_PORT_80_TCP_PORT": "80",
            "VLLM_SERVER_PORT_80_TCP_ADDR": "127.0.1.2",
        }


class TestMounts:
    @staticmethod
    def mounts(
        *entries: dict[str, Any],
        volumes: tuple[dict[str, Any], ...] = (),
        objects: tuple[Resource, ...] = (),
        **spec: Any,
    ) -> tuple[Mount, ...]:
        return plan(
            {"volumes": volumes, **spec}, {"volumeMounts": entries}, Objects.of(objects), {"POD": "vllm-0"}
        )

    def test_a_container_has_64_mib_of_shared_memory(self) -> None:
        assert self.mounts() == (Mount("/dev/shm", "runtime/shm", "tmpfs", 64 << 20),)
        assert self.mounts(hostIPC=True) == ()

    def test_a_volume_at_dev_shm_replaces_it(self) -> None:
        volume = {"name": "shm", "emptyDir": {"medium": "Memory", "sizeLimit": "4Gi"}}
        assert self.mounts({"name": "shm", "mountPath": "/dev/shm/"}, volumes=(volume,)) == (
            Mount("/dev/shm", "volumes/shm", "tmpfs", 4 << 30),
        )

    def test_outer_mounts_come_first(self) -> None:
        volume = {"name": "all", "emptyDir": {}}
        mounts = self.mounts(
            {"name": "all", "mountPath": "/a/b", "subPathExpr": "$(POD)"},
            {"name": "all", "mountPath": "/a", "readOnly": True},
            volumes=(volume,),
        )
        assert [(mount.target, mount.sub_path, mount.read_only) for mount in mounts[:2]] == [
            ("/a", "", True),
            ("/a/b", "vllm-0", False),
        ]

    def test_a_claim_outlives_the_pod(self) -> None:
        volume = {"name": "models", "persistentVolumeClaim": {"claimName": "vllm-models"}}
        entry = {"name": "models", "mountPath": "/root/.cache"}
        mount = self.mounts(entry, volumes=(volume,), objects=(claim("vllm-models"),))[0]
        assert mount.source(Path("/pod"), Path("/node")) == Path("/node/claim/vllm-models")
        with pytest.raises(NotStarted, match='persistentvolumeclaim "vllm-models" not found'):
            self.mounts(entry, volumes=(volume,))

    def test_files_and_their_modes(self) -> None:
        source = {"name": "settings", "defaultMode": 0o400, "items": [{"key": "a", "path": "x/a"}]}
        mount = self.mounts(
            {"name": "files", "mountPath": "/etc/vllm"},
            volumes=({"name": "files", "configMap": source},),
            objects=(config("settings", a="1", b="2"),),
        )[0]
        assert (mount.kind, mount.read_only) == ("files", True)
        assert {name: (file.content, file.mode) for name, file in mount.files.items()} == {
            "x/a": (b"1", 0o400)
        }

    @pytest.mark.parametrize(
        ("entry", "volume", "error", "message"),
        [
            ({"name": "b"}, {"name": "a", "emptyDir": {}}, NotStarted, '"b" is not found'),
            (
                {"name": "a", "subPath": "../x"},
                {"name": "a", "emptyDir": {}},
                NotStarted,
                "leaves the volume",
            ),
            ({"name": "a"}, {"name": "a", "secret": {"secretName": "s"}}, NotStarted, 'secret "s" not found'),
            ({"name": "a"}, {"name": "a", "nfs": {"path": "/"}}, NotPlayed, "volume a: nfs"),
        ],
    )
    def test_what_cannot_be_mounted(
        self, entry: dict[str, str], volume: dict[str, Any], error: type[Exception], message: str
    ) -> None:
        with pytest.raises(error, match=message):
            self.mounts({"mountPath": "/m", **entry}, volumes=(volume,))

    def test_which_volume_holds_a_path(self) -> None:
        outer = Mount("/root", "volumes/outer", "folder")
        inner = Mount("/root/.cache", "volumes/inner", "folder", sub_path="cache")
        assert covering("/root/.cache/huggingface/hub", (outer, inner)) == (inner, "cache/huggingface/hub")
        assert covering("/root/.config", (outer, inner)) == (outer, ".config")
        assert covering("/rooted", (outer, inner)) is None


STARTUP = {"startupProbe": {"httpGet": {"port": 1}, "periodSeconds": 10, "failureThreshold": 3}}
READINESS = {"readinessProbe": {"httpGet": {"port": 1}, "periodSeconds": 5, "successThreshold": 2}}
LIVENESS = {"livenessProbe": {"httpGet": {"port": 1}, "initialDelaySeconds": 60}}


class TestProbes:
    @staticmethod
    def after(health: Health, results: str) -> tuple[Health, list[str]]:
        """Run probes when they are due with results such as `++-`, until those are used up."""
        ran = []
        now = 0.0
        for passed in results:
            probe = health.next()
            assert probe is not None
            now = max(now, health.due_at(probe.kind))
            ran.append(f"{probe.kind}@{now:g}")
            health = health.observe(probe.kind, passed == "+", now)
        return health, ran

    def test_others_wait_for_the_startup_probe(self) -> None:
        health, ran = self.after(Health(probes({**STARTUP, **READINESS})), "--+++")
        assert ran == ["startup@0", "startup@10", "startup@20", "readiness@20", "readiness@25"]
        assert health.ready
        assert health.failed is None

    def test_the_startup_probe_gives_up_at_its_threshold(self) -> None:
        health, _ = self.after(Health(probes(STARTUP)), "--")
        assert health.failed is None
        health, _ = self.after(health, "-")
        assert health.failed == health.probes["startup"]
        assert not health.ready

    def test_only_failures_in_a_row_count(self) -> None:
        health, ran = self.after(Health(probes(LIVENESS)), "--+--")
        assert ran == ["liveness@60", "liveness@70", "liveness@80", "liveness@90", "liveness@100"]
        assert health.failed is None
        assert self.after(health, "-")[0].failed is not None

    def test_readiness_comes_and_goes(self) -> None:
        health = Health(probes(READINESS))
        expected = {"+": False, "++": True, "++--": True, "++---": False, "++---+": False, "++---++": True}
        assert {results: self.after(health, results)[0].ready for results in expected} == expected
        assert self.after(health, "---")[0].failed is None

    def test_a_pod_is_settled_once_every_probe_has_a_verdict(self) -> None:
        health = Health(probes({**STARTUP, **READINESS, **LIVENESS}))
        health, ran = self.after(health, "+++")
        assert ran == ["startup@0", "readiness@0", "readiness@5"]
        assert (health.ready, health.settled) == (True, False)
        settled, _ = self.after(health, "+" * 12)
        assert settled.settled

    def test_without_probes_a_container_is_ready_at_once(self) -> None:
        assert Health({}).ready
        assert Health({}).next() is None


class TestPod:
    def test_the_command_line_is_the_manifests(self) -> None:
        container = {
            "command": ["vllm", "serve"],
            "args": ["$(MODEL)", "--port=$(PORT)"],
            "env": [{"name": "MODEL", "value": "a/b"}],
        }
        assert pod_of(deployment(container)).command == ("vllm", "serve", "a/b", "--port=$(PORT)")
        assert pod_of(deployment({"args": ["a/b"]})).command == ("vllm", "serve", "a/b")

    def test_the_service_finds_the_port_by_its_name(self) -> None:
        pod = pod_of(deployment({"ports": [{"name": "http", "containerPort": 8000}]}))
        services = (
            service(selector={"app": "vllm"}, ports=[{"port": 80, "targetPort": "http"}, {"port": 81}]),
            service("other", selector={"app": "web"}, ports=[{"port": 80}]),
            service("manual", ports=[{"port": 80}]),
        )
        assert [(one.service, one.port, one.pod_port) for one in service_ports(pod, Build(services))] == [
            ("vllm-server", 80, 8000),
            ("vllm-server", 81, 81),
        ]

    def test_the_container_overrides_the_pods_user(self) -> None:
        context = {
            "runAsUser": 2000,
            "allowPrivilegeEscalation": False,
            "capabilities": {"drop": ["ALL"], "add": ["SYS_PTRACE"]},
        }
        pod = pod_of(deployment({"securityContext": context}, securityContext={"runAsUser": 1, "fsGroup": 7}))
        user = pod.user
        assert (user.uid, user.gid, user.groups) == (2000, 0, (7,))
        assert user.capabilities == ("sys_ptrace",)
        assert user.no_new_privileges

    def test_run_as_non_root_needs_a_user(self) -> None:
        with pytest.raises(NotStarted, match="runAsNonRoot and image will run as root"):
            pod_of(deployment({"securityContext": {"runAsNonRoot": True}}))

    def test_what_is_not_enforced_is_said(self) -> None:
        pod = pod_of(
            deployment({"resources": {"limits": {"nvidia.com/gpu": "1", "memory": "1Gi"}}}, tolerations=[{}])
        )
        assert pod.gpus == ("nvidia.com/gpu",)
        assert pod.memory_limit == 1 << 30
        assert pod.not_played == (
            "extended resources (nvidia.com/gpu: 1)",
            "the memory limit of 1Gi (the server sees it)",
            "tolerations (there is no scheduler)",
        )

    def test_a_probe_that_is_not_known_is_said(self) -> None:
        with pytest.raises(NotPlayed, match="a probe or hook with grpc"):
            pod_of(deployment({"readinessProbe": {"grpc": {"port": 8000}}}))

    def test_a_build_without_vllm(self) -> None:
        with pytest.raises(NotPlayed, match="no object of the build runs vLLM"):
            pod_of(deployment({"image": "nginx:1"}))
