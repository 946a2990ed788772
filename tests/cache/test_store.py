"""A build is skipped only when nothing that it would read has changed, and the output is the same."""

from __future__ import annotations

import copy
import json
import os
import subprocess
import sys
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from conftest import Result, RunCli
from vllm_kustomize.cache import folder as cache
from vllm_kustomize.cache import store
from vllm_kustomize.kustomize.engine import find_engine
from vllm_kustomize.model import Overlay

REPO = {
    "base/kustomization.yaml": "resources: [service.yaml]\n",
    "base/service.yaml": (
        "apiVersion: v1\nkind: Service\nmetadata: {name: web}\nspec: {ports: [{port: http}]}\n"
    ),
    "component/kustomization.yaml": (
        "apiVersion: kustomize.config.k8s.io/v1alpha1\nkind: Component\npatches: [{path: patch.yaml}]\n"
    ),
    "component/patch.yaml": "apiVersion: v1\nkind: Service\nmetadata: {name: web, labels: {a: b}}\n",
    "overlays/a/kustomization.yaml": (
        "resources: [../../base]\ncomponents: [../../component]\nnamePrefix: a-\n"
        "configMapGenerator: [{name: settings, files: [settings.ini], envs: [settings.env]}]\n"
    ),
    "overlays/a/settings.ini": "x\n",
    "overlays/a/settings.env": "KEY=value\n",
    "overlays/b/kustomization.yaml": (
        "resources: [../../base]\nsecretGenerator: [{name: s, envs: [secret.env]}]\n"
    ),
    "overlays/b/secret.env": "password=correct-horse-battery-staple\n",
}


class Repo:
    """A repo, and an engine that writes down what it is asked to build."""

    def __init__(self, directory: Path, run_cli: RunCli) -> None:
        self.directory = directory / "repo"
        self.log = directory / "log"
        self.engine = directory / "kubectl"
        self.version = directory / "version"
        self.version.write_text("Client Version: v1.37.1\nKustomize Version: v5.8.1\n")
        self.engine.write_text(
            f'#!/bin/sh\n[ "$1" = version ] && exec cat {self.version}\n'
            f'echo "$*" >> {self.log}\nexec {find_engine(None)} "$@"\n'
        )
        self.engine.chmod(0o755)
        self._run = run_cli
        for name, text in REPO.items():
            self.write(name, text)

    def write(self, name: str, text: str) -> None:
        file = self.directory / name
        file.parent.mkdir(parents=True, exist_ok=True)
        file.write_text(text)

    def validate(self, *arguments: str) -> Result:
        """Run the command with every file older than the run, as files are that nobody edits right now."""
        time.sleep(0.02)
        self.log.unlink(missing_ok=True)
        command = ("validate", "--engine", str(self.engine), "--format", "json", *arguments)
        return self._run(*command, cwd=self.directory)

    def built(self) -> list[str]:
        """The overlays that the last run built."""
        lines = self.log.read_text().splitlines() if self.log.exists() else []
        return sorted({Path(line.split()[1]).name for line in lines if line.startswith("kustomize")})


def entry() -> Path:
    """The one file of the cache."""
    (file,) = Path(os.environ[cache.CACHE_VARIABLE]).glob("*.json")
    return file


@pytest.fixture
def repo(tmp_path: Path, run_cli: RunCli) -> Repo:
    return Repo(tmp_path, run_cli)


def test_a_second_run_builds_nothing_and_says_the_same(repo: Repo) -> None:
    first = repo.validate()
    assert repo.built() == ["a", "b"]
    second = repo.validate()
    assert repo.built() == []
    assert first.code == 1
    assert first == second == repo.validate("--no-cache")


def test_a_second_run_starts_no_process(repo: Repo, run_cli: RunCli, monkeypatch: pytest.MonkeyPatch) -> None:
    first = run_cli("validate", "--concise", cwd=repo.directory)
    assert run_cli("validate", "--concise", cwd=repo.directory) == first, "files are too new to be trusted"
    monkeypatch.setattr(subprocess, "Popen", None)
    assert run_cli("validate", "--concise", cwd=repo.directory) == first


def test_a_script_that_chooses_the_engine_is_asked_which(repo: Repo) -> None:
    """As asdf and mise do: the file stays the same, and another kubectl runs."""
    repo.validate()
    repo.version.write_text("Client Version: v1.36.0\nKustomize Version: v5.7.1\n")
    repo.validate()
    assert repo.built() == ["a", "b"]
    repo.validate()
    assert repo.built() == []


def test_a_folder_of_someone_else_is_left_alone(
    repo: Repo, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    precious = tmp_path / "precious"
    precious.mkdir()
    theirs = {
        "thesis.json": "x",
        f"{'a' * 32}.json": "a name like ours",
        "notes.tmp": "",
    }
    for name, text in theirs.items():
        (precious / name).write_text(text)
    monkeypatch.setenv(cache.CACHE_VARIABLE, str(precious))
    monkeypatch.setattr(cache, "MAX_BYTES", 1)
    repo.validate()
    assert {path.name: path.read_text() for path in precious.iterdir() if path.is_file()} == theirs
    assert [path.name for path in (precious / "vllm-kustomize").iterdir()] == ["CACHEDIR.TAG"]
    monkeypatch.undo()


def test_only_its_own_names_are_removed(repo: Repo, monkeypatch: pytest.MonkeyPatch) -> None:
    repo.validate()
    folder = entry().parent
    (folder / "later.json").write_text("x" * 100)
    (folder / f"{'b' * 32}.json").symlink_to(folder / "later.json")
    monkeypatch.setattr(cache, "MAX_BYTES", 1)
    repo.validate("--ignore", "schema")
    assert sorted(path.name for path in folder.iterdir()) == [
        "CACHEDIR.TAG",
        f"{'b' * 32}.json",
        "later.json",
    ]


@pytest.mark.parametrize(
    ("file", "text", "built"),
    [
        ("base/service.yaml", REPO["base/service.yaml"] + "# more\n", ["a", "b"]),
        ("base/unused.yaml", "apiVersion: v1\nkind: ConfigMap\nmetadata: {name: unused}\n", ["a", "b"]),
        ("base/kustomization.yml", "resources: []\n", ["a", "b"]),
        ("component/patch.yaml", REPO["component/patch.yaml"].replace("a: b", "a: c"), ["a"]),
        ("overlays/a/kustomization.yaml", REPO["overlays/a/kustomization.yaml"] + "nameSuffix: -x\n", ["a"]),
        ("overlays/a/settings.ini", "y\n", ["a"]),
        ("overlays/a/settings.env", "KEY=other\n", ["a"]),
        ("overlays/b/secret.env", "password=other\n", ["b"]),
        ("elsewhere.yaml", "anything\n", []),
    ],
)
def test_a_change_rebuilds_what_depends_on_it(repo: Repo, file: str, text: str, built: list[str]) -> None:
    repo.validate()
    repo.write(file, text)
    assert repo.validate() == repo.validate("--no-cache")
    repo.validate()
    fresh = repo.validate("--no-cache")
    repo.write(file, text + "\n")
    repo.validate()
    assert repo.built() == built
    assert repo.validate() == fresh


def test_a_link_that_leads_elsewhere_is_a_change(repo: Repo) -> None:
    link = repo.directory / "current"
    for version in ("v1", "v2"):
        for name in ("kustomization.yaml", "service.yaml"):
            text = REPO[f"base/{name}"].replace("web", version)
            repo.write(f"bases/{version}/{name}", text)
    repo.write("overlays/b/kustomization.yaml", "resources: [../../current]\n")
    link.symlink_to("bases/v1")
    assert "Service" in repo.validate().output
    link.unlink()
    link.symlink_to("bases/v2")
    assert '"name": "v2"' in repo.validate().output


def test_settings_and_engine_count(repo: Repo) -> None:
    repo.validate()
    assert "schema" not in repo.validate("--ignore", "schema", "--ignore", "api-*").output
    assert repo.built() == ["a", "b"]
    repo.validate("--jobs", "1", "--fail-on", "warning")
    assert repo.built() == []
    repo.engine.write_text(repo.engine.read_text() + "# another build of it\n")
    repo.validate()
    assert repo.built() == ["a", "b"]


@pytest.mark.parametrize(
    "unknown",
    [
        "generators: [plugin.yaml]\n",
        "openapi: {path: schema.json}\n",
        "resources: [missing.yaml]\n",
    ],
)
def test_what_the_graph_does_not_know_is_never_remembered(repo: Repo, unknown: str) -> None:
    repo.write("overlays/b/kustomization.yaml", unknown)
    for _ in range(2):
        repo.validate()
        assert "b" in repo.built()


def test_a_file_that_was_written_during_the_run_is_not_trusted(
    repo: Repo, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(store, "JUST_NOW", 3_600_000_000_000)
    repo.validate()
    repo.validate()
    assert repo.built() == ["a", "b"]


@pytest.mark.parametrize(
    "damage",
    [
        lambda content: b"",
        lambda content: content[: len(content) // 2],
        lambda content: content.replace(b"Service", b"Serbice"),
        lambda content: b"\x00\xff" * 4096,
        lambda content: b"[" * 100_000,
    ],
)
def test_a_damaged_cache_is_ignored(repo: Repo, damage: Callable[[bytes], bytes]) -> None:
    expected = repo.validate()
    file = entry()
    file.write_bytes(damage(file.read_bytes()))
    assert repo.validate() == expected
    assert repo.built() == ["a", "b"]
    repo.validate()
    assert repo.built() == []


def _body(content: bytes) -> bytes:
    return content.partition(b"\n")[2]


def _forged(stored: Any) -> bytes:
    text = json.dumps(stored).encode()
    return cache.checksum(text) + b"\n" + text


def _with(stored: Any, where: list[Any], odd: Any) -> Any:
    *path, last = where
    inner = stored
    for step in path:
        inner = inner[step]
    inner[last] = odd
    return stored


def test_a_cache_of_another_structure_is_ignored(repo: Repo) -> None:
    """Someone who can forge a checksum can cost time, and nothing else."""
    repo.validate()
    file = entry()
    sound = json.loads(_body(file.read_bytes()))
    place = [4, "overlays/a", 1, 0, 0]
    forged: list[Any] = [[], {}, 5, "x", None, [[]], ["k", 1, 2, 3, 4], [0] * 5]
    places: list[list[Any]] = [[1], [2], [3], [4], *(place[:n] for n in range(2, 6))]
    places += [[*place, field] for field in (1, 5, 7)]
    odd_ones: list[Any] = [[[None]], {"a": {}}, -1]
    forged += [_with(copy.deepcopy(sound), where, odd) for where in places for odd in odd_ones]
    overlay = Overlay("overlays/a", repo.directory / "overlays/a")
    for content in forged:
        file.write_bytes(_forged(content))
        assert store.Cache(file, sound[0]).get(overlay) is None, content


@pytest.mark.parametrize("make", [os.mkfifo, os.mkdir, lambda path: path.symlink_to("/dev/zero")])
def test_a_cache_file_that_is_not_a_regular_one_is_not_opened(
    repo: Repo, make: Callable[[Path], None]
) -> None:
    expected = repo.validate()
    file = entry()
    file.unlink()
    make(file)
    assert repo.validate() == expected


def test_a_signature_of_what_is_not_a_regular_file_is_not_read(repo: Repo) -> None:
    expected = repo.validate()
    file = entry()
    stored = json.loads(_body(file.read_bytes()))
    stored[4]["overlays/a"][0]["/dev/zero"] = "x"
    file.write_bytes(_forged(stored))
    assert repo.validate() == expected


def test_where_nothing_can_be_written_a_run_is_only_slower(
    repo: Repo, monkeypatch: pytest.MonkeyPatch
) -> None:
    expected = repo.validate()
    for place in (repo.engine, Path("/proc/none"), Path("/dev/full")):
        monkeypatch.setenv(cache.CACHE_VARIABLE, str(place))
        assert repo.validate() == expected


def test_no_secret_is_kept(repo: Repo) -> None:
    repo.validate()
    file = entry()
    text = file.read_text()
    assert "overlays/b" in text
    for secret in ("correct-horse", "Y29ycmVjdC1ob3JzZ"):
        assert secret not in text
    assert file.stat().st_mode & 0o077 == 0


def test_the_cache_stays_small(repo: Repo, monkeypatch: pytest.MonkeyPatch) -> None:
    repo.validate()
    old = entry()
    os.utime(old, (0, 0))
    monkeypatch.setattr(cache, "MAX_BYTES", old.stat().st_size + 100)
    repo.validate("--ignore", "schema")
    assert not old.exists()
    assert entry().exists()


def test_two_runs_at_once_do_not_hurt_each_other(repo: Repo, tmp_path: Path) -> None:
    command = [sys.executable, "-m", "vllm_kustomize", "validate", "--format", "json"]
    environment = {**os.environ, "VLLM_KUSTOMIZE_CACHE": str(tmp_path / "shared-cache")}
    environment["PYTHONPATH"] = str(Path(cache.__file__).parents[2])

    def start() -> subprocess.Popen[bytes]:
        return subprocess.Popen(command, cwd=repo.directory, env=environment, stdout=subprocess.PIPE)

    first, second = start(), start()
    outputs = [first.communicate()[0], second.communicate()[0]]
    afterwards = start()
    outputs.append(afterwards.communicate()[0])
    assert outputs[0]
    assert outputs == [outputs[0]] * 3
    assert [run.returncode for run in (first, second, afterwards)] == [first.returncode] * 3
