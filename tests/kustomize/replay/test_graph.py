"""The sources are followed to the very objects that the engine renders."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest

from conftest import REPO
from vllm_kustomize.kustomize.discover import overlay_at
from vllm_kustomize.kustomize.engine import Engine, find_engine
from vllm_kustomize.kustomize.load import load_rendered
from vllm_kustomize.kustomize.provenance import Locator
from vllm_kustomize.kustomize.replay.tree import SourceTree, kustomize_version
from vllm_kustomize.model import FieldPath, Precision, Resource

REPOS = Path(__file__).parents[1] / "repos"
OVERLAYS = [
    *sorted(path.parent for path in REPO.glob("overlays/*/kustomization.yaml")),
    *sorted(path.parent for path in REPO.glob("tests/combinations/*/kustomization.yaml")),
    *sorted(path.parent for path in REPOS.glob("*/overlay/kustomization.yaml")),
]


@pytest.mark.parametrize("directory", OVERLAYS, ids=lambda path: path.relative_to(REPO).as_posix())
def test_sources_come_to_what_the_engine_renders(directory: Path) -> None:
    with Engine(find_engine(None)) as engine:
        rendered = engine.build(overlay_at(directory))
    assert not rendered.error
    graph = SourceTree().graph(directory)
    assert graph.incomplete == ()
    names = {identity.name: source.id.name for source in graph.objects for identity in source.ids}
    objects = {
        (data["kind"], data["metadata"]["name"]): data
        for data in (source.root.data() for source in graph.objects)
    }
    for resource in load_rendered(rendered.output, "rendered"):
        source = objects.get((resource.kind, resource.name)) or objects[resource.kind, resource.name[:-11]]
        assert list(differences(source, resource.manifest, names)) == []


def differences(source: Any, rendered: Any, names: dict[str, str], path: FieldPath = ()) -> Any:
    """What the sources do not come to, less references to renamed objects, which only the engine renames."""
    if isinstance(source, dict) and isinstance(rendered, dict):
        for key in {**source, **rendered}:
            yield from differences(source.get(key), rendered.get(key), names, (*path, key))
    elif isinstance(source, list) and isinstance(rendered, list) and len(source) == len(rendered):
        for index, pair in enumerate(zip(source, rendered, strict=True)):
            yield from differences(*pair, names, (*path, index))
    elif source != rendered and not is_reference(source, rendered, names, path):
        yield path, source, rendered


def is_reference(source: Any, rendered: Any, names: dict[str, str], path: FieldPath) -> bool:
    if path[-1] == "namespace" and "subjects" in path:
        return source is None
    renamed = names.get(source) if isinstance(source, str) else None
    return isinstance(rendered, str) and renamed is not None and rendered[: len(renamed)] == renamed


@pytest.mark.parametrize(("engine", "version"), [("kubectl v1.28.3, kustomize v5.0.4", (5, 0)), ("", (5, 8))])
def test_engine_version(engine: str, version: tuple[int, ...]) -> None:
    assert kustomize_version(engine) == version


def write(directory: Path, **files: str) -> None:
    for name, text in files.items():
        path = directory / name.replace("__", "/").replace("_yaml", ".yaml")
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(text, encoding="utf-8")


def test_components_run_before_generators_in_kustomize_5_0(tmp_path: Path) -> None:
    write(
        tmp_path,
        kustomization_yaml="configMapGenerator:\n- {name: a, literals: [x=1]}\ncomponents: [c]\n",
        c__kustomization_yaml="kind: Component\nnamePrefix: c-\n",
    )
    assert [str(source) for source in SourceTree((5, 0)).graph(tmp_path).objects] == ["ConfigMap/a"]
    assert [str(source) for source in SourceTree((5, 1)).graph(tmp_path).objects] == ["ConfigMap/c-a"]


DEPLOYMENT = """\
apiVersion: apps/v1
kind: Deployment
metadata:
  name: vllm
spec:
  replicas: 1
  template:
    spec:
      containers:
        - name: vllm
          image: vllm/vllm-openai:v1
          args: [--a, --b]
          livenessProbe:
            tcpSocket:
              port: 80
          envFrom:
            - configMapRef:
                name: settings
"""
KUSTOMIZATION = """\
namePrefix: dev-
resources: [deployment.yaml]
configMapGenerator:
  - name: settings
    literals: [LEVEL=1]
patches:
  - patch: |-
      apiVersion: apps/v1
      kind: Deployment
      metadata:
        name: vllm
      spec:
        template:
          spec:
            containers:
              - name: vllm
                args: [--c]
                livenessProbe: null
images:
  - name: vllm/vllm-openai
    newName: mirror/vllm
    newTag: v2
"""
CONTAINER: FieldPath = ("spec", "template", "spec", "containers", 0)


@pytest.mark.parametrize(
    ("path", "primary", "related"),
    [
        ((*CONTAINER, "image"), "kustomization.yaml:22:13", ["deployment.yaml:11:18 overridden here"]),
        ((*CONTAINER, "args"), "kustomization.yaml:17:23", ["deployment.yaml:12:17 overridden here"]),
        ((*CONTAINER, "args", 0), "kustomization.yaml:17:24", ["deployment.yaml:12:17 overridden here"]),
        ((*CONTAINER, "livenessProbe"), "kustomization.yaml:18:32 removed here parent", []),
        ((*CONTAINER, "readinessProbe", "httpGet"), "deployment.yaml:10:11 parent", []),
        (("spec", "strategy"), "deployment.yaml:5:1 parent", []),
        (("metadata", "name"), "deployment.yaml:4:9", ["kustomization.yaml:1:13 namePrefix is added here"]),
        (
            (*CONTAINER, "envFrom", 0, "configMapRef", "name"),
            "deployment.yaml:18:23",
            ["kustomization.yaml:4:11 names ConfigMap/dev-settings"],
        ),
        ((), "deployment.yaml:1:1", []),
    ],
)
def test_locations_name_the_last_writer_and_what_it_overrode(
    path: FieldPath, primary: str, related: list[str], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    write(tmp_path, kustomization_yaml=KUSTOMIZATION, deployment_yaml=DEPLOYMENT)
    with Engine(find_engine(None)) as engine:
        rendered = engine.build(overlay_at(tmp_path))
    (deployment,) = (
        resource for resource in load_rendered(rendered.output, "") if resource.kind == "Deployment"
    )
    located = Locator(SourceTree().graph(tmp_path)).locate(deployment, path)
    assert show(located.primary) == primary
    assert [show(place) for place in located.related] == related


def show(place: Any) -> str:
    sure = "" if place.precision is Precision.EXACT else str(place.precision)
    return " ".join(filter(None, (f"{place.file}:{place.line}:{place.column}", place.note, sure)))


GENERATED = """\
configMapGenerator:
  - name: settings
    literals:
      - LEVEL=1
      - "MODE=fast lane"
      - 'QUOTED="x"'
    files:
      - notes.txt
      - key=notes.txt
    envs:
      - settings.env
secretGenerator:
  - name: token
    literals: [token=abc]
"""


def test_generated_values_are_located_where_they_are_written(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    write(tmp_path, kustomization_yaml=GENERATED)
    (tmp_path / "notes.txt").write_text("two\nlines\n", encoding="utf-8")
    (tmp_path / "settings.env").write_text("# why\n\n  A=1=2\nB=\n", encoding="utf-8")
    with Engine(find_engine(None)) as engine:
        rendered = engine.build(overlay_at(tmp_path))
    locator = Locator(SourceTree().graph(tmp_path))
    places = {
        key: show(locator.locate(resource, ("data", key)).primary)
        for resource in load_rendered(rendered.output, "")
        for key in resource.manifest["data"]
    }
    assert places == {
        "LEVEL": "kustomization.yaml:4:15",
        "MODE": "kustomization.yaml:5:15",
        "QUOTED": "kustomization.yaml:6:17",
        "notes.txt": "notes.txt:1:1",
        "key": "notes.txt:1:1",
        "A": "settings.env:3:5",
        "B": "settings.env:4:3",
        "token": "kustomization.yaml:14:22",
    }


def test_nothing_is_imported_for_locating_where_there_is_nothing_to_locate(tmp_path: Path) -> None:
    write(tmp_path, kustomization_yaml="configMapGenerator:\n- {name: a, literals: [x=1]}\n")
    program = """
import sys
from vllm_kustomize import cli
sys.argv = ["vllm-kustomize", "validate", ".", "--quiet", "--no-cache"]
try:
    cli.main()
except SystemExit as stop:
    loaded = sorted(name for name in sys.modules if name.endswith(".locate"))
    print(stop.code, loaded)
"""
    result = subprocess.run([sys.executable, "-c", program], cwd=tmp_path, capture_output=True, text=True)
    assert result.stdout.split() == ["0", "[]"]


def test_an_object_that_no_source_explains_points_at_the_kustomization(tmp_path: Path) -> None:
    write(tmp_path, kustomization_yaml="resources:\n- https://example.invalid/base?ref=v1\n")
    resource = Resource({"apiVersion": "v1", "kind": "Service", "metadata": {"name": "remote"}})
    located = Locator(SourceTree().graph(tmp_path)).locate(resource, ("spec", "type"))
    assert located.primary.precision is Precision.FILE
    (reason,) = located.related
    assert (reason.line, reason.column) == (2, 3)
    assert reason.note.endswith("is not on this machine")


def test_a_value_that_the_sources_do_not_come_to_is_not_claimed(tmp_path: Path) -> None:
    write(tmp_path, kustomization_yaml="resources: [deployment.yaml]\n", deployment_yaml=DEPLOYMENT)
    manifest = SourceTree().graph(tmp_path).objects[0].root.data()
    manifest["spec"]["replicas"] = 7
    located = Locator(SourceTree().graph(tmp_path)).locate(Resource(manifest), ("spec", "replicas"))
    assert located.primary.precision is Precision.PARENT
