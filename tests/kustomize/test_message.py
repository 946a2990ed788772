"""What the engine says of a failed build is shortened to the file and the reason."""

from __future__ import annotations

import pytest

from vllm_kustomize.kustomize.message import shortened

MISSING = "evalsymlink failure on 'a/b.yaml' : lstat a/b.yaml: no such file or directory"


@pytest.mark.parametrize(
    ("message", "short"),
    [
        (f"accumulating resources from 'b.yaml': {MISSING}", "a/b.yaml does not exist"),
        (f"loading KV pairs: env source files: [b.yaml]: {MISSING}", "a/b.yaml does not exist"),
        (
            f"trouble configuring builtin PatchTransformer: `path: b.yaml`: {MISSING}",
            "a/b.yaml does not exist",
        ),
        (
            "accumulating resources from './d': 'a/d' must resolve to a file': couldn't make target for path "
            "'a/d': unable to find one of 'kustomization.yaml', 'kustomization.yml' or 'Kustomization' in "
            "directory 'a/d'",
            "a/d has no kustomization.yaml",
        ),
        (
            "accumulating resources from '../x/ok.yaml': security; file 'x/ok.yaml' is not in or below 'a'",
            "x/ok.yaml is outside of a, and a build reads only what is in or below its own folder",
        ),
        ("cycle detected: candidate root 'a' contains visited root 'a/b'", "a is built upon itself"),
        (
            "accumulating components: accumulateDirectory: \"expected kind 'Component' for path 'a' but got "
            "'Kustomization'\"",
            "a is a Kustomization, not a Component",
        ),
        (
            'yaml: unmarshal errors: line 5: mapping key "name" already defined at line 4',
            'the key "name" of line 5 already stands in line 4',
        ),
        (
            "accumulating resources from 'a.yaml': missing metadata.name in object {{v1 Pod}}",
            "a.yaml has an object without metadata.name",
        ),
        (
            "accumulating resources: accumulating resources from 'a.yaml': MalformedYAMLError: yaml: line 3: "
            "mapping values are not allowed in this context in File: a.yaml",
            "a.yaml is not YAML: line 3: mapping values are not allowed in this context",
        ),
        (
            'no resource matches strategic merge patch "ConfigMap.v1.[noGrp]/z.[noNs]": no matches for Id '
            "ConfigMap.v1.[noGrp]/z.[noNs]; failed to find unique target for patch",
            "the build has no ConfigMap/z, which a patch names",
        ),
        (
            "merging resources from 'b.yaml': may not add resource with an already registered id: "
            "ConfigMap.v1.[noGrp]/a.[noNs]",
            "ConfigMap/a is in the build twice",
        ),
        ("replace operation does not apply: doc is missing path: /data/x", None),
    ],
)
def test_shortened(message: str, short: str | None) -> None:
    assert shortened(message) == (short or message)
