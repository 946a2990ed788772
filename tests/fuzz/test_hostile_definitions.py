"""Whatever a CustomResourceDefinition looks like, objects are judged by it as far as it goes."""

from __future__ import annotations

import copy
import json
import os
from pathlib import Path

from hypothesis import HealthCheck, Phase, given, settings

from fuzz.hostile import Mutations, mutate, mutations
from vllm_kustomize.apiserver import custom
from vllm_kustomize.apiserver.custom.definitions import read_documents

CASES = int(os.environ.get("VLLM_KUSTOMIZE_FUZZ", "200"))
GIVEN = json.loads((Path(__file__).parent.parent / "apiserver/custom/cel.json").read_bytes())
RULES = [
    {"rule": "self.l.all(x, x in self.m) || self.i > 3", "messageExpression": "'i is ' + string(self.i)"},
    {"rule": "self.set == oldSelf.set", "fieldPath": ".set"},
]
SCHEMA = {"type": "object", "properties": {"spec": {**GIVEN["schema"], "x-kubernetes-validations": RULES}}}
CRD = {
    "apiVersion": "apiextensions.k8s.io/v1",
    "kind": "CustomResourceDefinition",
    "metadata": {"name": "things.example.com"},
    "spec": {
        "group": "example.com",
        "names": {"kind": "Thing"},
        "versions": [
            {
                "name": "v1",
                "subresources": {"status": {}, "scale": {"specReplicasPath": ".spec.i"}},
                "schema": {"openAPIV3Schema": SCHEMA},
            }
        ],
    },
}
THING = {
    "apiVersion": "example.com/v1",
    "kind": "Thing",
    "metadata": {"name": "a", "labels": {"a": "b"}},
    "spec": GIVEN["object"],
}


@given(mutations, mutations)
@settings(
    max_examples=CASES,
    deadline=None,
    suppress_health_check=list(HealthCheck),
    derandomize="VLLM_KUSTOMIZE_FUZZ" not in os.environ,
    phases=(Phase.explicit, Phase.generate),
)
def test_definitions(of_definition: Mutations, of_object: Mutations) -> None:
    crd = mutate(copy.deepcopy(CRD), of_definition)
    thing = mutate(copy.deepcopy(THING), of_object)
    thing = thing if isinstance(thing, dict) else THING
    for definition in read_documents([crd], "crd.yaml").definitions:
        custom.check(thing, definition, (1, 37))
        custom.check_update(thing, THING, definition, (1, 37))
