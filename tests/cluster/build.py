"""Build what `make cluster` runs into $CLUSTER_BIN (`make cluster-binaries`); needs Go, git and the network.

Kubernetes and kwok come as Go modules, the controllers from their repositories: from
$CLUSTER_SOURCES/NAME where there is a checkout, else from a clone of the release in binaries.json. NAMEs
as arguments build these alone.
"""

from __future__ import annotations

import argparse
import json
import os
import re
import shutil
import subprocess
import sys
import tempfile
from collections.abc import Callable
from functools import partial
from pathlib import Path
from typing import Any

TABLE = Path(__file__).with_name("binaries.json")
KWOK, KUSTOMIZE, ETCD = "v0.8.0", "v5.8.1", "v3.6.15"
COMPONENTS = ("kube-apiserver", "kube-controller-manager", "kube-scheduler")
PLAIN = ("-trimpath", "-ldflags", "-s -w")


def main() -> int:
    """Build everything that is not there yet, or what is named."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("names", nargs="*", help="what to build; everything by default")
    parser.add_argument("--kubernetes", default="1.37.2", help="the release of the control plane")
    arguments = parser.parse_args()
    folder = os.environ.get("CLUSTER_BIN")
    if not folder or not shutil.which("go"):
        print("cluster-binaries: set CLUSTER_BIN to a folder outside the repository, and put go on PATH")
        return 2
    out = Path(folder).resolve()
    builds: dict[str, Callable[[], object]] = {
        "etcd": lambda: build_etcd(out),
        "kubernetes": lambda: build_kubernetes(arguments.kubernetes, out),
        "kwok": lambda: build_kwok(out),
        "kustomize": lambda: go("install", f"sigs.k8s.io/kustomize/kustomize/v5@{KUSTOMIZE}", GOBIN=str(out)),
        **{entry["name"]: partial(build_controller, entry, out) for entry in json.loads(TABLE.read_text())},
    }
    unknown = [name for name in arguments.names if name not in builds]
    if unknown:
        print(f"cluster-binaries: {', '.join(unknown)} is not one of {', '.join(builds)}")
        return 2
    results = [attempt(name, builds[name]) for name in arguments.names or builds]
    return 0 if all(results) else 1


def attempt(name: str, build: Callable[[], object]) -> bool:
    """Build one and say what came of it: one that fails keeps none of the others from being built."""
    try:
        build()
    except (OSError, subprocess.CalledProcessError) as error:
        print(f"could not build {name}: {error}", file=sys.stderr)
        return False
    print(f"built {name}")
    return True


def go(*arguments: str, directory: Path | None = None, **environment: str) -> str:
    """Run Go; raises CalledProcessError where it fails."""
    result = subprocess.run(
        ["go", *arguments],
        cwd=directory,
        env={**os.environ, **environment},
        check=True,
        text=True,
        stdout=subprocess.PIPE,
    )
    return result.stdout


def build_etcd(out: Path) -> None:
    """etcd from its server's module, whose main package is a library here."""
    with tempfile.TemporaryDirectory() as folder:
        module(
            Path(folder), f"require go.etcd.io/etcd/server/v3 {ETCD}", ["go.etcd.io/etcd/server/v3/etcdmain"]
        )
        go(
            "build",
            "-mod=mod",
            *PLAIN,
            "-o",
            str(out / "etcd"),
            "go.etcd.io/etcd/server/v3",
            directory=Path(folder),
        )


def build_kubernetes(version: str, out: Path) -> None:
    """The control plane, into a folder of its own: $KUBEBUILDER_ASSETS for the run.

    Kubernetes' module replaces its staging modules by folders that no proxy serves: here they are replaced by
    the modules that are released beside it, v0.37.2 for v1.37.2.
    """
    described = json.loads(go("mod", "download", "-json", f"k8s.io/kubernetes@v{version}"))
    text = Path(described["GoMod"]).read_text()
    staging = re.findall(r"^\s*(k8s\.io/\S+) => \./staging", text, re.MULTILINE)
    required = re.findall(r"^\t(\S+) (v\S+)(?: // indirect)?$", text, re.MULTILINE)
    lines = [
        *re.findall(r"^(?:go|godebug) .*$", text, re.MULTILINE),
        f"require k8s.io/kubernetes v{version}",
        *(f"require {name} {release}" for name, release in required if name not in staging),
        *(f"replace {name} => {name} v0.{version.partition('.')[2]}" for name in staging),
    ]
    stamp = "k8s.io/component-base/version"
    major, minor, _ = version.split(".")
    flags = f"-s -w -X {stamp}.gitVersion=v{version} -X {stamp}.gitMajor={major} -X {stamp}.gitMinor={minor}"
    target = out / f"kubernetes-{version}"
    target.mkdir(parents=True, exist_ok=True)
    with tempfile.TemporaryDirectory() as folder:
        module(Path(folder), "\n".join(lines), [f"k8s.io/kubernetes/cmd/{name}/app" for name in COMPONENTS])
        for name in COMPONENTS:
            package = f"k8s.io/kubernetes/cmd/{name}"
            options = ("-mod=mod", "-trimpath", "-ldflags", flags)
            go("build", *options, "-o", str(target / name), package, directory=Path(folder))


def module(folder: Path, requirements: str, packages: list[str]) -> None:
    """A module that uses these packages, so that Go resolves and keeps what they need."""
    (folder / "go.mod").write_text(f"module build\n{requirements}\n")
    imports = "".join(f'import _ "{package}"\n' for package in packages)
    (folder / "main.go").write_text(f"package main\n{imports}func main() {{}}\n")
    subprocess.run(["go", "mod", "tidy", "-e"], cwd=folder, check=False, capture_output=True)


def build_kwok(out: Path) -> None:
    """kwok, and the stages of its own repository that the nodes and pods go through."""
    go("install", f"sigs.k8s.io/kwok/cmd/kwok@{KWOK}", GOBIN=str(out))
    source = Path(json.loads(go("mod", "download", "-json", f"sigs.k8s.io/kwok@{KWOK}"))["Dir"])
    stages = (
        "node/fast/node-initialize", "node/heartbeat-with-lease/node-heartbeat-with-lease",
        "pod/fast/pod-ready", "pod/fast/pod-complete", "pod/fast/pod-delete",
        "volume/fast/pvc-provision", "volume/fast/pv-bind", "volume/fast/storage-class",
    )  # fmt: skip
    copy(source / "kustomize/stage", [f"{stage}.yaml" for stage in stages], out / "manifests/kwok")


def build_controller(entry: dict[str, Any], out: Path) -> None:
    """A controller from a checkout, and what its project says to install beside it."""
    with tempfile.TemporaryDirectory() as folder:
        name = entry["repository"].rpartition("/")[2]
        source = Path(os.environ.get("CLUSTER_SOURCES", folder)) / name
        if not source.is_dir():
            source = Path(folder) / name
            clone = ("git", "clone", "--quiet", "--depth", "1", "--branch", entry["ref"], entry["repository"])
            subprocess.run([*clone, str(source)], check=True)
        for kind, patterns in entry["manifests"].items():
            copy(source, patterns, out / "manifests" / entry["name"] / kind)
        directory = source / entry.get("module", ".")
        go("build", *PLAIN, "-o", str(out / entry["name"]), entry["package"], directory=directory)


def copy(source: Path, patterns: list[str], target: Path) -> None:
    """Copy the files that the patterns name; raises FileNotFoundError where one names none."""
    target.mkdir(parents=True, exist_ok=True)
    for pattern in patterns:
        files = sorted(source.glob(pattern))
        if not files:
            raise FileNotFoundError(f"no {pattern} in {source}")
        for file in files:
            shutil.copyfile(file, target / file.name)
            shutil.copymode(file, target / file.name)


if __name__ == "__main__":
    sys.exit(main())
