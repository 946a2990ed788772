"""The controllers of other systems, started from their own binaries."""

from __future__ import annotations

import base64
import shutil
import socket
import subprocess
from pathlib import Path
from typing import Any

import yaml

from cluster.control_plane import Cluster, free_port
from conftest import REPO


def start(cluster: Cluster, name: str, *options: str, **environment: str) -> None:
    """Install a controller's definitions and run it, on free ports and without leader election."""
    cluster.install(cluster.binaries.manifests(name) / "crds")
    binary = cluster.binaries.find(name)
    assert binary
    cluster.start(name, binary, *options, env=environment)


def probes(metrics: str = "0") -> tuple[str, ...]:
    """The options that controller-runtime's template gives every controller."""
    return (f"--metrics-bind-address={metrics}", f"--health-probe-bind-address=127.0.0.1:{free_port()}")


def start_lws(cluster: Cluster) -> None:
    """LeaderWorkerSet with its webhooks, which the API server calls by address."""
    port, folder = free_port(), cluster.directory / "lws"
    authority = certificate(folder)
    configuration = {
        "apiVersion": "config.lws.x-k8s.io/v1alpha1",
        "kind": "Configuration",
        "internalCertManagement": {"enable": False},
        "leaderElection": {"leaderElect": False},
        "webhook": {"port": port, "certDir": str(folder)},
        "health": {"healthProbeBindAddress": f"127.0.0.1:{free_port()}"},
        "metrics": {"bindAddress": "0"},
    }
    file = folder / "configuration.yaml"
    file.write_text(yaml.safe_dump(configuration))
    start(cluster, "lws", f"--config={file}", f"--kubeconfig={cluster.kubeconfig}")
    webhooks = cluster.binaries.manifests("lws") / "webhooks/manifests.yaml"
    hooks = list(yaml.safe_load_all(webhooks.read_text()))
    for hook in (hook for item in hooks for hook in item["webhooks"]):
        service = hook["clientConfig"].pop("service")
        hook["clientConfig"] |= {"caBundle": authority, "url": f"https://127.0.0.1:{port}{service['path']}"}
    cluster.wait("LeaderWorkerSet listens", lambda: listens(port))
    cluster.apply(yaml.safe_dump_all(hooks))


def start_production_stack(cluster: Cluster) -> None:
    """The operator, and the RuntimeClass that it takes for granted; NVIDIA's GPU Operator makes it."""
    runtime = {
        "apiVersion": "node.k8s.io/v1",
        "kind": "RuntimeClass",
        "metadata": {"name": "nvidia"},
        "handler": "nvidia",
    }
    cluster.apply(yaml.safe_dump(runtime))
    start(cluster, "production-stack", *probes())


def start_llmaz(cluster: Cluster) -> None:
    """llmaz without its webhooks, whose certificates would take a Service, and a GPU node without a taint.

    A Playground has no tolerations. llmaz's rotation of certificates waits for their Secret, two
    configurations and mounted files all the same.
    """
    cluster.kubectl("taint", "nodes", "gpu-1", "nvidia.com/gpu-")
    system = "llmaz-system"
    cluster.namespace(system)
    named = {"metadata": {"name": "llmaz-webhook-server-cert", "namespace": system}}
    values = {"init-container-image": "inftyai/model-loader:v0.0.10", "scheduler-name": "default-scheduler"}
    hooks = "admissionregistration.k8s.io/v1"
    objects: list[dict[str, Any]] = [
        {"apiVersion": "v1", "kind": "Secret", **named},
        {
            "apiVersion": "v1",
            "kind": "ConfigMap",
            "metadata": {"name": "llmaz-global-config", "namespace": system},
            "data": {"config.data": yaml.safe_dump(values)},
        },
        *(
            {"apiVersion": hooks, "kind": kind, "metadata": {"name": f"llmaz-{verb}-webhook-configuration"}}
            for kind, verb in (
                ("ValidatingWebhookConfiguration", "validating"),
                ("MutatingWebhookConfiguration", "mutating"),
            )
        ),
    ]
    cluster.apply(yaml.safe_dump_all(objects))
    mounted = Path("/tmp/k8s-webhook-server/serving-certs")
    if not mounted.is_dir():
        mounted.parent.mkdir(exist_ok=True)
        certificate(mounted)
    start(cluster, "llmaz", *probes(), ENABLE_WEBHOOKS="false")


def start_kubeai(cluster: Cluster) -> None:
    """KubeAI with its chart's values and examples/kubeai/values.yaml over them."""
    chart = yaml.safe_load((cluster.binaries.manifests("kubeai") / "chart/values.yaml").read_text())
    own = yaml.safe_load((REPO / "examples/kubeai/values.yaml").read_text())
    for name, profile in own["resourceProfiles"].items():
        chart["resourceProfiles"][name] |= profile
    kept = ("resourceProfiles", "cacheProfiles", "modelServers", "modelLoading", "modelRollouts", "messaging")
    pods = chart["modelServerPods"]
    config: dict[str, Any] = {
        **{key: chart[key] for key in kept},
        "secretNames": {key: f"kubeai-{key}" for key in ("alibaba", "aws", "gcp", "huggingface")},
        "modelServerPods": {
            "securityContext": pods["securityContext"],
            "serviceAccountName": "kubeai-models",
        },
        "modelAutoscaling": {
            "interval": chart["modelAutoscaling"]["interval"],
            "timeWindow": chart["modelAutoscaling"]["timeWindow"],
            "stateConfigMapName": "kubeai-autoscaler-state",
        },
        "metricsAddr": f":{free_port()}",
        "healthAddress": f":{free_port()}",
    }
    file = cluster.directory / "kubeai.yaml"
    file.write_text(yaml.safe_dump(config))
    start(cluster, "kubeai", CONFIG_PATH=str(file), POD_NAMESPACE="kubeai")


def start_aibrix(cluster: Cluster) -> None:
    """The two of AIBrix's controllers that the overlay needs, without webhooks."""
    only = "--controllers=pod-autoscaler-controller,model-route-controller"
    start(cluster, "aibrix", *probes(), "--leader-elect=false", "--disable-webhook=true", only)


def start_keda(cluster: Cluster) -> None:
    """KEDA's operator alone: without its metrics server no autoscaler learns a number."""
    folder = cluster.directory / "keda"
    certificate(folder)
    shutil.copyfile(folder / "tls.crt", folder / "ca.crt")
    service = f"--metrics-service-bind-address=127.0.0.1:{free_port()}"
    environment = {"POD_NAMESPACE": "keda", "KEDA_CLUSTER_OBJECT_NAMESPACE": "keda", "WATCH_NAMESPACE": ""}
    start(cluster, "keda", *probes(), service, f"--cert-dir={folder}", **environment)


def certificate(folder: Path) -> str:
    """Make a key and a certificate for 127.0.0.1 in per folder; returns the certificate for a caBundle."""
    folder.mkdir()
    subject = ("-subj", "/CN=127.0.0.1", "-addext", "subjectAltName=IP:127.0.0.1")
    files = ("-keyout", str(folder / "tls.key"), "-out", str(folder / "tls.crt"))
    command = ["openssl", "req", "-x509", "-newkey", "rsa:2048", "-nodes", "-days", "2", *files, *subject]
    subprocess.run(command, check=True, capture_output=True)
    return base64.b64encode((folder / "tls.crt").read_bytes()).decode()


def listens(port: int) -> bool:
    """Whether something takes connections on a port."""
    with socket.socket() as client:
        return client.connect_ex(("127.0.0.1", port)) == 0
