from __future__ import annotations

from typing import Any

import pytest

from vllm_kustomize.kubernetes.pods import Container, pods
from vllm_kustomize.model import Build, Resource
from vllm_kustomize.vllm.cli.parser import parse
from vllm_kustomize.vllm.container.commandline import (
    CommandLine,
    NotRead,
    command_line,
)
from vllm_kustomize.vllm.container.release import release_of, version_in

IMAGE = "vllm/vllm-openai:v0.33.0"
ENV = [
    {"name": "TP", "value": "2"},
    {"name": "MODEL", "value": "org/$(NAME)"},
    {"name": "EXTRA", "value": "--port 80 --seed  1"},
    {"name": "KEY", "valueFrom": {"secretKeyRef": {"name": "s", "key": "k"}}},
    {"name": "A", "value": "$(B)"},
    {"name": "B", "value": "$(A)$(A)"},
    {"name": "CONFIGURED", "valueFrom": {"configMapKeyRef": {"name": "settings", "key": "size"}}},
]
CONFIG = {
    "kind": "ConfigMap",
    "metadata": {"name": "settings"},
    "data": {"size": "4", "vllm.yaml": "port: 81\nenable-prefix-caching: false\nserved_model_name: [a, b]\n"},
}


def read(container: dict[str, Any]) -> CommandLine | NotRead | None:
    spec = {
        "containers": [{"name": "vllm", "image": IMAGE, "env": ENV, **container}],
        "volumes": [{"name": "config", "configMap": {"name": "settings"}}],
    }
    pod = Resource({"kind": "Pod", "metadata": {"name": "p"}, "spec": spec})
    build = Build((pod, Resource(CONFIG)))
    (found,) = pods(pod)
    (first,) = found.containers
    return command_line(build, found, first)


def shell(script: str) -> dict[str, Any]:
    return {"command": ["/bin/sh", "-c"], "args": [script]}


@pytest.mark.parametrize(
    ("container", "texts"),
    [
        ({"command": ["vllm", "serve"], "args": ["m", "--port", "80"]}, ["m", "--port", "80"]),
        ({"command": ["vllm", "serve", "m"], "args": ["-tp=2"]}, ["m", "-tp=2"]),
        ({"command": ["/usr/bin/env", "A=b", "vllm", "serve", "m"]}, ["m"]),
        ({"command": ["tini", "--", "vllm", "serve", "m"]}, ["m"]),
        ({"args": ["m", "--port=80"]}, ["m", "--port=80"]),
        ({"args": ["m", "-tp", "$(TP)", "$$(TP)", "$(UNSET)", "a$"]},
         ["m", "-tp", "2", "$(TP)", "$(UNSET)", "a$"]),
        ({"args": ["$(MODEL)", "$(KEY)", "$(CONFIGURED)"]}, ["org/$(NAME)", "\0$(KEY)", "4"]),
        ({"args": ["$(A)", "$(B)"]}, ["$(B)", "$(B)$(B)"]),
        ({"args": ["--node-rank", "$(LWS_WORKER_INDEX)"]}, ["--node-rank", "\0$(LWS_WORKER_INDEX)"]),
        ({"args": ["vllm", "serve", "m"]}, ["m"]),
        ({"command": ["python3", "-m", "vllm.entrypoints.openai.api_server"], "args": ["--model", "m"]},
         ["--model", "m"]),
        ({"command": ["python", "-u", "-m", "vllm.entrypoints.cli.main", "serve", "m"]}, ["m"]),
        (shell("vllm serve m --port 80"), ["m", "--port", "80"]),
        (shell("exec vllm serve m \\\n  --port 80 \\\n  # comment\n"), ["m", "--port", "80"]),
        (shell("vllm serve 'a b' \"c d\" e\\ f ''"), ["a b", "c d", "e f", ""]),
        (shell("set -e; cd /x && A=1 exec vllm serve m $EXTRA \"$EXTRA\""),
         ["m", "--port", "80", "--seed", "1", "--port 80 --seed  1"]),
        (shell("ARGS='--port 80'\nvllm serve m $ARGS ${NOPE:-x} ${TP} > log 2>&1"),
         ["m", "--port", "80", "x", "2"]),
        (shell("vllm serve m --host $(hostname) --seed `date`"),
         ["m", "--host", "\0$(hostname)", "--seed", "\0`date`"]),
        (shell("if [ -f x ]; then vllm serve m; fi"), ["m"]),
        (shell("vllm serve m --override-generation-config '{\"a\": \"b c\"}' | tee log"),
         ["m", "--override-generation-config", '{"a": "b c"}']),
        ({"command": ["bash", "-c", 'exec vllm serve "$@"', "x"], "args": ["m", "--port", "80"]},
         ["m", "--port", "80"]),
        ({"command": ["bash", "-ec"], "args": ["python3 -m vllm.entrypoints.openai.api_server --model m"]},
         ["--model", "m"]),
    ],
)  # fmt: skip
def test_finds_the_command_line(container: dict[str, Any], texts: list[str]) -> None:
    line = read(container)
    assert isinstance(line, CommandLine), line
    assert line.texts == texts


@pytest.mark.parametrize(
    ("container", "reason"),
    [
        (shell("vllm serve 'm"), "its shell script cannot be read: a single quote is not closed"),
        (shell('vllm serve "m'), "its shell script cannot be read: a double quote is not closed"),
        (shell("vllm serve $(m"), "its shell script cannot be read: a parenthesis is not closed"),
        (shell("vllm serve m <<X\nX\n"), "its shell script cannot be read: it has a here-document"),
        (shell("vllm serve a & vllm serve b"), "its shell script has more than one command that starts vLLM"),
        (shell("./start-vllm.sh"), "what the script ./start-vllm.sh does is not known"),
        (shell("$RUN vllm-model"), "which program it runs is known only in the cluster"),
        ({"args": ["m", "--omni"]},
         "--omni hands the command line to vLLM-Omni, whose options are not in the catalog"),
        ({"command": ["/start.sh"]}, "what the script /start.sh does is not known"),
        ({"command": ["bash", "/vllm.sh"]}, "what the script /vllm.sh does is not known"),
        ({"command": ["ray", "job", "vllm"]}, "how ray starts vLLM is not known"),
        ({"image": "rocm/vllm:rocm6.2_vllm_0.6.4", "args": ["m"]},
         "the entrypoint of the image rocm/vllm:rocm6.2_vllm_0.6.4 is not known; give a command"),
        ({"command": "vllm serve"}, "its command is not a list of strings"),
        ({"args": [1]}, "its args is not a list of strings"),
        ({"args": ["a\0b"]}, "its args holds a NUL character, which no program can be given"),
    ],
)  # fmt: skip
def test_says_what_it_cannot_know(container: dict[str, Any], reason: str) -> None:
    assert read(container) == NotRead(reason)


@pytest.mark.parametrize(
    "container",
    [
        {"image": "nginx:1"},
        {"command": ["sleep", "1"]},
        {"command": ["vllm", "bench"]},
        shell("echo hello"),
        shell("echo 'hello"),
    ],
)
def test_leaves_other_containers_alone(container: dict[str, Any]) -> None:
    assert read(container) is None


def test_points_at_the_argument_and_into_a_script() -> None:
    line = read({"command": ["vllm", "serve"], "args": ["m", "--prot", "80"]})
    assert isinstance(line, CommandLine)
    assert line.arguments[1].path == ("spec", "containers", 0, "args", 1)
    script = "exec vllm serve \\\n  m --prot 80"
    line = read(shell(script))
    assert isinstance(line, CommandLine)
    assert script[line.arguments[1].offset :].startswith("--prot 80")


def test_old_images_start_the_module() -> None:
    old = read({"image": "vllm/vllm-openai:v0.9.2", "args": ["--model", "m"]})
    new = read({"args": ["m"]})
    assert isinstance(old, CommandLine)
    assert isinstance(new, CommandLine)
    assert (old.serve, new.serve) == (False, True)


def test_reads_a_configuration_file_from_a_config_map() -> None:
    mount = {"volumeMounts": [{"name": "config", "mountPath": "/etc/vllm"}]}
    line = read({**mount, "args": ["m", "--config", "/etc/vllm/vllm.yaml", "--served-model-name", "c"]})
    assert isinstance(line, CommandLine)
    running = release_of(Container((), {"image": IMAGE}))
    release = running.release
    parsed = parse(line.texts, release, line.read)
    assert running.exact
    assert (parsed.errors, parsed.values["port"], parsed.values["served_model_name"]) == ((), 81, ["c"])
    assert [(notice.kind, notice.index, notice.key) for notice in parsed.notices] == [
        ("config-false", 2, "enable-prefix-caching")
    ]
    missing = parse(["m", "--config", "/elsewhere.yaml"], release, line.read)
    assert missing.unknown == "the file /elsewhere.yaml of --config is not known"


def test_values_that_only_the_cluster_knows_fit_everywhere() -> None:
    line = read({"args": ["$(KEY)", "--port", "$(KEY)", "--eplb-config.window_size", "$(KEY)", "$(KEY)"]})
    assert isinstance(line, CommandLine)
    release = release_of(Container((), {"image": IMAGE})).release
    parsed = parse(line.texts, release)
    assert parsed.errors == ()
    assert [parsed.values[name] for name in ("model", "port", "eplb_config")] == [None, None, None]
    assert parsed.unknown == "what $(KEY) stands for is known only in the cluster"


@pytest.mark.parametrize(
    ("image", "version"),
    [
        ("vllm/vllm-openai:v0.33.0", ("0.33.0", True)),
        ("vllm/vllm-openai:v0.33.0-x86_64", ("0.33.0", True)),
        ("mirror:5000/vllm/vllm-openai:0.9.2-cu126@sha256:0", ("0.9.2", True)),
        ("rocm/vllm:rocm6.2_mi300_ubuntu20.04_py3.9_vllm_0.6.4", ("0.6.4", True)),
        ("vllm/vllm-openai:v0.8.5.post1", ("0.8.5.post1", True)),
        ("vllm/vllm-openai:v0.32.0rc1", ("0.32.0", False)),
        ("vllm/vllm-openai:v0.10.1.1", ("0.10.1.1", True)),
        ("vllm/vllm-openai:v0.34.0", ("", False)),
        ("vllm/vllm-openai:v1.0.0", ("", False)),
        ("vllm/vllm-openai:v0.5.4", ("", False)),
        ("acme/vllm-openai:cu128-v0.8.5-patched", ("0.8.5", True)),
        ("acme/vllm:2.1.0-vllm_0.8.5", ("0.8.5", True)),
        ("acme/vllm:v0.10.1.1", ("0.10.1.1", True)),
        ("acme/vllm:1.2", ("", False)),
        ("acme/vllm:v0.3.1", ("", False)),
        ("acme/vllm:2024.12", ("", False)),
        ("acme/vllm:ubuntu22.04", ("", False)),
        ("acme/vllm-router:0.8.5", ("", False)),
        ("kserve/huggingfaceserver:v0.15.0-gpu", ("", False)),
        ("ghcr.io/llm-d/llm-d:v0.3.1", ("", False)),
        ("ghcr.io/llm-d/llm-d-cuda:v0.8.0", ("0.23.0", False)),
        ("registry.redhat.io/rhaiis/vllm-cuda-rhel9:3.2.1", ("", False)),
        ("registry.redhat.io/rhaiis/vllm-cuda-rhel9:3.0.0", ("0.8.4", False)),
        ("nvcr.io/nvidia/vllm:26.02-py3", ("", False)),
        ("nvcr.io/nvidia/vllm:26.01-py3", ("0.11.1", False)),
        ("vllm/vllm-openai:latest", ("", False)),
        ("vllm/vllm-openai@sha256:0", ("", False)),
        ("mirror:5000/vllm-openai", ("", False)),
    ],
)
def test_reads_the_version_in_a_tag(image: str, version: tuple[str, bool]) -> None:
    assert version_in(image) == version


@pytest.mark.parametrize(
    "script",
    [
        "vllm serve '" + "a" * 1_000_000,
        "vllm " * 50_000,
        "$(" * 5000 + "vllm",
        "${" * 5000 + "vllm",
        "`vllm",
        '"' * 4999,
        "vllm serve \\",
        "vllm serve ;;;&&||",
        "\ud800\x01 vllm serve \x7f",
        "vllm serve ${A:-$(B}",
        "exec " * 9999 + "vllm serve m",
        "sh -c 'sh -c \"vllm serve m\"'",
        "> ; vllm serve m",
        "if if if vllm serve m",
        "vllm serve 2>",
    ],
    ids=lambda script: script[:20].encode("unicode_escape").decode(),
)
def test_hostile_scripts_raise_nothing(script: str) -> None:
    assert isinstance(read(shell(script)), CommandLine | NotRead | None)


@pytest.mark.parametrize("value", [None, 1, "x", [None], [{}], {"a": 1}, [["vllm"]]])
@pytest.mark.parametrize("key", ["command", "args", "env", "envFrom", "image", "volumeMounts"])
def test_fields_of_any_type_raise_nothing(key: str, value: object) -> None:
    assert isinstance(read({"args": ["m", "--config", "/x.yaml"], key: value}), CommandLine | NotRead | None)
