"""Dashboards, alerts and autoscalers ask for metrics that the pinned release of vLLM has."""

from __future__ import annotations

import json
import re
from typing import Any

import pytest
import yaml

from conftest import REPO
from vllm_kustomize.vllm.names import metrics

COMPONENTS = REPO / "components"
SUFFIX = re.compile(r"(?:_total)?(?:_(?:sum|count|bucket))?\Z")
FILES = [
    "grafana-dashboard/vllm.json",
    "alerts/prometheus-rule.yaml",
    "keda/scaled-object.yaml",
    "hpa/prometheus-adapter.values.yaml",
]


def pinned_release() -> str:
    base = yaml.safe_load((REPO / "base/deployment.yaml").read_text(encoding="utf-8"))
    image = base["spec"]["template"]["spec"]["containers"][0]["image"]
    return str(image.partition(":v")[2])


@pytest.mark.parametrize("file", FILES)
def test_metrics_exist_in_the_pinned_release(file: str) -> None:
    used = set(re.findall(r"\bvllm:[a-z0-9_]+", (COMPONENTS / file).read_text(encoding="utf-8")))
    assert used
    known = metrics(pinned_release())
    assert known
    assert {metric for metric in used if not {metric, SUFFIX.sub("", metric)} & known} == set()


def dashboard() -> dict[str, Any]:
    found = json.loads((COMPONENTS / "grafana-dashboard/vllm.json").read_text(encoding="utf-8"))
    assert isinstance(found, dict)
    return found


def test_dashboard_survives_flux() -> None:
    assert "${" not in json.dumps(dashboard())


def test_dashboard_panels_have_places_of_their_own() -> None:
    panels = dashboard()["panels"]
    assert len({panel["id"] for panel in panels}) == len(panels)
    taken: set[tuple[int, int]] = set()
    for panel in panels:
        place = panel["gridPos"]
        cells = {
            (x, y)
            for x in range(place["x"], place["x"] + place["w"])
            for y in range(place["y"], place["y"] + place["h"])
        }
        assert not cells & taken, panel["title"]
        assert place["x"] + place["w"] <= 24
        taken |= cells


def test_dashboard_variables_are_defined() -> None:
    defined = {variable["name"] for variable in dashboard()["templating"]["list"]}
    used = set(re.findall(r"\$([a-z]+)\b", json.dumps(dashboard())))
    assert used <= defined
    assert {"datasource", "namespace", "model", "pod"} == defined
