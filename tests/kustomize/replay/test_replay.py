"""The replay comes to what the engine renders, for kustomizations that nobody wrote.

Every field of a kustomization that the replay follows takes part, both keys of a merge, and all types of
values.
`VLLM_KUSTOMIZE_BUILDS` is how many kustomizations are tried; `make check-all` tries a thousand.
"""

from __future__ import annotations

import json
import os
import re
from collections.abc import Callable
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

import yaml
from hypothesis import HealthCheck, Phase, assume, example, given, settings
from hypothesis import strategies as st

from vllm_kustomize.kustomize.discover import overlay_at
from vllm_kustomize.kustomize.engine import Engine, find_engine
from vllm_kustomize.kustomize.replay.tree import SourceTree

BUILDS = int(os.environ.get("VLLM_KUSTOMIZE_BUILDS", "40"))
SELECTED = {"kind": "Deployment"}
HASH = re.compile(r"-[bcdfghkmt2456789]{10}$")

words = st.sampled_from(["alpha", "beta", "gamma"])
values = st.one_of(
    st.booleans(),
    st.integers(-3, 70000),
    st.none(),
    st.sampled_from(["", "text", "1", "true", "null", "1e3", "0x1F", "a: b", "# no comment", "two\nlines\n"]),
    st.floats(-4, 4, allow_nan=False, allow_infinity=False).map(lambda number: round(number, 2)),
    st.lists(st.integers(0, 3), min_size=1, max_size=2),
    st.dictionaries(words, st.integers(0, 3), min_size=1, max_size=2),
)
texts = st.sampled_from(["one", "two", "1", "true", "x-y"])
pairs = st.dictionaries(words, texts, min_size=1, max_size=2)


def own(owner: str) -> st.SearchStrategy[dict[str, str]]:
    """Labels that nothing else sets; SHARED and its like set the same one in several ways."""
    return pairs.map(lambda each: {f"{owner}-{key}": value for key, value in each.items()})


operations = st.one_of(
    st.fixed_dictionaries(
        {"op": st.just("add"), "path": st.just("/metadata/annotations/added"), "value": texts}
    ),
    st.fixed_dictionaries(
        {"op": st.sampled_from(["add", "replace"]), "path": st.just("/spec/free"), "value": values}
    ),
    st.fixed_dictionaries({"op": st.just("remove"), "path": st.just("/metadata/annotations/kept")}),
    st.fixed_dictionaries(
        {
            "op": st.just("add"),
            "path": st.sampled_from(
                [f"/spec/template/spec/containers/0/args/{at}" for at in ("0", "1", "-")]
            ),
            "value": texts,
        }
    ),
    st.fixed_dictionaries(
        {
            "op": st.just("replace"),
            "path": st.sampled_from(
                [f"/spec/template/spec/containers/0/args/{at}" for at in ("0", "1", "-1", "-2")]
            ),
            "value": texts,
        }
    ),
    st.fixed_dictionaries(
        {
            "op": st.just("copy"),
            "from": st.just("/metadata/labels/app"),
            "path": st.just("/metadata/labels/moved"),
        }
    ),
    st.fixed_dictionaries(
        {"op": st.just("test"), "path": st.just("/metadata/labels/app"), "value": st.just("web")}
    ),
)
Strategy = st.SearchStrategy[dict[str, Any]]
ports: Strategy = st.fixed_dictionaries(
    {"containerPort": st.sampled_from([80, 81]), "protocol": st.sampled_from(["TCP", "UDP"])},
    optional={"name": texts},
)
variables: Strategy = st.fixed_dictionaries({"name": words}, optional={"value": texts})
containers: Strategy = st.fixed_dictionaries(
    {"name": st.sampled_from(["main", "side", "new"])},
    optional={
        "image": st.sampled_from(["nginx:2", "repo/app@sha256:00"]),
        "ports": st.lists(
            ports, min_size=1, max_size=2, unique_by=lambda port: (port["containerPort"], port["protocol"])
        ),
        "env": st.lists(
            variables,
            max_size=2,
            unique_by=lambda it: it["name"],
        ),
        "args": st.lists(texts, max_size=2),
        "$patch": st.sampled_from(["delete", "replace"]),
    },
)
spread: Strategy = st.fixed_dictionaries(
    {
        "topologyKey": st.sampled_from(["zone", "host"]),
        "whenUnsatisfiable": st.sampled_from(["DoNotSchedule", "ScheduleAnyway"]),
    },
    optional={"maxSkew": st.integers(1, 3)},
)


def merges(level: str) -> Strategy:
    """A strategic merge patch of the Deployment."""
    return st.fixed_dictionaries(
        {
            "apiVersion": st.just("apps/v1"),
            "kind": st.just("Deployment"),
            "metadata": st.fixed_dictionaries(
                {"name": st.just("web")}, optional={"labels": own(f"{level}-patch")}
            ),
        },
        optional={
            "spec": st.fixed_dictionaries(
                {},
                optional={
                    "replicas": st.one_of(st.none(), st.integers(0, 5)),
                    "free": values,
                    "strategy": st.fixed_dictionaries(
                        {"$patch": st.just("replace"), "type": st.just("Recreate")}
                    ),
                    "template": st.fixed_dictionaries(
                        {
                            "spec": st.fixed_dictionaries(
                                {},
                                optional={
                                    "containers": st.lists(
                                        containers, min_size=1, max_size=2, unique_by=lambda it: it["name"]
                                    ),
                                    "topologySpreadConstraints": st.lists(
                                        spread,
                                        min_size=1,
                                        max_size=2,
                                        unique_by=lambda it: (it["topologyKey"], it["whenUnsatisfiable"]),
                                    ),
                                },
                            )
                        }
                    ),
                },
            )
        },
    )


def patches(level: str) -> Strategy:
    """An entry of `patches:`, of either kind."""
    return st.one_of(
        merges(level).map(lambda patch: {"patch": yaml.safe_dump(patch)}),
        st.lists(operations, min_size=1, max_size=3).map(
            lambda patch: {"target": SELECTED, "patch": json.dumps(patch)}
        ),
    )


def generators(level: str) -> Strategy:
    """An entry of a generator, for an object of its own."""
    return st.fixed_dictionaries(
        {
            "name": words.map(lambda word: f"{level}-{word}"),
            "literals": st.lists(st.sampled_from(["a=1", "b=x=y", "c=", "d='q'"]), min_size=1, unique=True),
        },
        optional={
            "options": st.fixed_dictionaries(
                {},
                optional={
                    "disableNameSuffixHash": st.booleans(),
                    "labels": pairs,
                    "immutable": st.just(True),
                },
            ),
            "files": st.just(["data.txt", "key=data.txt"]),
            "envs": st.just(["data.env"]),
            "namespace": st.just("elsewhere"),
        },
    )


def labels(level: str) -> Strategy:
    """An entry of `labels:`."""
    return st.fixed_dictionaries(
        {"pairs": own(f"{level}-labels")},
        optional={
            "includeSelectors": st.booleans(),
            "includeTemplates": st.booleans(),
            "fields": st.just([{"path": "spec/anywhere", "kind": "Widget", "create": True}]),
        },
    )


images = st.fixed_dictionaries(
    {"name": st.sampled_from(["nginx", "repo/app", "missing"])},
    optional={
        "newName": st.just("mirror:5000/nginx"),
        "newTag": st.sampled_from(["9", "1.10"]),
        "digest": st.just("sha256:ff"),
    },
)
replacements = st.fixed_dictionaries(
    {
        "source": st.fixed_dictionaries(
            {"kind": st.just("Service"), "fieldPath": st.sampled_from(["metadata.name", "spec.ports.0.name"])}
        ),
        "targets": st.just(
            [
                {
                    "select": SELECTED,
                    "fieldPaths": [
                        "metadata.annotations.copied",
                        "spec.template.metadata.annotations.copied",
                    ],
                    "options": {"create": True},
                }
            ]
        ),
    }
)


def kustomization(level: str) -> Strategy:
    """Some fields of a kustomization."""
    return st.fixed_dictionaries(
        {},
        optional={
            "patches": st.lists(patches(level), min_size=1, max_size=2),
            "patchesStrategicMerge": st.lists(merges(level).map(yaml.safe_dump), min_size=1, max_size=1),
            "patchesJson6902": st.lists(
                st.lists(operations, min_size=1, max_size=2).map(
                    lambda patch: {
                        "target": {"group": "apps", "version": "v1", "kind": "Deployment", "name": "web"},
                        "patch": json.dumps(patch),
                    }
                ),
                min_size=1,
                max_size=1,
            ),
            "namespace": st.just("place"),
            "namePrefix": st.just("pre-"),
            "nameSuffix": st.just("-post"),
            "labels": st.lists(labels(level), min_size=1, max_size=1),
            "commonLabels": own(f"{level}-common"),
            "commonAnnotations": pairs,
            "replicas": st.lists(
                st.fixed_dictionaries({"name": st.just("web"), "count": st.integers(0, 4)}),
                min_size=1,
                max_size=1,
            ),
            "images": st.lists(images, min_size=1, max_size=2),
            "configMapGenerator": st.lists(
                generators(level), min_size=1, max_size=2, unique_by=lambda entry: entry["name"]
            ),
            "secretGenerator": st.lists(generators(level), min_size=1, max_size=1),
            "generatorOptions": st.fixed_dictionaries(
                {}, optional={"disableNameSuffixHash": st.booleans(), "annotations": pairs}
            ),
            "replacements": st.lists(replacements, min_size=1, max_size=1),
        },
    )


DEPLOYMENT = """\
apiVersion: apps/v1
kind: Deployment
metadata:
  name: web
  labels: {app: web}
  annotations: {kept: "1"}
spec:
  replicas: 2
  strategy: {type: RollingUpdate, rollingUpdate: {maxSurge: 1}}
  selector: {matchLabels: {app: web}}
  template:
    metadata: {labels: {app: web}}
    spec:
      topologySpreadConstraints:
        - {topologyKey: zone, whenUnsatisfiable: DoNotSchedule, maxSkew: 1}
        - {topologyKey: zone, whenUnsatisfiable: ScheduleAnyway, maxSkew: 2}
      containers:
        - name: main
          image: nginx:1
          args: [one, two]
          ports: [{containerPort: 80, protocol: TCP}, {containerPort: 80, protocol: UDP}]
          env: [{name: alpha, value: a}, {name: beta, value: b}]
        - name: side
          image: repo/app
"""
OTHERS = """\
apiVersion: v1
kind: Service
metadata: {name: web}
spec: {selector: {app: web}, ports: [{port: 80, name: http}]}
---
apiVersion: v1
kind: Namespace
metadata: {name: place}
---
apiVersion: example.com/v1
kind: Widget
metadata: {name: thing, namespace: fixed}
spec: {list: [1, two, {three: 3}], text: "on", number: 1.5, none: null}
---
apiVersion: rbac.authorization.k8s.io/v1
kind: ClusterRole
metadata: {name: reader}
"""
SECOND_KEYS = """\
apiVersion: apps/v1
kind: Deployment
metadata: {name: web}
spec:
  template:
    spec:
      topologySpreadConstraints: [{topologyKey: zone, whenUnsatisfiable: ScheduleAnyway, maxSkew: 3}]
      containers: [{name: main, ports: [{containerPort: 80, protocol: UDP, name: second}]}]
"""
SHARED = {"commonLabels": {"alpha": "one"}, "commonAnnotations": {"beta": "one"}}
WRITTEN_OVER = """\
apiVersion: apps/v1
kind: Deployment
metadata: {name: web, labels: {alpha: two}, annotations: {beta: two, number: 80, truth: true}}
spec:
  free: {list: [], map: {}, none: null}
  template: {spec: {containers: [{name: main, args: [], env: []}]}}
"""
COPY_OF_NOTHING = """\
[{"op": "remove", "path": "/metadata/annotations/kept"},
 {"op": "copy", "from": "/metadata/annotations/kept", "path": "/spec/free"}]
"""
PORTS = {
    "replacements": [
        {
            "source": {"kind": "Service", "fieldPath": "spec.ports.0.port"},
            "targets": [
                {
                    "select": SELECTED,
                    "fieldPaths": ["metadata.annotations.kept", "spec.template.spec.containers.0.args.0"],
                }
            ],
        }
    ]
}
FROM_THE_END = '[{"op": "replace", "path": "/spec/template/spec/containers/0/args/-2", "value": "first"}]'
EXTRA = """\
apiVersion: v1
kind: ConfigMap
metadata: {name: extra}
data: {key: value}
"""


def write(folder: Path, base: dict[str, Any], component: dict[str, Any], overlay: dict[str, Any]) -> None:
    """A base, and an overlay of it with a component, each with fields of its own."""
    files = {
        "base/kustomization.yaml": {"resources": ["deployment.yaml", "others.yaml"], **base},
        "component/kustomization.yaml": {
            "apiVersion": "kustomize.config.k8s.io/v1alpha1",
            "kind": "Component",
            "resources": ["extra.yaml"],
            **component,
        },
        "overlay/kustomization.yaml": {"resources": ["../base"], "components": ["../component"], **overlay},
    }
    for name, content in files.items():
        (folder / name).parent.mkdir()
        (folder / name).write_text(yaml.safe_dump(content, sort_keys=False))
        (folder / name).with_name("data.txt").write_text("line\n")
        (folder / name).with_name("data.env").write_text("KEY=value\n")
    (folder / "component/extra.yaml").write_text(EXTRA)
    (folder / "base/deployment.yaml").write_text(DEPLOYMENT)
    (folder / "base/others.yaml").write_text(OTHERS)


def comparable(manifest: dict[str, Any], unhash: Callable[[str], str] = str) -> dict[str, Any]:
    """An object without the hash in a generated name, and without annotations where there are none."""
    metadata = {key: value for key, value in manifest["metadata"].items() if value != {}}
    return {**manifest, "metadata": {**metadata, "name": unhash(metadata["name"])}}


def by_name(manifest: dict[str, Any]) -> tuple[str, str]:
    """What objects are sorted by."""
    return manifest["kind"], manifest["metadata"]["name"]


@settings(
    max_examples=BUILDS, phases=(Phase.explicit, Phase.generate), suppress_health_check=list(HealthCheck)
)
@example({}, {}, {"patches": [{"patch": SECOND_KEYS}]})
@example({}, {}, {"patches": [{"target": SELECTED, "patch": FROM_THE_END}]})
@example(SHARED, {}, {"patches": [{"patch": WRITTEN_OVER}]})
@example(SHARED, {}, {"labels": [{"pairs": {"alpha": "two"}}]})
@example({}, {}, {"patches": [{"target": SELECTED, "patch": COPY_OF_NOTHING}]})
@example({}, {}, PORTS)
@given(kustomization("base"), kustomization("component"), kustomization("overlay"))
def test_the_replay_comes_to_what_the_engine_renders(
    base: dict[str, Any], component: dict[str, Any], overlay: dict[str, Any]
) -> None:
    with TemporaryDirectory() as name, Engine(find_engine(None)) as engine:
        folder = Path(name)
        write(folder, base, component, overlay)
        rendered = engine.build(overlay_at(folder / "overlay"))
        assume(not rendered.error)
        graph = SourceTree().graph(folder / "overlay")
        assert graph.incomplete == ()
        hashed = {source.id.name for source in graph.objects if source.hashed}
        found = [comparable(source.root.data()) for source in graph.objects]
        expected = [
            comparable(manifest, lambda name: bare if (bare := HASH.sub("", name)) in hashed else name)
            for manifest in yaml.safe_load_all(rendered.output)
        ]
    assert sorted(found, key=by_name) == sorted(expected, key=by_name)
